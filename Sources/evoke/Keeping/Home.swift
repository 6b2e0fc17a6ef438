import Foundation
import Notebook
import Tensors

/// The folder for what outlives the process: the store and the prompt's history.
enum Home {
  /// `$EVOKE_HOME`, or else `evoke` in the user's data folder as the XDG base directory
  /// specification has it.
  static var folder: URL {
    if let home = environment("EVOKE_HOME") { return URL(fileURLWithPath: home) }
    let data =
      environment("XDG_DATA_HOME").map { URL(fileURLWithPath: $0) }
      ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".local/share")
    return data.appendingPathComponent("evoke")
  }

  /// A variable of the environment that is set to something.
  private static func environment(_ name: String) -> String? {
    ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }
}
