import Foundation
import Testing

/// The program on a terminal of its own, as a user meets it.
final class Pseudoterminal {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private let controller: Int32
  private let process: pid_t
  private var bytes: [UInt8] = []
  /// How many characters of the text expectations have passed already.
  private var seen = 0

  /// Whether there are any: a container may have the device and no file system for its terminals.
  static var isAvailable: Bool {
    guard let (controller, number) = pair() else { return false }
    defer { close(controller) }
    return access("/dev/pts/\(number)", R_OK | W_OK) == 0
  }

  /// A new terminal's controlling side, and its number below /dev/pts.
  private static func pair() -> (controller: Int32, number: Int32)? {
    let controller = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard controller >= 0 else { return nil }
    var unlocked: Int32 = 0
    var number: Int32 = 0
    // TIOCSPTLCK and TIOCGPTN, which no header that Swift sees has.
    guard ioctl(controller, 0x4004_5431, &unlocked) == 0,
      ioctl(controller, 0x8004_5430, &number) == 0
    else {
      close(controller)
      return nil
    }
    return (controller, number)
  }

  /// Starts evoke in `folder` on a terminal of the given size.
  init(
    _ arguments: [String] = [], folder: URL, home: URL, terminal: String = "xterm-256color",
    columns: Int = 100, rows: Int = 40, environment: [String: String] = [:]
  ) throws {
    guard let (controller, number) = Self.pair() else {
      throw Failure(description: "no pseudoterminal can be had here")
    }
    self.controller = controller
    var size = winsize(
      ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(controller, UInt(TIOCSWINSZ), &size)

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // Opened by the leader of a new session, it becomes that session's terminal.
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/pts/\(number)", O_RDWR, 0)
    posix_spawn_file_actions_adddup2(&actions, 0, 1)
    posix_spawn_file_actions_adddup2(&actions, 0, 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // The tests' threads block signals, which the program would inherit.
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, 0x80 | 0x08)  // POSIX_SPAWN_SETSID, _SETSIGMASK

    var variables = ProcessInfo.processInfo.environment
    for name in ["NO_COLOR", "COLORTERM", "TERM_PROGRAM", "TMUX"] { variables[name] = nil }
    variables.merge(
      ["TERM": terminal, "EVOKE_HOME": home.path, "INPUTRC": "/dev/null", "LC_ALL": "C.UTF-8"]
    ) { $1 }
    variables.merge(environment) { $1 }
    let command = [
      "/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", folder.path, Workplace.executable.path,
    ]
    var argv = (command + arguments).map { strdup($0) } + [nil]
    var envp = variables.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in argv + envp { free(text) } }
    var started: pid_t = 0
    let status = posix_spawn(&started, "/bin/sh", &actions, &attributes, &argv, &envp)
    guard status == 0 else { throw Failure(description: "evoke does not start: \(status)") }
    process = started
  }

  deinit {
    kill(process, SIGKILL)
    var status: Int32 = 0
    waitpid(process, &status, 0)
    close(controller)
  }

  /// Types a text as it is; `\r` is the Enter key.
  func type(_ text: String) {
    let bytes = Array(text.utf8)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { write(controller, $0.baseAddress, $0.count) }
      if count <= 0 { return }
      sent += count
    }
  }

  /// Waits until a text has appeared behind what was expected before, and gives what came up to it.
  ///
  /// - Throws: if it does not come, or the program ends.
  @discardableResult
  func expect(_ text: String) throws -> String {
    let limit = ContinuousClock.now + .seconds(90)
    while true {
      let fresh = String(Self.plain(bytes).dropFirst(seen))
      if let found = fresh.range(of: text) {
        let passed = fresh[..<found.upperBound]
        seen += passed.count
        return String(passed)
      }
      guard read(), ContinuousClock.now < limit else {
        throw Failure(description: "“\(text)” did not come; the screen has\n\(fresh)")
      }
    }
  }

  /// Everything that was shown, escape sequences included.
  var raw: String { String(decoding: bytes, as: UTF8.self) }

  func resize(columns: Int, rows: Int) {
    var size = winsize(
      ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(controller, UInt(TIOCSWINSZ), &size)
  }

  /// Waits for the end of the program and gives its exit status, −1 if a signal ended it.
  func end() -> Int32 {
    while read() {}
    var status: Int32 = 0
    waitpid(process, &status, 0)
    return status & 0x7f == 0 ? (status >> 8) & 0xff : -1
  }

  /// Reads what there is, or waits for more; false at the end.
  private func read() -> Bool {
    var input = pollfd(fd: controller, events: Int16(POLLIN), revents: 0)
    guard poll(&input, 1, 1000) > 0 else { return true }
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = Foundation.read(controller, &buffer, buffer.count)
    guard count > 0 else { return false }
    bytes += buffer[..<count]
    return true
  }

  /// The text without escape sequences and carriage returns.
  private static func plain(_ bytes: [UInt8]) -> String {
    // By scalars: to Swift, "\r\n" is one character. What is cut off at the end is left out.
    let kept = String(decoding: bytes, as: UTF8.self).unicodeScalars.filter { $0 != "\r" }
    return String(String.UnicodeScalarView(kept)).replacing(
      /\u{1b}(\[[0-9;?]*[@-~]|\][^\u{7}]*\u{7}|[=>()][0-9A-B]?|[^a-zA-Z]*$)|\u{7}/, with: "")
  }
}
