/// One lexical element with its place.
struct Token: Sendable {
  enum Kind: Sendable, Equatable {
    case int(Int)
    case double(Double)
    case string([Segment])
    case name(String)
    case keyword(Keyword)
    case symbol(Symbol)
    case newline
    case end
  }

  /// A stretch of a string literal.
  enum Segment: Sendable, Equatable {
    case text(String)
    /// The expression between `\(` and `)`.
    case interpolation(Span)
  }

  let kind: Kind
  let span: Span
  /// Whether white space or the start of a line precedes it.
  let isSpaced: Bool
}

enum Keyword: String, Sendable, CaseIterable {
  case `for`, `in`, `if`, `else`, `while`, `func`, `return`, `break`, `continue`
  case `true`, `false`, none, and, or, not
}

/// Operators and brackets, the longest first where one begins with another.
enum Symbol: String, Sendable, CaseIterable {
  case halfOpen = "..<"
  case closed = "..."
  case arrow = "=>"
  case equal = "=="
  case notEqual = "!="
  case lessEqual = "<="
  case greaterEqual = ">="
  case addAssign = "+="
  case subtractAssign = "-="
  case multiplyAssign = "*="
  case divideAssign = "/="
  case floorDivide = "//"
  case assign = "="
  case less = "<"
  case greater = ">"
  case plus = "+"
  case minus = "-"
  case times = "*"
  case divide = "/"
  case modulo = "%"
  case matrixTimes = "@"
  case power = "^"
  case dot = "."
  case comma = ","
  case colon = ":"
  case semicolon = ";"
  case question = "?"
  case openParenthesis = "("
  case closeParenthesis = ")"
  case openBracket = "["
  case closeBracket = "]"
  case openBrace = "{"
  case closeBrace = "}"

  /// All symbols as bytes, longest first.
  static let bySize: [(bytes: [UInt8], symbol: Symbol)] =
    allCases.map { (Array($0.rawValue.utf8), $0) }
    .enumerated()
    .sorted { ($0.element.0.count, -$0.offset) > ($1.element.0.count, -$1.offset) }
    .map { (bytes: $0.element.0, symbol: $0.element.1) }
}
