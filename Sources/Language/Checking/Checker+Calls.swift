import Tensors

extension Checker {
  mutating func call(
    _ callee: Expression, _ arguments: [Expression.Argument], _ span: Span
  ) -> (Node, ValueType?) {
    sawCall = true
    guard case .name(let name) = callee.kind else {
      let node = expression(callee)
      return (dynamicCall(node, callee.span, arguments, span), nil)
    }
    return call(named: name, callee.span, arguments, receiver: nil, span)
  }

  /// A call of what `name` stands for, with a method's receiver in front.
  private mutating func call(
    named name: String, _ place: Span, _ arguments: [Expression.Argument],
    receiver: (node: Node, type: ValueType?)?, _ span: Span
  ) -> (Node, ValueType?) {
    let builtin = registry[name]
    if let variable = variable(name, place) {
      // The variable is called unless it is known to hold something else and a builtin has the
      // same name.
      let isLocal = scope.slots[name] != nil
      let type = isLocal || !isImmediate ? nil : types[name]
      let isFunction = type == .function || functions[name] != nil && !isLocal
      if let builtin, !isFunction {
        if let type, !type.mayBe(.function) {
          return builtinCall(builtin, place, arguments, receiver, span)
        }
        let shared = SharedNameNode(variable, builtin, place)
        return (dynamicCall(shared, place, arguments, receiver: receiver?.node, span), nil)
      }
      if let type, !type.mayBe(.function) {
        report(.type, "`\(name)` is \(type.article), not a function", place)
      }
      if !isLocal, isImmediate, let code = functions[name], type == .function {
        check(code, place, arguments, hasReceiver: receiver != nil)
      }
      return (dynamicCall(variable, place, arguments, receiver: receiver?.node, span), nil)
    }
    if let builtin { return builtinCall(builtin, place, arguments, receiver, span) }
    for argument in arguments { _ = expression(argument.value) }
    report(unknown(name, place), place)
    return (LiteralNode(.none, span), nil)
  }

  mutating func method(
    _ receiver: Expression, _ name: String, _ place: Span, _ arguments: [Expression.Argument],
    _ span: Span
  ) -> (Node, ValueType?) {
    sawCall = true
    let (node, type) = typed(receiver)
    let slot = scope.reserve()
    let held = LocalNode(slot, name, receiver.span)
    let mayHold: Bool
    switch type {
    case .object(let typeName): mayHold = registry.memberNames(of: typeName)?.contains(name) ?? true
    case nil, .record, .any, .union: mayHold = true
    default: mayHold = false
    }
    if mayHold {
      // Only running can tell whether the value holds a function under that name.
      checkOrder(arguments, nil)
      let given = arguments.map { (label: $0.label, node: expression($0.value)) }
      let site = callSite(span, place, arguments)
      let variable = variable(name, place)
      let builtin = registry[name].map { LiteralNode(.function(Function($0)), place) }
      let callee: Node? =
        if let variable, let builtin = registry[name] {
          SharedNameNode(variable, builtin, place)
        } else {
          variable ?? builtin
        }
      let call = callee.map { CallNode($0, [(label: nil, node: held)] + given, site) }
      return (
        MethodNode(node, name, place, slot: slot, function: call, given, site, registry), nil
      )
    }
    let (function, result) = call(
      named: name, place, arguments, receiver: (node: held, type: type), span)
    var given: [(label: String?, node: Node)] = []
    if let call = function as? CallNode { given = Array(call.arguments.dropFirst()) }
    if let call = function as? BuiltinCallNode {
      given = call.arguments.dropFirst().map { argument in
        let parameter = call.builtin.parameters[argument.parameter]
        return (label: parameter.kind == .labelled ? parameter.name : nil, node: argument.node)
      }
    }
    return (
      MethodNode(
        node, name, place, slot: slot, function: function, given,
        callSite(span, place, arguments), registry), result
    )
  }

