import Tensors

extension Parser {
  mutating func expression() throws -> Expression {
    try nested { try $0.conditional() }
  }

  mutating func make(_ kind: Expression.Kind, _ span: Span, _ parts: Expression...) throws
    -> Expression
  {
    try make(kind, span, parts)
  }

  mutating func make(
    _ kind: Expression.Kind, _ span: Span, _ parts: [Expression], inside: Int = 0
  ) throws -> Expression {
    let depth = 1 + max(inside, parts.map(\.depth).max() ?? 0)
    deepest = max(deepest, depth)
    guard depth <= Parser.chainLimit else {
      throw error("this expression is nested too deeply", hint: "give parts of it names", span)
    }
    return Expression(kind: kind, span: span, depth: depth)
  }

  // MARK: - Operators, the loosest first

  private mutating func conditional() throws -> Expression {
    let condition = try disjunction()
    guard at(.question) else { return condition }
    take()
    return try nested { parser in
      parser.skipNewlines()
      let first = try parser.conditional()
      try parser.expect(.colon, "between the two values of `? :`")
      parser.skipNewlines()
      let second = try parser.conditional()
      return try parser.make(
        .conditional(condition, first, second), condition.span.to(second.span), condition, first,
        second)
    }
  }

  private mutating func disjunction() throws -> Expression {
    var left = try conjunction()
    while take(.or) {
      skipNewlines()
      let right = try conjunction()
      left = try make(
        .logical(isAnd: false, left, right), left.span.to(right.span), left, right)
    }
    return left
  }

  private mutating func conjunction() throws -> Expression {
    var left = try negation()
    while take(.and) {
      skipNewlines()
      let right = try negation()
      left = try make(.logical(isAnd: true, left, right), left.span.to(right.span), left, right)
    }
    return left
  }

  private mutating func negation() throws -> Expression {
    guard at(.not) else { return try comparison() }
    let start = take().span
    let operand = try nested { try $0.negation() }
    return try make(.unary(.not, operand), start.to(operand.span), operand)
  }

  private static let comparisons: [Symbol: BinaryOperator] = [
    .equal: .equal, .notEqual: .notEqual, .less: .less, .lessEqual: .lessEqual,
    .greater: .greater, .greaterEqual: .greaterEqual,
  ]

  private mutating func comparison() throws -> Expression {
    let left = try range()
    guard let operation = try comparisonOperator() else { return left }
    skipNewlines()
    let right = try range()
    let result = try make(
      .binary(operation.0, operation.1, left, right), left.span.to(right.span), left, right)
    if let next = try comparisonOperator() {
      throw error(
        "comparisons do not chain", hint: "join them: a < b and b < c", next.1)
    }
    return result
  }

  private mutating func comparisonOperator() throws -> (BinaryOperator, Span)? {
    if case .symbol(let symbol) = token.kind, let operation = Self.comparisons[symbol] {
      return (operation, take().span)
    }
    if at(.in) { return (.contains, take().span) }
    if at(.not), tokenAfter.kind == .keyword(.in) {
      let start = take().span
      return (.lacks, start.to(take().span))
    }
    return nil
  }

  private mutating func range() throws -> Expression {
    let lower = try sum()
    guard at(.halfOpen) || at(.closed) else { return lower }
    // `t[2...]` leaves the upper end out.
    if tokenAfter.kind == .symbol(.closeBracket) || tokenAfter.kind == .symbol(.comma) {
      return lower
    }
    let isClosed = take().kind == .symbol(.closed)
    skipNewlines()
    let upper = try sum()
    return try make(
      .range(lower, upper, isClosed: isClosed), lower.span.to(upper.span), lower, upper)
  }

  private static let sums: [Symbol: BinaryOperator] = [.plus: .add, .minus: .subtract]
  private static let products: [Symbol: BinaryOperator] = [
    .times: .multiply, .divide: .divide, .floorDivide: .floorDivide, .modulo: .modulo,
    .matrixTimes: .matrixMultiply,
  ]

  private mutating func sum() throws -> Expression {
    var left = try product()
    while case .symbol(let symbol) = token.kind, let operation = Self.sums[symbol] {
      let place = take().span
      skipNewlines()
      let right = try product()
      left = try make(
        .binary(operation, place, left, right), left.span.to(right.span), left, right)
    }
    return left
  }

  private mutating func product() throws -> Expression {
    var left = try signed()
    while case .symbol(let symbol) = token.kind, let operation = Self.products[symbol] {
      let place = take().span
      skipNewlines()
      let right = try signed()
      left = try make(
        .binary(operation, place, left, right), left.span.to(right.span), left, right)
    }
    return left
  }

  private mutating func signed() throws -> Expression {
    guard at(.minus) || at(.plus) else { return try power() }
    let sign = take()
    let operand = try nested { try $0.signed() }
    let operation: UnaryOperator = sign.kind == .symbol(.minus) ? .minus : .plus
    return try make(.unary(operation, operand), sign.span.to(operand.span), operand)
  }

