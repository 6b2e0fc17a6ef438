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

  /// What `:help keys` says.
  static let keys = """
      Tab        completes names, labels, members, commands, files, and words inside prompts
      Up, Ctrl-R the history, which outlives the session; Ctrl-R searches it
      Ctrl-C     lets go of a line; stops what runs at its next safe point and keeps what it has
      Ctrl-D     leaves
      ;          behind a statement: its line is not shown
      ans        the last value
      ?name      a builtin, or what a name is bound to
      An input goes on until it is complete; two empty lines end it. Of a pasted transcript only the
      inputs run.
    """
}

extension String {
  fileprivate var trimmingWhitespace: String {
    var text = Substring(self)
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