  private mutating func dynamicCall(
    _ callee: Node, _ place: Span, _ arguments: [Expression.Argument], receiver: Node? = nil,
    _ span: Span
  ) -> CallNode {
    checkOrder(arguments, nil)
    var nodes: [(label: String?, node: Node)] = receiver.map { [(label: nil, node: $0)] } ?? []
    for argument in arguments {
      nodes.append((label: argument.label, node: expression(argument.value)))
    }
    return CallNode(callee, nodes, callSite(span, place, arguments))
  }

  private func callSite(
    _ span: Span, _ place: Span, _ arguments: [Expression.Argument]
  ) -> CallSite {
    var places: [String: Span] = [:]
    for argument in arguments {
      if let label = argument.label { places[label] = argument.value.span }
    }
    return CallSite(
      span: span, nameSpan: place, arguments: places, isEmpty: arguments.isEmpty)
  }

  /// Reports positional arguments behind labels and labels given twice.
  private mutating func checkOrder(_ arguments: [Expression.Argument], _ builtin: Builtin?) {
    var labels: Set<String> = []
    for argument in arguments {
      guard let label = argument.label else {
        if !labels.isEmpty {
          report(
            .usage, "positional arguments stand before the labelled ones",
            hint: builtin.map { "call it as \($0.signature)" }, argument.value.span)
        }
        continue
      }
      if !labels.insert(label).inserted {
        report(.usage, "the label `\(label)` is given twice", argument.labelSpan)
      }
    }
  }

  // MARK: - Builtins

  private mutating func builtinCall(
    _ builtin: Builtin, _ place: Span, _ arguments: [Expression.Argument],
    _ receiver: (node: Node, type: ValueType?)?, _ span: Span
  ) -> (Node, ValueType?) {
    checkOrder(arguments, builtin)
    let positional = builtin.parameters.indices.filter {
      builtin.parameters[$0].kind == .positional
    }
    let rest = builtin.parameters.firstIndex { $0.kind == .rest }
    var nodes: [(node: Node, parameter: Int)] = []
    var places: [String: Span] = [:]
    var given: Set<Int> = []
    var count = 0
    // An argument in the wrong form explains what is missing.
    var isMisplaced = false

    func nextPosition() -> Int? {
      defer { count += 1 }
      return count < positional.count ? positional[count] : rest
    }
    if let receiver {
      if let index = nextPosition() {
        nodes.append((node: receiver.node, parameter: index))
        given.insert(index)
        checkType(receiver.type, builtin, index, receiver.node.span)
      } else {
        report(builtin.tooMany(arguments.count + 1), place)
      }
    }
    for argument in arguments {
      let (node, type) = typed(argument.value)
      var index: Int?
      if let label = argument.label {
        index = builtin.parameters.firstIndex { $0.name == label && $0.kind == .labelled }
        if index == nil {
          report(builtin.unknown(label: label), argument.labelSpan)
          isMisplaced = isMisplaced || builtin.parameters.contains { $0.name == label }
        }
      } else {
        index = nextPosition()
        if index == nil, count == positional.count + 1 {
          let total = arguments.count { $0.label == nil } + (receiver == nil ? 0 : 1)
          report(surplus(builtin, total), argument.value.span)
          isMisplaced = true
        }
      }
      guard let index else { continue }
      given.insert(index)
      nodes.append((node: node, parameter: index))
      places[builtin.parameters[index].name] = argument.value.span
      if let value = Checker.constant(argument.value) {
        checkConstant(value, builtin, index, argument.value.span)
      } else {
        checkType(type, builtin, index, argument.value.span)
      }
    }
    if !isMisplaced { reportMissing(builtin, given, place) }
    let site = CallSite(
      span: span, nameSpan: place, arguments: places, isEmpty: arguments.isEmpty)
    return (BuiltinCallNode(builtin, site, nodes), builtin.returns == .any ? nil : builtin.returns)
  }

