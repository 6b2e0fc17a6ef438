import Tensors

/// How a statement ends.
enum Flow {
  case next, breakLoop, continueLoop, returned
}

/// A checked statement inside a block.
class StatementNode: @unchecked Sendable {
  let span: Span
  init(_ span: Span) { self.span = span }
  func execute(_ m: Machine) throws -> Flow { .next }
}

extension [StatementNode] {
  func execute(_ m: Machine) throws -> Flow {
    for statement in self {
      let flow = try statement.execute(m)
      if flow != .next { return flow }
    }
    return .next
  }
}

final class AssignNode: StatementNode, @unchecked Sendable {
  let name: String
  let slot: Int
  let isGlobal: Bool
  let value: Node
  /// Whether the value may draw random numbers, which are keyed by the name.
  let hasCalls: Bool

  init(_ name: String, _ slot: Int, isGlobal: Bool, _ value: Node, hasCalls: Bool, _ span: Span) {
    self.name = name
    self.slot = slot
    self.isGlobal = isGlobal
    self.value = value
    self.hasCalls = hasCalls
    super.init(span)
  }

  override func execute(_ m: Machine) throws -> Flow {
    if hasCalls { m.bind(.name(name)) }
    let result = try value.evaluate(m)
    if isGlobal { m.globals[slot] = result } else { m.locals[slot] = result }
    return .next
  }
}

final class ExpressionStatementNode: StatementNode, @unchecked Sendable {
  let value: Node
  init(_ value: Node, _ span: Span) {
    self.value = value
    super.init(span)
  }
  override func execute(_ m: Machine) throws -> Flow {
    m.bind(.text(m.source, span))
    _ = try value.evaluate(m)
    return .next
  }
}

final class ForNode: StatementNode, @unchecked Sendable {
  /// The loop variable's; always a local one, so that it ends with the loop.
  let slot: Int
  let sequence: Node
  let body: [StatementNode]

  init(_ slot: Int, _ sequence: Node, _ body: [StatementNode], _ span: Span) {
    self.slot = slot
    self.sequence = sequence
    self.body = body
    super.init(span)
  }

  override func execute(_ m: Machine) throws -> Flow {
    m.bind(.text(m.source, sequence.span))
    let value = try sequence.evaluate(m)
    var flow = Flow.next
    if case .range(let range) = value {
      for number in range.range {
        flow = try iterate(m, .int(number))
        if flow == .breakLoop || flow == .returned { break }
      }
    } else {
      let elements = try sequence.located(m, sequence.span) { try Elements(value, m.limits) }
      for index in 0..<elements.count {
        let element = try sequence.located(m, sequence.span) { try elements[index] }
        flow = try iterate(m, element)
        if flow == .breakLoop || flow == .returned { break }
      }
    }
    return flow == .returned ? .returned : .next
  }

  private func iterate(_ m: Machine, _ value: Value) throws -> Flow {
    do { try m.step() } catch let error as EvokeError { throw m.fault(error, sequence.span) }
    m.locals[slot] = value
    return try body.execute(m)
  }
}

/// A condition with calls in it, whose draws are keyed by its text.
final class ConditionNode: Node, @unchecked Sendable {
  let test: Node
  init(_ test: Node) {
    self.test = test
    super.init(test.span)
  }
  override func evaluate(_ m: Machine) throws -> Value { .bool(try condition(m)) }
  override func condition(_ m: Machine) throws -> Bool {
    m.bind(.text(m.source, span))
    return try test.condition(m)
  }
}

final class WhileNode: StatementNode, @unchecked Sendable {
  let condition: Node
  let body: [StatementNode]
  init(_ condition: Node, _ body: [StatementNode], _ span: Span) {
    self.condition = condition
    self.body = body
    super.init(span)
  }
  override func execute(_ m: Machine) throws -> Flow {
    while try condition.condition(m) {
      do { try m.step() } catch let error as EvokeError { throw m.fault(error, condition.span) }
      switch try body.execute(m) {
      case .breakLoop: return .next
      case .returned: return .returned
      case .next, .continueLoop: break
      }
    }
    return .next
  }
}

final class IfNode: StatementNode, @unchecked Sendable {
  let branches: [(condition: Node, body: [StatementNode])]
  let otherwise: [StatementNode]
  init(
    _ branches: [(condition: Node, body: [StatementNode])], _ otherwise: [StatementNode],
    _ span: Span
  ) {
    self.branches = branches
    self.otherwise = otherwise
    super.init(span)
  }
  override func execute(_ m: Machine) throws -> Flow {
    for branch in branches where try branch.condition.condition(m) {
      return try branch.body.execute(m)
    }
    return try otherwise.execute(m)
  }
}

final class ReturnNode: StatementNode, @unchecked Sendable {
  let value: Node?
  init(_ value: Node?, _ span: Span) {
    self.value = value
    super.init(span)
  }
  override func execute(_ m: Machine) throws -> Flow {
    m.bind(.name("return"))
    m.returned = try value?.evaluate(m) ?? .none
    return .returned
  }
}

final class JumpNode: StatementNode, @unchecked Sendable {
  let flow: Flow
  init(_ flow: Flow, _ span: Span) {
    self.flow = flow
    super.init(span)
  }
  override func execute(_ m: Machine) throws -> Flow { flow }
}
