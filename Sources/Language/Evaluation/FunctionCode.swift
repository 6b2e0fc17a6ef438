import Tensors

/// A checked function of a script, ready to run.
final class FunctionCode: @unchecked Sendable {
  struct Parameter {
    let name: String
    let isLabelled: Bool
    /// Evaluated in the function's own frame, so that it may use the parameters before it.
    let defaultValue: Node?
  }
  let name: String
  let isAnonymous: Bool
  let parameters: [Parameter]
  /// Where the arguments go, parameter by parameter.
  let parameterSlots: [Int]
  let positionalCount: Int
  let span: Span
  let source: SourceText
  /// The function's text, which stands for it in digests.
  let text: String
  // Set once the body has been checked.
  private(set) var body: [StatementNode] = []
  private(set) var frameSize = 0
  /// Where captured values go.
  private(set) var captureSlots: [Int] = []
  /// Where the function itself goes if its body uses it and its name is local.
  private(set) var selfSlot: Int?

  init(
    name: String?, parameters: [Parameter], parameterSlots: [Int], span: Span, source: SourceText
  ) {
    self.name = name ?? "function"
    isAnonymous = name == nil
    self.parameters = parameters
    self.parameterSlots = parameterSlots
    self.span = span
    self.source = source
    positionalCount = parameters.count { !$0.isLabelled }
    text = Lexer.run(source, span).tokens.map { source.text($0.span) }.joined(separator: " ")
  }

  func complete(body: [StatementNode], frameSize: Int, captureSlots: [Int], selfSlot: Int?) {
    self.body = body
    self.frameSize = frameSize
    self.captureSlots = captureSlots
    self.selfSlot = selfSlot
  }

  var signature: String {
    let parts = parameters.map { parameter in
      switch (parameter.isLabelled, parameter.defaultValue) {
      case (true, let value): parameter.name + ": " + (value.map { source.text($0.span) } ?? "…")
      case (false, nil): parameter.name
      case (false, let value?): parameter.name + " = " + source.text(value.span)
      }
    }
    return "\(name)(\(parts.joined(separator: ", ")))"
  }
}

/// Where the parts of a call stand in the source.
final class CallSite: Sendable {
  /// The whole call.
  let span: Span
  /// The function's name.
  let nameSpan: Span
  /// The arguments' values by parameter.
  let arguments: [String: Span]
  /// Whether any argument was given.
  let isEmpty: Bool

  init(span: Span, nameSpan: Span, arguments: [String: Span], isEmpty: Bool) {
    self.span = span
    self.nameSpan = nameSpan
    self.arguments = arguments
    self.isEmpty = isEmpty
  }
}

/// The arguments of a call whose function is known only when it runs.
struct CallArguments {
  var positional: [Value]
  var labelled: [(label: String, value: Value)] = []
}

extension Machine {
  /// Calls a function value with positional arguments.
  func call(_ function: Function, _ arguments: [Value], at site: CallSite) throws -> Value {
    try call(function, CallArguments(positional: arguments), at: site)
  }

  /// Calls a function value.
  func call(_ function: Function, _ arguments: CallArguments, at site: CallSite) throws -> Value {
    switch function.kind {
    case .builtin(let builtin):
      let values = try builtin.bind(arguments)
      return try invoke(builtin, values, at: site)
    case .script(let code, let captured):
      let caller = source
      do {
        return try invoke(code, captured, function, arguments)
      } catch let fault as Fault {
        throw fault.passing(site.span, in: caller)
      }
    }
  }

  /// Runs a builtin; its errors point at the argument they are about, or at its name.
  func invoke(_ builtin: Builtin, _ values: [Value], at site: CallSite) throws -> Value {
    let caller = source
    do {
      for value in values { try chargeReading(value) }
      let result =
        if let memory {
          try remembered(builtin, values, at: site, memory)
        } else {
          try builtin.body(
            Arguments(builtin, values), Context(machine: self, builtin: builtin, site: site))
        }
      try charge(result)
      return try bounded(result, site.nameSpan)
    } catch let fault as Fault {
      throw fault
    } catch let error as ArgumentError {
      throw Fault(
        error: error.error, span: site.arguments[error.parameter] ?? site.nameSpan, source: caller)
    } catch let error as EvokeError {
      throw Fault(error: error, span: site.nameSpan, source: caller)
    } catch {
      throw Fault(
        error: EvokeError(.file, "\(builtin.name) failed: \(error)"), span: site.nameSpan,
        source: caller)
    }
  }

  private func invoke(
    _ code: FunctionCode, _ captured: [Value], _ function: Function, _ arguments: CallArguments
  ) throws -> Value {
    try step()
    return try withFrame(code.frameSize) { frame in
      try code.bind(arguments, to: frame)
      for (slot, value) in zip(code.captureSlots, captured) { frame[slot] = value }
      if let slot = code.selfSlot { frame[slot] = .function(function) }
      let (outerLocals, outerSource) = (locals, source)
      locals = frame
      source = code.source
      pushBinding()
      defer {
        locals = outerLocals
        source = outerSource
        popBinding()
      }
      for (slot, parameter) in zip(code.parameterSlots, code.parameters) where frame[slot] == nil {
        frame[slot] = try parameter.defaultValue?.evaluate(self)
      }
      returned = .none
      let flow = try code.body.execute(self)
      return flow == .returned ? returned : .none
    }
  }
}

