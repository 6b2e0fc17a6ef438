import Language

/// A script, a recorded session, or a notebook: the text, what of it runs, and what it recorded.
///
/// In a script, outputs are `#>` lines behind the statements. In Markdown, statements stand in
/// ` ```evoke ` fences and outputs in an ` ```output ` fence behind each.
public struct SessionDocument: Sendable {
  public enum Kind: Sendable { case script, markdown }

  /// What errors call the document.
  public let name: String
  public let text: String
  public let kind: Kind
  /// Nil if nothing was recorded yet.
  public let header: SessionHeader?
  /// What runs: the text with everything else blanked out, line for line.
  public let source: String
  let lines: [String]
  /// The recorded lines by the line, from 1, behind which they stand.
  let recorded: [Int: [String]]
  /// The lines, from 1, that a recording writes anew.
  let generated: Set<Int>
  /// In Markdown: the line of the closing fence by the lines of the code in it.
  let fenceEnds: [(code: ClosedRange<Int>, end: Int)]

  /// A document; Markdown if its name ends in `.md` or `.markdown`.
  public init(_ text: String, name: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.last == "\r" ? String(line.dropLast()) : String(line)
    }
    let isMarkdown = [".md", ".markdown"].contains { name.lowercased().hasSuffix($0) }
    var reader = DocumentReader(lines)
    if isMarkdown { reader.readMarkdown() } else { reader.readScript() }
    self.name = name
    self.text = text
    self.lines = lines
    kind = isMarkdown ? .markdown : .script
    header = SessionHeader(lines: reader.headerLines)
    source = reader.source.joined(separator: "\n")
    recorded = reader.recorded
    generated = reader.generated
    fenceEnds = reader.fenceEnds
  }

  /// Whether the document carries recorded outputs.
  public var isRecorded: Bool { header != nil || !recorded.isEmpty }

  /// The line behind which a statement's outputs stand, for each of `statements` in order.
  func anchors(_ statements: [ClosedRange<Int>]) -> [Int] {
    if kind == .markdown {
      return statements.map { lines in
        fenceEnds.first { $0.code.contains(lines.upperBound) }?.end ?? lines.upperBound
      }
    }
    // Statements that share a line share the place of their outputs.
    var anchors = statements.map(\.upperBound)
    for index in anchors.indices.dropLast().reversed()
    where statements[index + 1].lowerBound <= statements[index].upperBound {
      anchors[index] = anchors[index + 1]
    }
    return anchors
  }
}

/// Takes a document apart.
private struct DocumentReader {
  let lines: [String]
  var source: [String]
  var headerLines: [String] = []
  var recorded: [Int: [String]] = [:]
  var generated: Set<Int> = []
  var fenceEnds: [(code: ClosedRange<Int>, end: Int)] = []

  init(_ lines: [String]) {
    self.lines = lines
    source = lines
  }

  mutating func readScript() {
    var anchor = 0
    var inHeader = true
    for (index, line) in lines.enumerated() {
      let number = index + 1
      if inHeader, line.hasPrefix("#!") {
        headerLines.append(line.dropFirst(2).trimmed())
        generated.insert(number)
      } else if line.hasPrefix("#>") {
        generated.insert(number)
        let text = line.dropFirst(2)
        recorded[anchor, default: []].append(content(text.first == " " ? text.dropFirst() : text))
      } else {
        let trimmed = line.trimmed()
        if !trimmed.isEmpty, !trimmed.hasPrefix("#") {
          anchor = number
          inHeader = false
        }
      }
    }
  }

  mutating func readMarkdown() {
    enum Fence {
      case none
      case code(Int)
      case output, other
    }
    var fence = Fence.none
    var anchor = 0
    for (index, line) in lines.enumerated() {
      let number = index + 1
      let trimmed = line.trimmed()
      var isCode = false
      switch fence {
      case .none:
        if trimmed.hasPrefix("<!-- #!"), trimmed.hasSuffix("-->") {
          headerLines.append(trimmed.dropFirst(7).dropLast(3).trimmed())
          generated.insert(number)
        } else if trimmed == "```evoke" || trimmed.hasPrefix("```evoke ") {
          fence = .code(number)
        } else if trimmed == "```output", anchor > 0 {
          fence = .output
          generated.insert(number)
        } else if trimmed.hasPrefix("```") {
          fence = .other
        } else if !trimmed.isEmpty {
          // Outputs follow their fence with nothing but blank lines between.
          anchor = 0
        }
      case .code(let start):
        if trimmed == "```" {
          fenceEnds.append((code: start...number, end: number))
          anchor = number
          fence = .none
        } else {
          isCode = true
        }
      case .output:
        generated.insert(number)
        if trimmed == "```" {
          fence = .none
          anchor = 0
        } else {
          recorded[anchor, default: []].append(content(line[...]))
        }
      case .other: if trimmed == "```" { fence = .none }
      }
      if !isCode { source[index] = "" }
    }
    // A fence that does not end is no code.
    if case .code(let start) = fence {
      for index in start..<lines.count { source[index] = "" }
    }
  }

  /// A recorded line's text without trailing spaces, which a recording leaves out.
  private func content(_ line: Substring) -> String {
    var text = line
    while text.last == " " || text.last == "\t" { text = text.dropLast() }
    return String(text)
  }
}

extension StringProtocol {
  /// The text without spaces and tabs at its ends.
  func trimmed() -> String {
    var text = self[...]
    while let first = text.first, first == " " || first == "\t" || first == "\r" {
      text = text.dropFirst()
    }
    while let last = text.last, last == " " || last == "\t" || last == "\r" {
      text = text.dropLast()
    }
    return String(text)
  }
}
