/// A `:`-command of the prompt; it belongs to the host and never to a script.
struct Command {
  let name: String
  /// What stands behind the name.
  let rest: String

  /// Reads `:save star.evk`.
  init(_ text: String) {
    let parts = text.dropFirst().split(
      separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
    name = parts.first.map(String.init) ?? ""
    rest = parts.count > 1 ? String(parts[1]).trimmingWhitespace : ""
  }

  /// Every command with what it does, as `:help` lists them.
  static let all: [(name: String, usage: String, help: String)] = [
    ("help", ":help [TOPIC]", "this page, one topic, or one builtin"),
    ("vars", ":vars", "everything bound, with type, shape and digest"),
    ("undo", ":undo", "take the last input back"),
    ("redo", ":redo", "do it again"),
    ("time", ":time [STATEMENT]", "how long the last input, or this one, took"),
    ("save", ":save FILE", "write the session, so that anyone can replay it"),
    ("resume", ":resume [NUMBER]", "go on with the session that was cut off, or with any one"),
    ("seed", ":seed", "the seed of the session"),
    ("quit", ":quit", "leave (Ctrl-D)"),
  ]
}

extension String {
  fileprivate var trimmingWhitespace: String {
    var text = Substring(self)
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
