import Tensors

/// A checked expression, ready to be evaluated: names are slots, calls know their builtins.
class Node: @unchecked Sendable {
  let span: Span
  init(_ span: Span) { self.span = span }

  func evaluate(_ m: Machine) throws -> Value { .none }

  /// The value as the condition of `if`, `while`, `and`, `or`, `not` and `? :`.
  func condition(_ m: Machine) throws -> Bool {
    let value = try evaluate(m)
    if case .bool(let bool) = value { return bool }
    throw m.fault(
      EvokeError(
        .type, "a condition must be true or false, not \(value.briefly)",
        hint: "compare it: x != 0, count(list) > 0, x != none"), span)
  }

  /// Runs `body`; an error without a place gets this expression's.
  final func located<R>(_ m: Machine, _ span: Span, _ body: () throws -> R) throws -> R {
    do {
      return try body()
    } catch let error as EvokeError {
      throw m.fault(error, span)
    }
  }
}

final class LiteralNode: Node, @unchecked Sendable {
  let value: Value
  init(_ value: Value, _ span: Span) {
    self.value = value
    super.init(span)
  }
  override func evaluate(_ m: Machine) throws -> Value { value }
}

final class GlobalNode: Node, @unchecked Sendable {
  let slot: Int
  let name: String
  init(_ slot: Int, _ name: String, _ span: Span) {
    self.slot = slot
    self.name = name
    super.init(span)
  }
  override func evaluate(_ m: Machine) throws -> Value {
    if let value = m.globals[slot] { return value }
    throw unbound(m, name, span)
  }
}

final class LocalNode: Node, @unchecked Sendable {
  let slot: Int
  let name: String
  init(_ slot: Int, _ name: String, _ span: Span) {
    self.slot = slot
    self.name = name
    super.init(span)
  }
  override func evaluate(_ m: Machine) throws -> Value {
    if let value = m.locals[slot] { return value }
    throw unbound(m, name, span)
  }
}

private func unbound(_ m: Machine, _ name: String, _ span: Span) -> Fault {
  m.fault(
    EvokeError(
      .name, "`\(name)` has no value yet",
      hint: "it gets one only where its `=` has run"), span)
}

final class InterpolationNode: Node, @unchecked Sendable {
  enum Part {
    case text(String)
    case node(Node)
  }
  let parts: [Part]
  init(_ parts: [Part], _ span: Span) {
    self.parts = parts
    super.init(span)
  }
  override func evaluate(_ m: Machine) throws -> Value {
    var text = ""
    for part in parts {
      switch part {
      case .text(let part): text += part
      case .node(let node): text += try node.evaluate(m).description
      }
      if text.utf8.count > m.limits.stringBytes {
        throw m.fault(Operators.tooLong(m.limits), span)
      }
    }
    return try m.made(.string(text), span)
  }
}

final class ListNode: Node, @unchecked Sendable {
  let elements: [Node]
  init(_ elements: [Node], _ span: Span) {
    self.elements = elements
    super.init(span)
  }
  override func evaluate(_ m: Machine) throws -> Value {
    var values: [Value] = []
    values.reserveCapacity(elements.count)
    for element in elements { values.append(try element.evaluate(m)) }
    return try m.made(.list(List(values)), span)
  }
}

final class RecordNode: Node, @unchecked Sendable {
  let fields: [(key: Node, value: Node)]
  init(_ fields: [(key: Node, value: Node)], _ span: Span) {
    self.fields = fields
    super.init(span)
  }
  override func evaluate(_ m: Machine) throws -> Value {
    var values: [(String, Value)] = []
    for (key, value) in fields {
      guard case .string(let name) = try key.evaluate(m) else { continue }
      values.append((name, try value.evaluate(m)))
    }
    return try m.made(.record(Record(values)), span)
  }
}

final class RangeNode: Node, @unchecked Sendable {
  let lower: Node
  let upper: Node
  let isClosed: Bool
  init(_ lower: Node, _ upper: Node, isClosed: Bool, _ span: Span) {
    self.lower = lower
    self.upper = upper
    self.isClosed = isClosed
    super.init(span)
  }

  override func evaluate(_ m: Machine) throws -> Value {
    .range(try bounds(m))
  }

  func bounds(_ m: Machine) throws -> IntRange {
    let first = try end(lower, m)
    var last = try end(upper, m)
    if isClosed {
      guard last < .max else { throw m.fault(Operators.overflow("\(last) + 1"), upper.span) }
      last += 1
    }
    guard first <= last else {
      throw m.fault(
        EvokeError(
          .value, "the range goes backwards, from \(first) to \(isClosed ? last - 1 : last)",
          hint: "reversed(a..<b) counts down"), span)
    }
    return IntRange(first, last)
  }

  private func end(_ node: Node, _ m: Machine) throws -> Int {
    let value = try node.evaluate(m)
    if case .int(let int) = value { return int }
    throw m.fault(
      EvokeError(.type, "the ends of a range are ints, not \(value.briefly)"), node.span)
  }
}

final class ConditionalNode: Node, @unchecked Sendable {
  let test: Node
  let first: Node
  let second: Node
  init(_ test: Node, _ first: Node, _ second: Node, _ span: Span) {
    self.test = test
    self.first = first
    self.second = second
    super.init(span)
  }
  override func evaluate(_ m: Machine) throws -> Value {
    try test.condition(m) ? first.evaluate(m) : second.evaluate(m)
  }
}

/// A function expression: captures the values that its body uses from around it.
final class ClosureNode: Node, @unchecked Sendable {
  let code: FunctionCode
  /// The surrounding local variables to capture, and their names.
  let captures: [(slot: Int, name: String)]
  init(_ code: FunctionCode, _ captures: [(slot: Int, name: String)], _ span: Span) {
    self.code = code
    self.captures = captures
    super.init(span)
  }
  override func evaluate(_ m: Machine) throws -> Value {
    var values: [Value] = []
    for (slot, name) in captures {
      guard let value = m.locals[slot] else {
        throw m.fault(
          EvokeError(.name, "`\(name)`, which this function uses, has no value yet"), span)
      }
      values.append(value)
    }
    return try m.bounded(.function(Function(code, captured: values)), span)
  }
}

extension Machine {
  /// The value, counted as work and memory, unless it is nested too deeply.
  func made(_ value: Value, _ span: Span) throws -> Value {
    do { try charge(value) } catch let error as EvokeError { throw fault(error, span) }
    return try bounded(value, span)
  }

  /// The value, unless it is nested too deeply.
  func bounded(_ value: Value, _ span: Span) throws -> Value {
    if value.depth > limits.depth {
      throw fault(
        EvokeError(.value, "values are nested more than \(limits.depth) deep"), span)
    }
    return value
  }
}