  private mutating func reportMissing(_ builtin: Builtin, _ given: Set<Int>, _ place: Span) {
    let missing = builtin.parameters.indices.filter { index in
      let parameter = builtin.parameters[index]
      return parameter.kind != .rest && parameter.defaultValue == nil && !given.contains(index)
    }
    if missing.isEmpty { return }
    report(builtin.missing(missing.map { builtin.parameters[$0] }), place)
  }

  private func surplus(_ builtin: Builtin, _ count: Int) -> EvokeError {
    let error = builtin.tooMany(count)
    let labels = builtin.parameters.filter { $0.kind == .labelled }
    guard let label = labels.first else { return error }
    return EvokeError(
      error.kind, error.message,
      hint: "the others take a label, as in `\(label.name): …`: \(builtin.signature)")
  }

  private mutating func checkConstant(
    _ value: Value, _ builtin: Builtin, _ index: Int, _ span: Span
  ) {
    let parameter = builtin.parameters[index]
    if parameter.kind == .rest {
      if case .list(let element) = parameter.type, !element.accepts(value) {
        report(.type, "\(builtin.name) takes \(element.article), not \(value.briefly)", span)
      }
    } else if let error = parameter.refusal(of: value, builtin) {
      report(error, span)
    }
  }

  private mutating func checkType(
    _ type: ValueType?, _ builtin: Builtin, _ index: Int, _ span: Span
  ) {
    let parameter = builtin.parameters[index]
    var wanted = parameter.type
    if parameter.kind == .rest, case .list(let element) = wanted { wanted = element }
    guard let type, type != .none, !type.mayBe(wanted) else { return }
    let hint =
      type == .function ? "was a call meant? write \(source.text(span))( … )" : nil
    report(
      .type, "`\(parameter.name)` of \(builtin.name) takes \(wanted.article), not \(type.article)",
      hint: hint ?? "call it as \(builtin.signature)", span)
  }

  /// The value of an expression that is written out.
  static func constant(_ expression: Expression) -> Value? {
    switch expression.kind {
    case .literal(let value): return value
    case .member(let name): return .member(name)
    case .unary(.minus, let operand):
      switch operand.kind {
      case .literal(.int(let int)): return .int(-int)
      case .literal(.double(let double)): return .double(-double)
      default: return nil
      }
    case .list(let elements):
      var values: [Value] = []
      for element in elements {
        guard let value = constant(element) else { return nil }
        values.append(value)
      }
      return .list(List(values))
    default: return nil
    }
  }

  // MARK: - Functions of the script

  private mutating func check(
    _ code: FunctionCode, _ place: Span, _ arguments: [Expression.Argument], hasReceiver: Bool
  ) {
    let positional = arguments.count { $0.label == nil } + (hasReceiver ? 1 : 0)
    if positional > code.positionalCount {
      report(
        .usage,
        "\(code.name) takes \(counted(code.positionalCount, "positional argument")), "
          + "not \(positional)", hint: "call it as \(code.signature)", place)
    }
    let labels = code.parameters.filter(\.isLabelled).map(\.name)
    for argument in arguments {
      guard let label = argument.label, !labels.contains(label) else { continue }
      let near = closest(to: label, among: labels)
      report(
        .name, "\(code.name) has no label `\(label)`",
        hint: near.map { "did you mean `\($0):`?" } ?? "call it as \(code.signature)",
        argument.labelSpan)
    }
    let given = Set(arguments.compactMap(\.label))
    for (index, parameter) in code.parameters.enumerated() where parameter.defaultValue == nil {
      let isGiven = parameter.isLabelled ? given.contains(parameter.name) : index < positional
      if !isGiven {
        report(
          .usage, "\(code.name) needs `\(parameter.name)\(parameter.isLabelled ? ":" : "")`",
          hint: "call it as \(code.signature)", place)
      }
    }
  }
}
