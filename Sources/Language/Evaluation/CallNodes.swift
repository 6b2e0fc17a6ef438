import Tensors

/// A call of a builtin that was found, and whose labels were checked, before running.
final class BuiltinCallNode: Node, @unchecked Sendable {
  let builtin: Builtin
  let site: CallSite
  /// The arguments in the order in which they stand, with the parameter that each is for.
  let arguments: [(node: Node, parameter: Int)]
  /// The values of parameters without an argument.
  let defaults: [Value]
  let restIndex: Int?

  init(_ builtin: Builtin, _ site: CallSite, _ arguments: [(node: Node, parameter: Int)]) {
    self.builtin = builtin
    self.site = site
    self.arguments = arguments
    defaults = builtin.parameters.map { $0.defaultValue ?? .none }
    restIndex = builtin.parameters.firstIndex { $0.kind == .rest }
    super.init(site.span)
  }

  override func evaluate(_ m: Machine) throws -> Value {
    var values = defaults
    var rest: [Value] = []
    for (node, index) in arguments {
      let value = try node.evaluate(m)
      let parameter = builtin.parameters[index]
      if index == restIndex {
        if case .list(let element) = parameter.type, !element.accepts(value) {
          throw m.fault(
            EvokeError(
              .type, "\(builtin.name) takes \(element.article), not \(value.briefly)"), node.span)
        }
        rest.append(value)
      } else {
        if let error = parameter.refusal(of: value, builtin) { throw m.fault(error, node.span) }
        values[index] = value
      }
    }
    if let restIndex { values[restIndex] = .list(List(rest)) }
    do { try m.step() } catch let error as EvokeError { throw m.fault(error, site.nameSpan) }
    return try m.invoke(builtin, values, at: site)
  }
}

/// A call of a function value.
final class CallNode: Node, @unchecked Sendable {
  let callee: Node
  let arguments: [(label: String?, node: Node)]
  let site: CallSite
  init(_ callee: Node, _ arguments: [(label: String?, node: Node)], _ site: CallSite) {
    self.callee = callee
    self.arguments = arguments
    self.site = site
    super.init(site.span)
  }

  override func evaluate(_ m: Machine) throws -> Value {
    let value = try callee.evaluate(m)
    guard case .function(let function) = value else {
      throw m.fault(
        EvokeError(.type, "only functions can be called, not \(value.briefly)"), callee.span)
    }
    var given = CallArguments(positional: [])
    for (label, node) in arguments {
      let value = try node.evaluate(m)
      if let label {
        given.labelled.append((label, value))
      } else {
        given.positional.append(value)
      }
    }
    return try located(m, site.nameSpan) { try m.call(function, given, at: site) }
  }
}

/// A name in front of a call's bracket that a variable and a builtin share: the variable's function
/// if it holds one, the builtin otherwise, so that `word = word(m, "cat")` keeps `word` callable.
final class SharedNameNode: Node, @unchecked Sendable {
  let variable: Node
  let builtin: Builtin
  init(_ variable: Node, _ builtin: Builtin, _ span: Span) {
    self.variable = variable
    self.builtin = builtin
    super.init(span)
  }
  override func evaluate(_ m: Machine) throws -> Value {
    let held =
      switch variable {
      case let global as GlobalNode: m.globals[global.slot]
      case let local as LocalNode: m.locals[local.slot]
      default: Value?.none
      }
    if case .function = held { return held ?? .none }
    return .function(Function(builtin))
  }
}

/// `value.name( … )`: a function that the value holds under that name, or else the function `name`
/// with the value as its first argument.
final class MethodNode: Node, @unchecked Sendable {
  let receiver: Node
  let name: String
  let place: Span
  /// Where the receiver waits while the arguments are evaluated.
  let slot: Int
  /// The call with the receiver in front, reading it from the slot; nil if there is no function of
  /// that name.
  let function: Node?
  let arguments: [(label: String?, node: Node)]
  let site: CallSite
  let registry: Registry

  init(
    _ receiver: Node, _ name: String, _ place: Span, slot: Int, function: Node?,
    _ arguments: [(label: String?, node: Node)], _ site: CallSite, _ registry: Registry
  ) {
    self.receiver = receiver
    self.name = name
    self.place = place
    self.slot = slot
    self.function = function
    self.arguments = arguments
    self.site = site
    self.registry = registry
    super.init(site.span)
  }

  override func evaluate(_ m: Machine) throws -> Value {
    let value = try receiver.evaluate(m)
    if let held = try held(by: value, m) {
      let callee = LiteralNode(held, place)
      return try CallNode(callee, arguments, site).evaluate(m)
    }
    guard let function else {
      if let member = try located(m, place, { try Members.member(name, of: value) }) {
        throw m.fault(
          EvokeError(.type, "`\(name)` is \(member.briefly) here, not a function"), place)
      }
      throw m.fault(Members.missing(name, in: value, registry), place)
    }
    m.locals[slot] = value
    defer { m.locals[slot] = nil }
    return try function.evaluate(m)
  }

  /// The function that the value itself holds.
  private func held(by value: Value, _ m: Machine) throws -> Value? {
    switch value {
    case .record(let record):
      if let member = record[name], case .function = member { return member }
      return nil
    case .object(let object) where type(of: object).memberNames.contains(name):
      let member = try located(m, place) { try object.member(name) }
      if case .function = member { return member }
      return nil
    default: return nil
    }
  }
}
