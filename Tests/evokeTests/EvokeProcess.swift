import Foundation
import Tensors

/// The executable, run as users run it, with a store and a folder of its own that go away.
final class Workplace: Sendable {
  let folder: URL
  /// `$EVOKE_HOME` of the processes.
  let home: URL

  init() throws {
    let root = FileManager.default.temporaryDirectory
      .appendingPathComponent("evoke-process-\(UUID().uuidString)")
    folder = root.appendingPathComponent("work")
    home = root.appendingPathComponent("home")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder.deletingLastPathComponent()) }

  /// The executable that was built beside the tests.
  static let executable: URL = {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let beside = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    let candidates = [
      beside.appendingPathComponent("evoke"), package.appendingPathComponent(".build/debug/evoke"),
    ]
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) }
      ?? candidates[1]
  }()

  /// What a process left.
  struct Outcome {
    let status: Int32
    let wasKilled: Bool
    let output: String
    let errors: String
    var lines: [String] { output.split(separator: "\n").map(String.init) }
  }

  func write(_ text: String, to name: String) throws {
    let url = folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  func read(_ name: String) throws -> String {
    try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
  }

  /// Runs `evoke` to its end, or to the moment at which it is killed.
  ///
  /// - Parameters:
  ///   - input: what is typed, through a pipe.
  ///   - home: another store than this workplace's.
  ///   - killedAt: the process gets SIGKILL once it has shown this.
  func evoke(
    _ arguments: [String], input: String = "", home: String? = nil, killedAt: String? = nil
  ) throws -> Outcome {
    let process = Process()
    process.executableURL = Self.executable
    process.arguments = arguments
    process.currentDirectoryURL = folder
    var environment = ProcessInfo.processInfo.environment
    environment["EVOKE_HOME"] = home ?? self.home.path
    process.environment = environment
    // Files, not pipes, so that nobody has to read while it runs.
    let parts = ["in", "out", "err"].map { self.folder.appendingPathComponent(".\($0)") }
    try Data(input.utf8).write(to: parts[0])
    for part in parts.dropFirst() { try Data().write(to: part) }
    process.standardInput = try FileHandle(forReadingFrom: parts[0])
    process.standardOutput = try FileHandle(forWritingTo: parts[1])
    process.standardError = try FileHandle(forWritingTo: parts[2])
    try process.run()
    if let killedAt {
      while process.isRunning {
        let shown = String(decoding: (try? Data(contentsOf: parts[1])) ?? Data(), as: UTF8.self)
        if shown.contains(killedAt) {
          kill(process.processIdentifier, SIGKILL)
          break
        }
        usleep(2000)
      }
    }
    process.waitUntilExit()
    let texts = try parts.dropFirst().map {
      String(decoding: try Data(contentsOf: $0), as: UTF8.self)
    }
    for part in parts { try FileManager.default.removeItem(at: part) }
    return Outcome(
      status: process.terminationStatus,
      wasKilled: process.terminationReason == .uncaughtSignal, output: texts[0], errors: texts[1])
  }
}
