/// Whether a text can be run as it is, or more has to be typed.
public enum Completeness: Sendable, Equatable {
  case complete
  /// More input is needed; the next line would be indented by so many steps.
  case incomplete(indent: Int)
  /// More input would not help.
  case invalid

  /// Judges `source` by parsing it.
  public static func of(_ source: String) -> Completeness {
    let text = SourceText(source, name: "")
    let (_, errors) = Parser.parse(text)
    guard let first = errors.first else { return .complete }
    guard errors.contains(where: \.atEnd), first.atEnd else { return .invalid }
    var indent = 0
    for token in Lexer.run(text).tokens {
      switch token.kind {
      case .symbol(.openBrace), .symbol(.openParenthesis), .symbol(.openBracket): indent += 1
      case .symbol(.closeBrace), .symbol(.closeParenthesis), .symbol(.closeBracket): indent -= 1
      default: break
      }
    }
    return .incomplete(indent: max(0, indent))
  }
}