extension FunctionCode {
  /// Puts arguments into the parameters' slots.
  fileprivate func bind(
    _ arguments: CallArguments, to frame: UnsafeMutablePointer<Value?>
  ) throws {
    guard arguments.positional.count <= positionalCount else {
      throw EvokeError(
        .usage,
        "\(name) takes \(counted(positionalCount, "positional argument")), "
          + "not \(arguments.positional.count)", hint: "call it as \(signature)")
    }
    for (index, value) in arguments.positional.enumerated() { frame[parameterSlots[index]] = value }
    for (label, value) in arguments.labelled {
      guard let index = parameters.firstIndex(where: { $0.name == label && $0.isLabelled }) else {
        let labels = parameters.filter(\.isLabelled).map(\.name)
        let near = closest(to: label, among: labels)
        throw EvokeError(
          .name, "\(name) has no label `\(label)`",
          hint: near.map { "did you mean `\($0):`?" } ?? "call it as \(signature)")
      }
      frame[parameterSlots[index]] = value
    }
    for (slot, parameter) in zip(parameterSlots, parameters)
    where parameter.defaultValue == nil && frame[slot] == nil {
      let missing = parameter.isLabelled ? "`\(parameter.name):`" : "`\(parameter.name)`"
      throw EvokeError(.usage, "\(name) needs \(missing)", hint: "call it as \(signature)")
    }
  }
}

extension Builtin {
  /// The values of all parameters, from arguments that were not checked before running.
  func bind(_ arguments: CallArguments) throws -> [Value] {
    var values = parameters.map { $0.defaultValue ?? .none }
    var given = [Bool](repeating: false, count: parameters.count)
    var rest: [Value] = []
    let positional = parameters.indices.filter { parameters[$0].kind == .positional }
    let restIndex = parameters.firstIndex { $0.kind == .rest }
    for (place, value) in arguments.positional.enumerated() {
      if place < positional.count {
        values[positional[place]] = value
        given[positional[place]] = true
      } else if restIndex != nil {
        rest.append(value)
      } else {
        throw tooMany(arguments.positional.count)
      }
    }
    if let restIndex { values[restIndex] = .list(List(rest)) }
    for (label, value) in arguments.labelled {
      guard let index = parameters.firstIndex(where: { $0.name == label && $0.kind == .labelled })
      else { throw unknown(label: label) }
      values[index] = value
      given[index] = true
    }
    for (index, parameter) in parameters.enumerated() where parameter.kind != .rest {
      if !given[index], parameter.defaultValue == nil { throw missing([parameter]) }
      if given[index] || parameter.defaultValue == nil {
        if let error = parameter.refusal(of: values[index], self) { throw error }
      }
    }
    return values
  }

  func tooMany(_ count: Int) -> EvokeError {
    let positional = parameters.count { $0.kind == .positional }
    return EvokeError(
      .usage, "\(name) takes \(counted(positional, "positional argument")), not \(count)",
      hint: "call it as \(signature)")
  }

  func unknown(label: String) -> EvokeError {
    let labels = parameters.filter { $0.kind == .labelled }.map(\.name)
    let hint: String
    if let place = parameters.first(where: { $0.name == label }), place.kind != .labelled {
      hint = "`\(label)` is given by its place, without a label: \(signature)"
    } else if let near = closest(to: label, among: labels) {
      hint = "did you mean `\(near):`?"
    } else if labels.isEmpty {
      hint = "it has no labels: \(signature)"
    } else {
      hint = "its labels are " + labels.map { $0 + ":" }.joined(separator: " ")
    }
    return EvokeError(.name, "\(name) has no label `\(label)`", hint: hint)
  }

  func missing(_ parameters: [Parameter]) -> EvokeError {
    let names = parameters.map { parameter in
      let name = parameter.kind == .labelled ? "`\(parameter.name):`" : "`\(parameter.name)`"
      return "\(name), \(parameter.help)"
    }
    return EvokeError(
      .usage, "\(name) needs \(names.joined(separator: "; and "))",
      hint: "call it as \(signature)")
  }
}

extension Parameter {
  /// The error if `value` may not be given here.
  func refusal(of value: Value, _ builtin: Builtin) -> EvokeError? {
    if value.isNone, let defaultValue, defaultValue.isNone { return nil }
    if case .member(let member) = value, !choices.isEmpty, !choices.contains(member) {
      let near = closest(to: member, among: choices)
      let all = choices.map { "." + $0 }.joined(separator: " ")
      return EvokeError(
        .name, "`\(name)` of \(builtin.name) has no choice `.\(member)`",
        hint: near.map { "did you mean `.\($0)`? the choices are \(all)" }
          ?? "the choices are \(all)")
    }
    if type.accepts(value) { return nil }
    var hint: String?
    if !choices.isEmpty {
      hint = "the choices are " + choices.map { "." + $0 }.joined(separator: " ")
    }
    if case .function = value { hint = "was a call meant? write \(value.functionName)( … )" }
    return EvokeError(
      .type, "`\(name)` of \(builtin.name) takes \(type.article), not \(value.briefly)", hint: hint)
  }
}

extension Value {
  fileprivate var functionName: String {
    if case .function(let function) = self { function.name } else { "" }
  }
}

/// `1 argument`, `2 arguments`, `no argument`.
func counted(_ count: Int, _ noun: String) -> String {
  switch count {
  case 0: "no \(noun)"
  case 1: "1 \(noun)"
  default: "\(count) \(noun)s"
  }
}
