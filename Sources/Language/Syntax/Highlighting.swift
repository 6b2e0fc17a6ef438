/// A script cut into parts to be shown in colour, at the prompt or on a page.
public enum Highlighting {
  public enum Kind: String, Sendable, Equatable {
    case plain, comment, keyword, number, string, label, member, name, symbol
  }

  /// A stretch of the text.
  public struct Part: Sendable, Equatable {
    public let text: String
    public let kind: Kind

    public init(_ text: String, _ kind: Kind) {
      self.text = text
      self.kind = kind
    }
  }

  /// The parts of a text, which together are the text; it need not be a correct script.
  public static func parts(of source: String) -> [Part] {
    let text = SourceText(source, name: "")
    let tokens = Lexer.run(text).tokens.filter { $0.kind != .newline && $0.kind != .end }
    var parts: [Part] = []
    var offset = 0
    for (index, token) in tokens.enumerated() {
      parts += gap(text.text(Span(offset, token.span.start)))
      let before = index > 0 ? tokens[index - 1].kind : .end
      let after = index + 1 < tokens.count ? tokens[index + 1].kind : .end
      parts.append(Part(text.text(token.span), kind(token.kind, before, after)))
      offset = token.span.end
    }
    return parts + gap(text.text(Span(offset, text.bytes.count)))
  }

  /// White space, comments, and what the lexer did not understand.
  private static func gap(_ text: String) -> [Part] {
    var parts: [Part] = []
    var rest = text[...]
    while !rest.isEmpty {
      let start = rest.firstIndex(of: "#") ?? rest.endIndex
      if start > rest.startIndex { parts.append(Part(String(rest[..<start]), .plain)) }
      rest = rest[start...]
      let end = rest.firstIndex { $0.isNewline } ?? rest.endIndex
      if end > rest.startIndex { parts.append(Part(String(rest[..<end]), .comment)) }
      rest = rest[end...]
    }
    return parts
  }

  private static func kind(
    _ token: Token.Kind, _ before: Token.Kind, _ after: Token.Kind
  ) -> Kind {
    switch token {
    case .int, .double: return .number
    case .string: return .string
    case .keyword(let keyword):
      return after == .symbol(.colon) && !keyword.isValue ? .label : .keyword
    case .name:
      if before == .symbol(.dot) { return .member }
      return after == .symbol(.colon) ? .label : .name
    case .symbol: return .symbol
    case .newline, .end: return .plain
    }
  }
}

extension Keyword {
  fileprivate var isValue: Bool { self == .true || self == .false || self == .none }
}
