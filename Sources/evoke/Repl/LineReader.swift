import CReadline
import Foundation
import Synchronization

/// Where the prompt's lines come from.
protocol LineReader {
  /// The next line, nil at the end of input; a line to be typed begins with `indent` steps.
  mutating func next(prompt: String, indent: Int) -> Line?
  /// Whether more has come already: the user pastes, or a pipe is being read.
  var hasMore: Bool { get }
  /// Remembers an input.
  mutating func remember(_ input: String)
}

/// What came back from the prompt.
enum Line {
  case text(String)
  /// Ctrl-C: the user let go of what was being typed.
  case abandoned
}

/// Lines of standard input when it is a pipe or a file: no prompt, no editing, no history.
struct PipedLines: LineReader {
  let hasMore = true
  mutating func next(prompt: String, indent: Int) -> Line? { Swift.readLine().map(Line.text) }
  mutating func remember(_ input: String) {}
}

/// Lines typed at a terminal, edited with readline, with a history that lasts.
struct TypedLines: LineReader {
  private let historyFile: URL?

  /// - Parameters:
  ///   - historyFile: Where the history is kept; nil for one that ends with the process.
  ///   - complete: The candidates for a line that is being typed.
  init(historyFile: URL?, complete: @escaping Completion.Provider) {
    self.historyFile = historyFile
    Completion.provider.withLock { $0 = complete }
    evoke_readline_set_up("evoke") { _, _, _ in Completion.matches() }
    evoke_readline_give_up_if { Interruption.isWished ? 1 : 0 }
    using_history()
    evoke_readline_keep_lines()
    stifle_history(10_000)
    if let historyFile { read_history(historyFile.path) }
  }

  var hasMore: Bool {
    var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    return poll(&input, 1, 0) > 0
  }

  mutating func next(prompt: String, indent: Int) -> Line? {
    Interruption.clear()
    evoke_readline_indent(hasMore ? 0 : Int32(indent))
    guard let raw = readline(prompt) else { return nil }
    defer { free(raw) }
    if Interruption.isWished {
      Interruption.clear()
      return .abandoned
    }
    return .text(String(cString: raw))
  }

  mutating func remember(_ input: String) {
    let line = input.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !line.isEmpty else { return }
    if let last = evoke_readline_last_entry(),
      String(cString: last) == line
    {
      return
    }
    add_history(line)
    guard let historyFile else { return }
    // Appended, so that two prompts at once keep each other's lines.
    if !FileManager.default.fileExists(atPath: historyFile.path) {
      _ = FileManager.default.createFile(
        atPath: historyFile.path, contents: nil, attributes: [.posixPermissions: 0o600])
    }
    append_history(1, historyFile.path)
  }
}

/// The bridge from readline's completion to ours.
enum Completion {
  /// The text of the line up to the cursor → where the completed word begins (in bytes), and the
  /// candidates for it.
  typealias Provider = @Sendable (_ line: String) -> (candidates: [String], append: Character?)

  static let provider = Mutex<Provider?>(nil)

  /// The matches for readline, as it wants them: malloc'd, the common prefix first, NULL last.
  static func matches() -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? {
    evoke_readline_no_default_completion()
    guard let provider = provider.withLock({ $0 }), let buffer = evoke_readline_buffer() else {
      return nil
    }
    let point = Int(evoke_readline_point())
    let bytes = UnsafeRawBufferPointer(start: buffer, count: point)
    let found = provider(String(decoding: bytes, as: UTF8.self))
    guard let first = found.candidates.first else { return nil }
    evoke_readline_append(found.append.flatMap { CChar($0.asciiValue ?? 0) } ?? 0)
    let common = found.candidates.dropFirst().reduce(first) { $0.commonPrefix(with: $1) }
    let all = found.candidates.count == 1 ? [first] : [common] + found.candidates
    let array = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: all.count + 1)
    for (index, candidate) in all.enumerated() { array[index] = strdup(candidate) }
    array[all.count] = nil
    return array
  }
}