  private mutating func power() throws -> Expression {
    let base = try postfix()
    guard at(.power) else { return base }
    let place = take().span
    skipNewlines()
    let exponent = try nested { try $0.signed() }
    return try make(
      .binary(.power, place, base, exponent), base.span.to(exponent.span), base, exponent)
  }

  // MARK: - Calls, members, subscripts

  private mutating func postfix() throws -> Expression {
    var value = try primary()
    while true {
      if at(.openParenthesis), !token.isSpaced {
        let arguments = try arguments()
        value = try make(
          .call(value, arguments), value.span.to(Span(lastEnd, lastEnd)),
          [value] + arguments.map(\.value))
      } else if at(.openBracket), !token.isSpaced {
        value = try subscripted(value)
      } else if continuesWithMember() {
        value = try member(of: value)
      } else {
        return value
      }
    }
  }

  /// Whether `.name` follows, on this line or at the start of the next.
  private mutating func continuesWithMember() -> Bool {
    var ahead = position
    while tokens[ahead].kind == .newline { ahead += 1 }
    guard tokens[ahead].kind == .symbol(.dot), ahead + 1 < tokens.count else { return false }
    if ahead == position, tokens[ahead].isSpaced, !ignoresNewlines {
      return false
    }
    position = ahead
    return true
  }

  private mutating func member(of value: Expression) throws -> Expression {
    take()
    let (name, span) = try memberName()
    if at(.openParenthesis), !token.isSpaced {
      let arguments = try arguments()
      return try make(
        .method(value, name, span, arguments), value.span.to(Span(lastEnd, lastEnd)),
        [value] + arguments.map(\.value))
    }
    return try make(.property(value, name, span), value.span.to(span), value)
  }

  /// The name behind a dot; a keyword may stand there too.
  mutating func memberName() throws -> (String, Span) {
    switch token.kind {
    case .name(let name) where !token.isSpaced: return (name, take().span)
    case .keyword(let keyword) where !token.isSpaced: return (keyword.rawValue, take().span)
    default: throw unexpected("a name behind the dot")
    }
  }

  private mutating func arguments() throws -> [Expression.Argument] {
    take()
    return try ignoringNewlines(true) { parser in
      var arguments: [Expression.Argument] = []
      while !parser.take(.closeParenthesis) {
        arguments.append(try parser.argument())
        if !parser.at(.closeParenthesis) {
          guard parser.take(.comma) else {
            throw parser.unexpected(
              "`,` or `)`",
              hint: parser.at(.assign) ? "labels are written `name: value`" : nil)
          }
        }
      }
      return arguments
    }
  }

  private mutating func argument() throws -> Expression.Argument {
    let first = token
    if tokenAfter.kind == .symbol(.colon) {
      var label: String?
      if case .name(let name) = first.kind { label = name }
      if case .keyword(let keyword) = first.kind { label = keyword.rawValue }
      if let label {
        take()
        take()
        return .init(label: label, labelSpan: first.span, value: try expression())
      }
    }
    return .init(label: nil, labelSpan: first.span, value: try expression())
  }

  private mutating func subscripted(_ value: Expression) throws -> Expression {
    let open = take().span
    let indices = try ignoringNewlines(true) { parser in
      var indices: [Expression.Index] = []
      while !parser.take(.closeBracket) {
        indices.append(try parser.index())
        if !parser.at(.closeBracket) { try parser.expect(.comma, "or `]`") }
      }
      return indices
    }
    let span = value.span.to(Span(lastEnd, lastEnd))
    if indices.isEmpty { throw error("the subscript is empty", open) }
    var parts = [value]
    for index in indices {
      switch index {
      case .element(let expression): parts.append(expression)
      case .slice(let lower, let upper, _, _):
        if let lower { parts.append(lower) }
        if let upper { parts.append(upper) }
      }
    }
    return try make(.subscripted(value, indices), span, parts)
  }

  private mutating func index() throws -> Expression.Index {
    func endsHere(_ parser: Parser) -> Bool {
      parser.at(.comma) || parser.at(.closeBracket)
    }
    let start = token.span
    if at(.halfOpen) || at(.closed) {
      let isClosed = take().kind == .symbol(.closed)
      let upper = endsHere(self) ? nil : try nested { try $0.sum() }
      return .slice(
        lower: nil, upper: upper, isClosed: isClosed && upper != nil, Span(start.start, lastEnd))
    }
    let first = try expression()
    if at(.halfOpen) || at(.closed) {
      take()
      return .slice(lower: first, upper: nil, isClosed: false, Span(start.start, lastEnd))
    }
    if case .range(let lower, let upper, let isClosed) = first.kind {
      return .slice(lower: lower, upper: upper, isClosed: isClosed, first.span)
    }
    return .element(first)
  }
}
