import Tensors

/// An error with its place: what is wrong, where, what was expected and what to try.
public struct Diagnostic: Error, Sendable, Equatable {
  public let error: EvokeError
  /// The script's name as the user gave it.
  public let file: String
  /// From 1.
  public let line: Int
  /// From 1, in characters.
  public let column: Int
  /// The number of characters to underline within the line, at least 1.
  public let length: Int
  /// The source line, without its newline.
  public let sourceLine: String
  /// The calls that led there, the innermost first: `a.evk:4: f(0)`.
  public let trail: [String]

  public init(
    _ error: EvokeError, file: String, line: Int, column: Int, length: Int, sourceLine: String,
    trail: [String] = []
  ) {
    self.error = error
    self.file = file
    self.line = line
    self.column = column
    self.length = length
    self.sourceLine = sourceLine
    self.trail = trail
  }

  /// The diagnostic as text:
  /// ```
  /// quickstart.evk:5:10: error: there is no name `atend`
  ///   start  = atend(m, photos)
  ///            ^~~~~
  ///   did you mean `attend`?
  /// ```
  public func rendered(color: Bool = false) -> String {
    let (bold, red, dim, off) =
      color ? ("\u{1b}[1m", "\u{1b}[1;31m", "\u{1b}[2m", "\u{1b}[0m") : ("", "", "", "")
    let word = error.kind == .interrupted ? "interrupted" : "error"
    var text = "\(bold)\(file):\(line):\(column):\(off) \(red)\(word):\(off) \(error.message)"
    if !sourceLine.isEmpty, column <= sourceLine.count + 1 {
      // A tab in front of the mark stays a tab, so that the mark stands below its column.
      let lead = String(sourceLine.prefix(column - 1).map { $0 == "\t" ? "\t" : " " })
      let mark = "^" + String(repeating: "~", count: max(0, length - 1))
      text += "\n  \(dim)\(sourceLine)\(off)\n  \(lead)\(red)\(mark)\(off)"
    }
    if let hint = error.hint { text += "\n  \(hint)" }
    for call in trail { text += "\n  \(dim)called from \(call)\(off)" }
    return text
  }
}

/// All errors that were found in a script before anything ran.
public struct Diagnostics: Error, Sendable, Equatable {
  public let all: [Diagnostic]

  public init(_ all: [Diagnostic]) { self.all = all }

  public func rendered(color: Bool = false) -> String {
    all.map { $0.rendered(color: color) }.joined(separator: "\n")
  }
}
