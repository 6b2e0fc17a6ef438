import Tensors

/// A binary operator; the commonest have their own subclasses with a short way for numbers.
class BinaryNode: Node, @unchecked Sendable {
  let operation: BinaryOperator
  let left: Node
  let right: Node
  let place: Span

  init(_ operation: BinaryOperator, _ left: Node, _ right: Node, _ place: Span, _ span: Span) {
    self.operation = operation
    self.left = left
    self.right = right
    self.place = place
    super.init(span)
  }

  override func evaluate(_ m: Machine) throws -> Value {
    try general(m, try left.evaluate(m), try right.evaluate(m))
  }

  final func general(_ m: Machine, _ a: Value, _ b: Value) throws -> Value {
    if a.isNumber, b.isNumber {
      return try located(m, place) { try Operators.apply(operation, a, b, m.limits) }
    }
    return try located(m, place) {
      try m.charge(operation, a, b)
      let result = try Operators.apply(operation, a, b, m.limits)
      try m.charge(result)
      return result
    }
  }

  static func make(
    _ operation: BinaryOperator, _ left: Node, _ right: Node, _ place: Span, _ span: Span
  ) -> Node {
    let type: BinaryNode.Type =
      switch operation {
      case .add: AddNode.self
      case .subtract: SubtractNode.self
      case .multiply: MultiplyNode.self
      case .less, .lessEqual, .greater, .greaterEqual: OrderNode.self
      case .equal, .notEqual: EqualNode.self
      case .contains, .lacks: ContainsNode.self
      case .modulo: ModuloNode.self
      default: BinaryNode.self
      }
    return type.init(operation: operation, left, right, place, span)
  }

  required init(
    operation: BinaryOperator, _ left: Node, _ right: Node, _ place: Span, _ span: Span
  ) {
    self.operation = operation
    self.left = left
    self.right = right
    self.place = place
    super.init(span)
  }
}

final class AddNode: BinaryNode, @unchecked Sendable {
  override func evaluate(_ m: Machine) throws -> Value {
    let a = try left.evaluate(m)
    let b = try right.evaluate(m)
    if case .int(let x) = a, case .int(let y) = b {
      let (sum, overflow) = x.addingReportingOverflow(y)
      if !overflow { return .int(sum) }
    } else if case .double(let x) = a, case .double(let y) = b {
      return .double(x + y)
    }
    return try general(m, a, b)
  }
}

final class SubtractNode: BinaryNode, @unchecked Sendable {
  override func evaluate(_ m: Machine) throws -> Value {
    let a = try left.evaluate(m)
    let b = try right.evaluate(m)
    if case .int(let x) = a, case .int(let y) = b {
      let (difference, overflow) = x.subtractingReportingOverflow(y)
      if !overflow { return .int(difference) }
    } else if case .double(let x) = a, case .double(let y) = b {
      return .double(x - y)
    }
    return try general(m, a, b)
  }
}

final class MultiplyNode: BinaryNode, @unchecked Sendable {
  override func evaluate(_ m: Machine) throws -> Value {
    let a = try left.evaluate(m)
    let b = try right.evaluate(m)
    if case .int(let x) = a, case .int(let y) = b {
      let (product, overflow) = x.multipliedReportingOverflow(by: y)
      if !overflow { return .int(product) }
    } else if case .double(let x) = a, case .double(let y) = b {
      return .double(x * y)
    }
    return try general(m, a, b)
  }
}

final class ModuloNode: BinaryNode, @unchecked Sendable {
  override func evaluate(_ m: Machine) throws -> Value {
    let a = try left.evaluate(m)
    let b = try right.evaluate(m)
    if case .int(let x) = a, case .int(let y) = b, x >= 0, y > 0 { return .int(x % y) }
    return try general(m, a, b)
  }
}

final class OrderNode: BinaryNode, @unchecked Sendable {
  override func evaluate(_ m: Machine) throws -> Value {
    let a = try left.evaluate(m)
    let b = try right.evaluate(m)
    if case .int(let x) = a, case .int(let y) = b { return .bool(holds(x, y)) }
    return try general(m, a, b)
  }

  override func condition(_ m: Machine) throws -> Bool {
    let a = try left.evaluate(m)
    let b = try right.evaluate(m)
    if case .int(let x) = a, case .int(let y) = b { return holds(x, y) }
    if case .bool(let bool) = try general(m, a, b) { return bool }
    throw m.fault(
      EvokeError(
        .type, "a condition must be true or false, not a tensor of comparisons",
        hint: "reduce it: min(t > 0) > 0 for all, max(t > 0) > 0 for any"), span)
  }

  private func holds(_ x: Int, _ y: Int) -> Bool {
    switch operation {
    case .less: x < y
    case .lessEqual: x <= y
    case .greater: x > y
    default: x >= y
    }
  }
}

final class EqualNode: BinaryNode, @unchecked Sendable {
  override func evaluate(_ m: Machine) throws -> Value { .bool(try condition(m)) }

  override func condition(_ m: Machine) throws -> Bool {
    let a = try left.evaluate(m)
    let b = try right.evaluate(m)
    if case .int(let x) = a, case .int(let y) = b { return (x == y) == (operation == .equal) }
    return try located(m, place) { try m.equal(a, b) } == (operation == .equal)
  }
}

final class ContainsNode: BinaryNode, @unchecked Sendable {
  override func evaluate(_ m: Machine) throws -> Value { .bool(try condition(m)) }

  override func condition(_ m: Machine) throws -> Bool {
    let value = try left.evaluate(m)
    let container = try right.evaluate(m)
    return try located(m, place) { try m.contains(container, value) } == (operation == .contains)
  }
}

final class LogicalNode: Node, @unchecked Sendable {
  let isAnd: Bool
  let left: Node
  let right: Node
  init(isAnd: Bool, _ left: Node, _ right: Node, _ span: Span) {
    self.isAnd = isAnd
    self.left = left
    self.right = right
    super.init(span)
  }
  override func evaluate(_ m: Machine) throws -> Value { .bool(try condition(m)) }
  override func condition(_ m: Machine) throws -> Bool {
    if isAnd { return try left.condition(m) && right.condition(m) }
    return try left.condition(m) || right.condition(m)
  }
}

final class NotNode: Node, @unchecked Sendable {
  let operand: Node
  init(_ operand: Node, _ span: Span) {
    self.operand = operand
    super.init(span)
  }
  override func evaluate(_ m: Machine) throws -> Value { .bool(try condition(m)) }
  override func condition(_ m: Machine) throws -> Bool { try !operand.condition(m) }
}

final class SignNode: Node, @unchecked Sendable {
  let isMinus: Bool
  let operand: Node
  init(isMinus: Bool, _ operand: Node, _ span: Span) {
    self.isMinus = isMinus
    self.operand = operand
    super.init(span)
  }
  override func evaluate(_ m: Machine) throws -> Value {
    let value = try operand.evaluate(m)
    return try located(m, span) {
      let negative = try Operators.negate(value)
      return isMinus ? negative : value
    }
  }
}
