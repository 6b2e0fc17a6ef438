import Tensors

// What an expression is made of: literals, names, lists, records, functions.
extension Parser {
  mutating func primary() throws -> Expression {
    let first = token
    switch first.kind {
    case .int(let value): return try literal(.int(value))
    case .double(let value): return try literal(.double(value))
    case .string(let segments): return try string(segments)
    case .keyword(.true): return try literal(.bool(true))
    case .keyword(.false): return try literal(.bool(false))
    case .keyword(.none): return try literal(.none)
    case .keyword(.func):
      let outside = deepest
      deepest = 0
      let function = try function()
      let inside = deepest
      deepest = max(inside, outside)
      return try make(
        .function(function), first.span.to(Span(lastEnd, lastEnd)), [], inside: inside)
    case .name(let name):
      take()
      if at(.arrow) { return try arrow([(name, first.span)], from: first.span) }
      return try make(.name(name), first.span)
    case .symbol(.dot):
      take()
      if case .int = token.kind {
        throw error("numbers begin with a digit", hint: "write 0.5 for .5", first.span)
      }
      let (name, span) = try memberName()
      return try make(.member(name), first.span.to(span))
    case .symbol(.openParenthesis): return try parenthesized()
    case .symbol(.openBracket): return try list()
    case .symbol(.openBrace): return try record()
    case .keyword(.if):
      throw error(
        "`if` is a statement", hint: "inside an expression write condition ? a : b", first.span)
    default: throw unexpected("a value")
    }
  }

  private mutating func literal(_ value: Value) throws -> Expression {
    try make(.literal(value), take().span)
  }

  private mutating func string(_ segments: [Token.Segment]) throws -> Expression {
    let span = take().span
    var parts: [Expression.Part] = []
    var inner: [Expression] = []
    for segment in segments {
      switch segment {
      case .text(let text): parts.append(.text(text))
      case .interpolation(let place):
        var parser = Parser(source, span: place)
        parser.nesting = nesting
        parser.ignoresNewlines = true
        let expression = try interpolated(&parser, place)
        parts.append(.expression(expression))
        inner.append(expression)
      }
    }
    if inner.isEmpty {
      let text = parts.map { if case .text(let text) = $0 { text } else { "" } }.joined()
      return try make(.literal(.string(text)), span)
    }
    return try make(.string(parts), span, inner)
  }

  /// The expression between `\(` and `)`.
  private func interpolated(_ parser: inout Parser, _ place: Span) throws -> Expression {
    if let lexical = parser.errors.first { throw lexical }
    if parser.token.kind == .end {
      throw error("there is nothing between `\\(` and `)`", Span(place.start - 2, place.end + 1))
    }
    do {
      let expression = try parser.expression()
      guard parser.token.kind == .end else { throw parser.unexpected("`)`") }
      return expression
    } catch var error as SyntaxError {
      // The string itself has ended: more input would not help.
      error.atEnd = false
      throw error
    }
  }

  private mutating func parenthesized() throws -> Expression {
    if let parameters = arrowParameters() {
      let start = token.span
      while !at(.arrow) { take() }
      return try arrow(parameters, from: start)
    }
    let open = take().span
    return try ignoringNewlines(true) { parser in
      let inner = try parser.expression()
      if parser.at(.comma) {
        throw parser.error(
          "there are no tuples", hint: "a list is [a, b], a record {a: 1, b: 2}",
          parser.token.span)
      }
      let close = try parser.expect(.closeParenthesis, "to match `(`").span
      return Expression(kind: inner.kind, span: open.to(close), depth: inner.depth)
    }
  }

  /// The names in `(a, b) =>` if that is what stands here.
  private func arrowParameters() -> [(String, Span)]? {
    var ahead = position
    func skip() { while tokens[ahead].kind == .newline { ahead += 1 } }
    skip()
    ahead += 1
    var names: [(String, Span)] = []
    skip()
    while tokens[ahead].kind != .symbol(.closeParenthesis) {
      guard case .name(let name) = tokens[ahead].kind else { return nil }
      names.append((name, tokens[ahead].span))
      ahead += 1
      skip()
      if tokens[ahead].kind == .symbol(.comma) {
        ahead += 1
        skip()
      } else if tokens[ahead].kind != .symbol(.closeParenthesis) {
        return nil
      }
    }
    guard ahead + 1 < tokens.count, tokens[ahead + 1].kind == .symbol(.arrow) else { return nil }
    return names
  }

  private mutating func arrow(_ names: [(String, Span)], from start: Span) throws -> Expression {
    take()
    skipNewlines()
    var seen: Set<String> = []
    for name in names where !seen.insert(name.0).inserted {
      throw error("there are two parameters `\(name.0)`", name.1)
    }
    let body = try expression()
    let statement = StatementSyntax(
      kind: .returnValue(body), span: body.span, isSilenced: false)
    let function = FunctionSyntax(
      name: nil, nameSpan: start,
      parameters: names.map {
        .init(name: $0.0, span: $0.1, isLabelled: false, defaultValue: nil)
      },
      body: [statement])
    return try make(.function(function), start.to(body.span), body)
  }

  private mutating func list() throws -> Expression {
    let open = take().span
    return try ignoringNewlines(true) { parser in
      var elements: [Expression] = []
      while !parser.take(.closeBracket) {
        elements.append(try parser.expression())
        if !parser.at(.closeBracket) { try parser.expect(.comma, "or `]`") }
      }
      return try parser.make(
        .list(elements), open.to(Span(parser.lastEnd, parser.lastEnd)), elements)
    }
  }

  private mutating func record() throws -> Expression {
    let open = take().span
    return try ignoringNewlines(true) { parser in
      var fields: [Expression.Field] = []
      while !parser.take(.closeBrace) {
        let key: Expression
        switch parser.token.kind {
        case .name(let name): key = try parser.literal(.string(name))
        case .keyword(let keyword): key = try parser.literal(.string(keyword.rawValue))
        case .string(let segments): key = try parser.string(segments)
        default:
          throw parser.unexpected("a key", hint: "a record is {name: value, \"any key\": value}")
        }
        try parser.expect(.colon, "behind the key")
        fields.append(.init(key: key, value: try parser.expression()))
        if !parser.at(.closeBrace) { try parser.expect(.comma, "or `}`") }
      }
      return try parser.make(
        .record(fields), open.to(Span(parser.lastEnd, parser.lastEnd)),
        fields.flatMap { [$0.key, $0.value] })
    }
  }
}
