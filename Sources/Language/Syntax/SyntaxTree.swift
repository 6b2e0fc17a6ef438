/// An expression as written.
struct Expression: Sendable {
  indirect enum Kind: Sendable {
    case literal(Value)
    /// A string with interpolations.
    case string([Part])
    case list([Expression])
    case record([Field])
    case name(String)
    case member(String)
    case unary(UnaryOperator, Expression)
    case binary(BinaryOperator, Span, Expression, Expression)
    case logical(isAnd: Bool, Expression, Expression)
    case conditional(Expression, Expression, Expression)
    case range(Expression, Expression, isClosed: Bool)
    case call(Expression, [Argument])
    case method(Expression, String, Span, [Argument])
    case property(Expression, String, Span)
    case subscripted(Expression, [Index])
    case function(FunctionSyntax)
  }

  enum Part: Sendable {
    case text(String)
    case expression(Expression)
  }

  struct Field: Sendable {
    let key: Expression
    let value: Expression
  }

  /// An argument of a call.
  struct Argument: Sendable {
    let label: String?
    let labelSpan: Span
    let value: Expression
  }

  /// What stands between commas in a subscript.
  enum Index: Sendable {
    case element(Expression)
    /// A range with its ends, each of which may be left out.
    case slice(lower: Expression?, upper: Expression?, isClosed: Bool, Span)
  }

  let kind: Kind
  let span: Span
  /// How deeply expressions are nested in this one.
  let depth: Int
}

enum UnaryOperator: String, Sendable {
  case minus = "-"
  case plus = "+"
  case not = "not"
}

enum BinaryOperator: String, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case floorDivide = "//"
  case modulo = "%"
  case matrixMultiply = "@"
  case power = "^"
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessEqual = "<="
  case greater = ">"
  case greaterEqual = ">="
  case contains = "in"
  case lacks = "not in"
}

/// A function as written; a `=>` function's body is one `return`.
final class FunctionSyntax: Sendable {
  struct Parameter: Sendable {
    let name: String
    let span: Span
    let isLabelled: Bool
    let defaultValue: Expression?
  }
  let name: String?
  let nameSpan: Span
  let parameters: [Parameter]
  let body: [StatementSyntax]

  init(name: String?, nameSpan: Span, parameters: [Parameter], body: [StatementSyntax]) {
    self.name = name
    self.nameSpan = nameSpan
    self.parameters = parameters
    self.body = body
  }
}

/// A statement as written.
struct StatementSyntax: Sendable {
  indirect enum Kind: Sendable {
    case assign(String, Span, BinaryOperator?, Expression)
    case expression(Expression)
    case forIn(String, Span, Expression, [StatementSyntax])
    case whileLoop(Expression, [StatementSyntax])
    case ifElse([Branch], otherwise: [StatementSyntax]?)
    case function(FunctionSyntax)
    case returnValue(Expression?)
    case breakLoop
    case continueLoop
  }

  struct Branch: Sendable {
    let condition: Expression
    let body: [StatementSyntax]
  }

  let kind: Kind
  let span: Span
  /// Whether a `;` follows, which silences the echo.
  let isSilenced: Bool
}
