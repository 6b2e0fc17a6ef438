import Tensors

extension Checker {
  mutating func topLevel(_ statement: StatementSyntax) -> CheckedStatement {
    scope = FunctionScope(parent: nil, isMain: true)
    let changes = assignedNames([statement]).map { globals.slot($0.0) } + [globals.slot("ans")]
    let kind: CheckedStatement.Kind
    switch statement.kind {
    case .assign(let name, let span, let update, let expression):
      let (node, type) = assigned(name, span, update, expression)
      bound.insert(name)
      types[name] = untyped.contains(name) ? nil : type
      functions[name] = (node as? ClosureNode)?.code
      kind = .assign(name, slot: globals.slot(name), node)
    case .expression(let expression):
      var bare: String?
      if case .name(let name) = expression.kind { bare = name }
      kind = .expression(self.expression(expression), name: bare)
    default: kind = .block(self.statement(statement))
    }
    return CheckedStatement(
      kind: kind, span: statement.span, isSilenced: statement.isSilenced, changes: changes,
      frameSize: scope.frameSize)
  }

  private mutating func assigned(
    _ name: String, _ span: Span, _ update: BinaryOperator?, _ expression: Expression
  ) -> (Node, ValueType?) {
    guard let update else { return typed(expression) }
    let old = self.name(name, span)
    let value = self.expression(expression)
    return (BinaryNode.make(update, old, value, span, span.to(expression.span)), nil)
  }

  mutating func block(_ statements: [StatementSyntax]) -> [StatementNode] {
    statements.map { statement($0) }
  }

  mutating func statement(_ statement: StatementSyntax) -> StatementNode {
    let span = statement.span
    switch statement.kind {
    case .assign(let name, let nameSpan, let update, let expression):
      let (node, hasCalls) = notingCalls { $0.assigned(name, nameSpan, update, expression).0 }
      return assignment(name, node, hasCalls: hasCalls, span)
    case .expression(let expression):
      return ExpressionStatementNode(self.expression(expression), span)
    case .forIn(let name, _, let sequence, let body):
      let sequence = iterable(sequence)
      let (slot, outer) = scope.shadow(name)
      let nodes = block(body)
      scope.restore(name, outer)
      return ForNode(slot, sequence, nodes, span)
    case .whileLoop(let test, let body):
      return WhileNode(condition(test), block(body), span)
    case .ifElse(let branches, let otherwise):
      return branching(branches, otherwise, span)
    case .function(let function):
      let name = function.name ?? ""
      if scope.isMain {
        bound.insert(name)
        types[name] = untyped.contains(name) ? nil : .function
      } else {
        scope.declare(name)
      }
      let closure = self.function(function, span)
      if scope.isMain { functions[name] = untyped.contains(name) ? nil : closure.code }
      return assignment(name, closure, hasCalls: false, span)
    case .returnValue(let expression):
      return ReturnNode(expression.map { self.expression($0) }, span)
    case .breakLoop: return JumpNode(.breakLoop, span)
    case .continueLoop: return JumpNode(.continueLoop, span)
    }
  }

  /// The node that `body` makes, and whether it calls anything.
  private mutating func notingCalls(_ body: (inout Checker) -> Node) -> (Node, Bool) {
    let outer = sawCall
    sawCall = false
    let node = body(&self)
    let hasCalls = sawCall
    sawCall = outer || hasCalls
    return (node, hasCalls)
  }

  private mutating func assignment(
    _ name: String, _ node: Node, hasCalls: Bool, _ span: Span
  ) -> StatementNode {
    if scope.isMain, scope.slots[name] == nil {
      bound.insert(name)
      return AssignNode(
        name, globals.slot(name), isGlobal: true, node, hasCalls: hasCalls, span)
    }
    return AssignNode(name, scope.declare(name), isGlobal: false, node, hasCalls: hasCalls, span)
  }

  /// Names that any branch binds count as bound behind it; where they are not, running says so.
  private mutating func branching(
    _ branches: [StatementSyntax.Branch], _ otherwise: [StatementSyntax]?, _ span: Span
  ) -> StatementNode {
    var nodes: [(condition: Node, body: [StatementNode])] = []
    for branch in branches {
      let test = condition(branch.condition)
      nodes.append((condition: test, body: block(branch.body)))
    }
    return IfNode(nodes, block(otherwise ?? []), span)
  }

  private mutating func condition(_ expression: Expression) -> Node {
    var type: ValueType?
    let (node, hasCalls) = notingCalls { checker in
      let (node, found) = checker.typed(expression)
      type = found
      return node
    }
    if let type, !type.mayBe(.bool) {
      report(
        .type, "a condition must be true or false, not \(type.article)",
        hint: "compare it: x != 0, count(list) > 0, x != none", expression.span)
    }
    return hasCalls ? ConditionNode(node) : node
  }

  private mutating func iterable(_ expression: Expression) -> Node {
    let (node, type) = typed(expression)
    switch type {
    case .bool, .int, .number, .member, .function:
      report(
        .type, "\(type?.article ?? "this") has no elements to go through",
        hint: type == .int ? "count up with a range: 0..<n" : nil, expression.span)
    default: break
    }
    return node
  }

  /// Checks a function's body in a scope of its own.
  mutating func function(_ syntax: FunctionSyntax, _ span: Span) -> ClosureNode {
    let outer = scope
    scope = FunctionScope(parent: outer, ownName: outer.isMain ? nil : syntax.name)
    var parameters: [FunctionCode.Parameter] = []
    for parameter in syntax.parameters {
      let value = parameter.defaultValue.map { expression($0) }
      _ = scope.shadow(parameter.name)
      parameters.append(
        .init(name: parameter.name, isLabelled: parameter.isLabelled, defaultValue: value))
    }
    let code = FunctionCode(
      name: syntax.name, parameters: parameters,
      parameterSlots: syntax.parameters.map { scope.slots[$0.name] ?? 0 }, span: span,
      source: source)
    if scope.parent?.isMain == true, let name = syntax.name { functions[name] = code }
    // A name that the body assigns is the function's own throughout.
    var own = Set(syntax.parameters.map(\.name))
    for (name, _) in assignedNames(syntax.body) where own.insert(name).inserted {
      _ = scope.shadow(name)
    }
    let body = block(syntax.body)
    code.complete(
      body: body, frameSize: scope.frameSize, captureSlots: scope.captures.map(\.slot),
      selfSlot: scope.selfSlot)
    let captures = scope.captures.map { (slot: $0.outerSlot, name: $0.name) }
    scope = outer
    return ClosureNode(code, captures, span)
  }
}
