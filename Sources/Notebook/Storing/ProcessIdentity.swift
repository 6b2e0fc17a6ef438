import Foundation

/// A process, told apart from a later one of the same number.
struct ProcessIdentity: Equatable {
  let number: Int32
  /// When it began, in the kernel's terms; empty where that cannot be known.
  let start: String

  static let own: ProcessIdentity = {
    let number = ProcessInfo.processInfo.processIdentifier
    return ProcessIdentity(number: number, start: start(of: number))
  }()

  /// Whether the process still runs.
  var isAlive: Bool {
    guard kill(number, 0) == 0 || errno == EPERM else { return false }
    return Self.start(of: number) == start
  }

  /// Field 22 of /proc/PID/stat, empty if the process has ended and nobody took notice yet; the
  /// second field, a name in brackets, may hold spaces.
  private static func start(of number: Int32) -> String {
    guard let text = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8),
      let bracket = text.lastIndex(of: ")")
    else { return "" }
    let fields = text[bracket...].split(separator: " ")
    return fields.count > 20 && fields[1] != "Z" ? String(fields[20]) : ""
  }
}
