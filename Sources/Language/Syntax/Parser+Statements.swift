import Tensors

extension Parser {
  mutating func script() -> [StatementSyntax] {
    var statements: [StatementSyntax] = []
    while true {
      skipSeparators()
      if tokens[position].kind == .end { return statements }
      if at(.closeBrace) {
        errors.append(error("this `}` closes nothing", token.span))
        take()
        continue
      }
      statement(into: &statements)
    }
  }

  private mutating func skipSeparators() {
    while tokens[position].kind == .newline || tokens[position].kind == .symbol(.semicolon) {
      position += 1
    }
  }

  /// Reads one statement and what ends it; on an error, moves behind it.
  private mutating func statement(into statements: inout [StatementSyntax]) {
    let start = position
    do {
      let (kind, span) = try statementKind()
      let isSilenced = at(.semicolon)
      statements.append(StatementSyntax(kind: kind, span: span, isSilenced: isSilenced))
      if !isSilenced { try expectStatementEnd() }
    } catch let error as SyntaxError {
      errors.append(error)
      // At the end of the text everything that is still open would only repeat the complaint.
      if error.atEnd { position = tokens.count - 1 }
      recover(from: start)
    } catch {}
  }

  private func expectStatementEnd() throws {
    switch token.kind {
    case .newline, .end, .symbol(.closeBrace): return
    case .symbol(.assign):
      throw error(
        "only a name can stand before `=`", hint: "values never change: bind a new one to a name",
        token.span)
    case .symbol(.colon):
      throw unexpected("the end of the statement", hint: "write `name = value` to bind a name")
    default:
      throw unexpected("the end of the statement", hint: "statements end at the line's end or `;`")
    }
  }

  private mutating func statementKind() throws -> (StatementSyntax.Kind, Span) {
    let first = token
    let kind: StatementSyntax.Kind
    switch first.kind {
    case .keyword(.for): kind = try forStatement()
    case .keyword(.while):
      take()
      let condition = try expression()
      kind = .whileLoop(condition, try loopBody())
    case .keyword(.if): kind = try ifStatement()
    case .keyword(.else):
      throw error("`else` has no `if` in front of it", first.span)
    case .keyword(.func):
      if case .name = tokenAfter.kind {
        kind = .function(try function())
      } else {
        kind = .expression(try expression())
      }
    case .keyword(.return):
      take()
      guard functionDepth > 0 else {
        throw error("`return` stands outside any function", first.span)
      }
      switch token.kind {
      case .newline, .end, .symbol(.semicolon), .symbol(.closeBrace): kind = .returnValue(nil)
      default: kind = .returnValue(try expression())
      }
    case .keyword(.break), .keyword(.continue):
      take()
      guard loopDepth > 0 else {
        throw error("`\(source.text(first.span))` stands outside any loop", first.span)
      }
      kind = first.kind == .keyword(.break) ? .breakLoop : .continueLoop
    case .name(let name):
      kind = try assignment(to: name, first.span) ?? .expression(try expression())
    default: kind = .expression(try expression())
    }
    return (kind, Span(first.span.start, lastEnd))
  }

  private mutating func assignment(to name: String, _ span: Span) throws -> StatementSyntax.Kind? {
    guard case .symbol(let symbol) = tokenAfter.kind else { return nil }
    let update: BinaryOperator?
    switch symbol {
    case .assign: update = nil
    case .addAssign: update = .add
    case .subtractAssign: update = .subtract
    case .multiplyAssign: update = .multiply
    case .divideAssign: update = .divide
    default: return nil
    }
    take()
    take()
    return .assign(name, span, update, try expression())
  }

  private mutating func forStatement() throws -> StatementSyntax.Kind {
    take()
    guard case .name(let name) = token.kind else {
      throw unexpected("a name behind `for`", hint: "for x in list { … }")
    }
    let span = take().span
    guard take(.in) else { throw unexpected("`in`", hint: "for \(name) in list { … }") }
    let sequence = try expression()
    return .forIn(name, span, sequence, try loopBody())
  }

  private mutating func ifStatement() throws -> StatementSyntax.Kind {
    var branches: [StatementSyntax.Branch] = []
    while true {
      take()
      let condition = try expression()
      branches.append(.init(condition: condition, body: try block()))
      guard takeElse() else { return .ifElse(branches, otherwise: nil) }
      if !at(.if) { return .ifElse(branches, otherwise: try block()) }
    }
  }

  /// Takes `else`, which may stand on the line behind the `}`.
  private mutating func takeElse() -> Bool {
    var ahead = position
    while tokens[ahead].kind == .newline { ahead += 1 }
    guard tokens[ahead].kind == .keyword(.else) else { return false }
    position = ahead + 1
    return true
  }

  private mutating func loopBody() throws -> [StatementSyntax] {
    loopDepth += 1
    defer { loopDepth -= 1 }
    return try block()
  }

  /// `{ statements }`.
  mutating func block() throws -> [StatementSyntax] {
    try nested { parser in
      try parser.ignoringNewlines(false) { parser in
        parser.skipNewlines()
        try parser.expect(.openBrace, "to begin the block")
        var statements: [StatementSyntax] = []
        while true {
          parser.skipSeparators()
          if parser.take(.closeBrace) { return statements }
          if parser.token.kind == .end {
            throw parser.unexpected("`}` to end the block")
          }
          parser.statement(into: &statements)
        }
      }
    }
  }

  /// `func name(a, b = 1, label: 2, required:) { … }`, or without a name as an expression.
  mutating func function() throws -> FunctionSyntax {
    let keyword = take()
    var name: String?
    var nameSpan = keyword.span
    if case .name(let text) = token.kind {
      name = text
      nameSpan = take().span
    }
    try expect(.openParenthesis, "to begin the parameters")
    let parameters = try ignoringNewlines(true) { try $0.parameters() }
    let outerLoops = loopDepth
    loopDepth = 0
    functionDepth += 1
    defer {
      loopDepth = outerLoops
      functionDepth -= 1
    }
    return FunctionSyntax(
      name: name, nameSpan: nameSpan, parameters: parameters, body: try block())
  }

  private mutating func parameters() throws -> [FunctionSyntax.Parameter] {
    var parameters: [FunctionSyntax.Parameter] = []
    var names: Set<String> = []
    while !take(.closeParenthesis) {
      guard case .name(let name) = token.kind else { throw unexpected("a parameter's name") }
      let span = take().span
      if !names.insert(name).inserted {
        throw error("there are two parameters `\(name)`", span)
      }
      var isLabelled = false
      var defaultValue: Expression?
      if take(.colon) {
        isLabelled = true
        if !at(.comma), !at(.closeParenthesis) { defaultValue = try expression() }
      } else if take(.assign) {
        defaultValue = try expression()
      }
      if let last = parameters.last, !isLabelled {
        if last.isLabelled {
          throw error("`\(name)` must stand before the labelled parameters", span)
        }
        if last.defaultValue != nil, defaultValue == nil {
          throw error("`\(name)` must stand before the parameters with defaults", span)
        }
      }
      parameters.append(
        .init(name: name, span: span, isLabelled: isLabelled, defaultValue: defaultValue))
      if !at(.closeParenthesis) { try expect(.comma, "between parameters") }
    }
    return parameters
  }
}
