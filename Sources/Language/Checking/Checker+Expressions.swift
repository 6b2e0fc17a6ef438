import Tensors

extension Checker {
  mutating func expression(_ expression: Expression) -> Node { typed(expression).0 }

  /// The node for an expression, and its type as far as it is known before running.
  mutating func typed(_ expression: Expression) -> (Node, ValueType?) {
    let span = expression.span
    switch expression.kind {
    case .literal(let value): return (LiteralNode(value, span), ValueType(of: value))
    case .member(let name): return (LiteralNode(.member(name), span), .member)
    case .string(let parts):
      let nodes = parts.map { part -> InterpolationNode.Part in
        switch part {
        case .text(let text): .text(text)
        case .expression(let expression): .node(self.expression(expression))
        }
      }
      return (InterpolationNode(nodes, span), .string)
    case .list(let elements):
      return (ListNode(elements.map { self.expression($0) }, span), .list)
    case .record(let fields):
      return (record(fields, span), .record)
    case .name(let name): return (self.name(name, span), isImmediate ? typeOfName(name) : nil)
    case .unary(let operation, let operand): return unary(operation, operand, span)
    case .binary(let operation, let place, let left, let right):
      return binary(operation, place, left, right, span)
    case .logical(let isAnd, let left, let right):
      return (
        LogicalNode(isAnd: isAnd, self.expression(left), self.expression(right), span), .bool
      )
    case .conditional(let test, let first, let second):
      let condition = self.expression(test)
      let (a, typeA) = typed(first)
      let (b, typeB) = typed(second)
      return (ConditionalNode(condition, a, b, span), typeA == typeB ? typeA : nil)
    case .range(let lower, let upper, let isClosed):
      return (
        RangeNode(self.expression(lower), self.expression(upper), isClosed: isClosed, span), .range
      )
    case .call(let callee, let arguments): return call(callee, arguments, span)
    case .method(let receiver, let name, let place, let arguments):
      return method(receiver, name, place, arguments, span)
    case .property(let receiver, let name, let place):
      return property(receiver, name, place, span)
    case .subscripted(let receiver, let indices):
      return subscripted(receiver, indices, span)
    case .function(let function): return (self.function(function, span), .function)
    }
  }

  private mutating func record(_ fields: [Expression.Field], _ span: Span) -> Node {
    var keys: Set<String> = []
    var nodes: [(key: Node, value: Node)] = []
    for field in fields {
      if case .literal(.string(let key)) = field.key.kind {
        if !keys.insert(key).inserted {
          report(.usage, "the key \(quoted(key)) stands twice in this record", field.key.span)
        }
      }
      nodes.append((key: expression(field.key), value: expression(field.value)))
    }
    return RecordNode(nodes, span)
  }

  private mutating func unary(
    _ operation: UnaryOperator, _ operand: Expression, _ span: Span
  ) -> (Node, ValueType?) {
    let (node, type) = typed(operand)
    switch operation {
    case .not: return (NotNode(node, span), .bool)
    case .plus: return (SignNode(isMinus: false, node, span), type)
    case .minus:
      // A negative number is a literal, so that its type and place are those of a number.
      if case .literal(.int(let int)) = operand.kind {
        return (LiteralNode(.int(-int), span), .int)
      }
      if case .literal(.double(let double)) = operand.kind {
        return (LiteralNode(.double(-double), span), .number)
      }
      return (SignNode(isMinus: true, node, span), type == .int || type == .number ? type : nil)
    }
  }

  private mutating func binary(
    _ operation: BinaryOperator, _ place: Span, _ left: Expression, _ right: Expression,
    _ span: Span
  ) -> (Node, ValueType?) {
    let (a, typeA) = typed(left)
    let (b, typeB) = typed(right)
    let node = BinaryNode.make(operation, a, b, place, span)
    switch operation {
    case .equal, .notEqual, .contains, .lacks: return (node, .bool)
    case .less, .lessEqual, .greater, .greaterEqual:
      let numbers: [ValueType?] = [.int, .number, .string]
      return (node, numbers.contains(typeA) && numbers.contains(typeB) ? .bool : nil)
    case .add where typeA == .string && typeB == .string: return (node, .string)
    default:
      if typeA == .int, typeB == .int {
        return (node, operation == .divide || operation == .power ? .number : .int)
      }
      let numbers: [ValueType?] = [.int, .number]
      return (node, numbers.contains(typeA) && numbers.contains(typeB) ? .number : nil)
    }
  }

  private mutating func property(
    _ receiver: Expression, _ name: String, _ place: Span, _ span: Span
  ) -> (Node, ValueType?) {
    let (node, type) = typed(receiver)
    if case .object(let typeName) = type, let known = registry.memberNames(of: typeName),
      !known.contains(name)
    {
      let near = closest(to: name, among: known)
      report(
        .name, "\(typeName) has no member `\(name)`",
        hint: near.map { "did you mean `.\($0)`?" }
          ?? (registry[name] != nil ? "to call it, write .\(name)( … )" : membersHint(known)), place
      )
    }
    return (PropertyNode(node, name, place, registry, span), nil)
  }

  private func membersHint(_ names: [String]) -> String? {
    names.isEmpty ? nil : "there are " + names.map { "." + $0 }.joined(separator: " ")
  }

  private mutating func subscripted(
    _ receiver: Expression, _ indices: [Expression.Index], _ span: Span
  ) -> (Node, ValueType?) {
    let (node, type) = typed(receiver)
    let places = indices.map { index -> SubscriptNode.Index in
      switch index {
      case .element(let expression): .element(self.expression(expression))
      case .slice(let lower, let upper, let isClosed, let span):
        .slice(
          lower: lower.map { self.expression($0) }, upper: upper.map { self.expression($0) },
          isClosed: isClosed, span)
      }
    }
    return (SubscriptNode(node, places, span), type == .string ? .string : nil)
  }

  // MARK: - Names

  /// The node that reads a name.
  mutating func name(_ name: String, _ span: Span) -> Node {
    if let node = variable(name, span) { return node }
    if let builtin = registry[name] { return LiteralNode(.function(Function(builtin)), span) }
    report(unknown(name, span), span)
    return LiteralNode(.none, span)
  }

  /// The node that reads a variable, or nil if there is none of that name here.
  mutating func variable(_ name: String, _ span: Span) -> Node? {
    if let slot = scope.resolve(name) { return LocalNode(slot, name, span) }
    if bound.contains(name) || (!isImmediate && declared[name] != nil) {
      return GlobalNode(globals.slot(name), name, span)
    }
    return nil
  }

  private func typeOfName(_ name: String) -> ValueType? {
    if scope.slots[name] != nil { return nil }
    if bound.contains(name) { return untyped.contains(name) ? nil : types[name] }
    return registry[name] != nil ? .function : nil
  }

  func unknown(_ name: String, _ span: Span) -> EvokeError {
    if let place = declared[name] {
      let line = source.line(at: place.start)
      return EvokeError(
        .name, "`\(name)` is used before it is bound",
        hint: line > source.line(at: span.start)
          ? "it gets its value in line \(line)" : "bind it first: \(name) = …")
    }
    guard errors.count < Parser.errorLimit else {
      return EvokeError(.name, "there is no name `\(name)`")
    }
    let names = scope.visibleNames + bound.sorted() + registry.names
    let near = closest(to: name, among: names)
    return EvokeError(
      .name, "there is no name `\(name)`", hint: near.map { "did you mean `\($0)`?" })
  }
}
