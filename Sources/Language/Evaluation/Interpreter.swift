import Tensors

/// A running session: the names bound so far, the seed, and how often anything was drawn.
///
/// One interpreter belongs to one thread at a time.
public final class Interpreter {
  public let registry: Registry
  public let limits: Limits
  let machine: Machine
  private var table = GlobalTable()
  /// The slots in order of first binding.
  private var order: [Int] = []
  private var ordered: Set<Int> = []

  /// - Parameters:
  ///   - registry: The vocabulary.
  ///   - host: Files, screen and cancellation.
  ///   - seed: The session seed until `seed( … )` sets another.
  public init(
    registry: Registry = .core, host: any ScriptHost = SilentHost(), seed: Int = 0,
    limits: Limits = .standard
  ) {
    self.registry = registry
    self.limits = limits
    machine = Machine(host: host, seed: seed, limits: limits)
  }

  /// Parses and checks a whole script before anything of it runs.
  ///
  /// - Parameters:
  ///   - name: What errors call the script, its path as the user gave it.
  ///   - overrides: `name=value` from the command line, applied by ``Overrides``.
  /// - Throws: ``Diagnostics`` with every error found; `EvokeError` (name) for an override of a
  ///   name that the script does not bind.
  public func prepare(
    _ source: String, name: String, overrides: [(name: String, value: String)] = []
  ) throws -> Program {
    let text = SourceText(try Overrides.apply(overrides, to: source, name: name), name: name)
    let (statements, syntaxErrors) = Parser.parse(text)
    guard syntaxErrors.isEmpty else {
      throw Diagnostics(syntaxErrors.map { text.diagnostic($0.error, $0.span) })
    }
    var checker = Checker(text, registry, globals: table, known: bindings)
    let checked = checker.check(statements)
    guard checker.errors.isEmpty else {
      let sorted = checker.errors.sorted { $0.span.start < $1.span.start }
      throw Diagnostics(sorted.map { text.diagnostic($0.error, $0.span) })
    }
    table = checker.globals
    return Program(text: text, checked: checked)
  }

  /// Runs a program statement by statement. A statement that fails changes nothing; those before
  /// it stay.
  ///
  /// - Parameters:
  ///   - onStart: Called before every statement, with its place among them.
  ///   - onResult: Called behind every finished statement, before the next begins.
  /// - Throws: ``Diagnostic`` for the statement that failed, of kind `interrupted` if the user
  ///   stopped it; whatever `onStart` and `onResult` throw.
  public func run(
    _ program: Program, onStart: (Int) throws -> Void = { _ in },
    onResult: (StatementResult) throws -> Void
  ) throws {
    machine.beginRun()
    for index in program.checked.indices {
      try onStart(index)
      let result = try step(program, index)
      try onResult(result)
      if result.isInterrupted {
        let error = EvokeError(.interrupted, "stopped; what there was by then is kept")
        throw program.text.diagnostic(error, program.checked[index].span)
      }
    }
  }

  /// Runs one statement of a program.
  ///
  /// - Throws: ``Diagnostic``.
  private func step(_ program: Program, _ index: Int) throws -> StatementResult {
    let statement = program.checked[index]
    machine.reserveGlobals(table.names.count)
    machine.source = program.text
    machine.beginStatement()
    let counters = machine.counters
    let before = statement.changes.map { machine.globals[$0] }
    do {
      try machine.checkCancellation()
      return try machine.withFrame(statement.frameSize) { frame in
        machine.locals = frame
        return try result(of: statement, program, index)
      }
    } catch {
      for (slot, value) in zip(statement.changes, before) { machine.globals[slot] = value }
      machine.counters = counters
      switch error {
      case let fault as Fault: throw fault.diagnostic
      case let error as EvokeError: throw program.text.diagnostic(error, statement.span)
      default: throw error
      }
    }
  }

  private func result(
    of statement: CheckedStatement, _ program: Program, _ index: Int
  ) throws -> StatementResult {
    var name: String?
    var value = Value.none
    switch statement.kind {
    case .assign(let target, let slot, let node):
      machine.bind(.name(target))
      value = try node.evaluate(machine)
      name = target
      bind(slot, value)
    case .expression(let node, let bare):
      machine.bind(.text(program.text, statement.span))
      value = try node.evaluate(machine)
      if !value.isNone { name = bare ?? "ans" }
    case .block(let node):
      _ = try node.execute(machine)
      for slot in statement.changes.dropLast() where machine.globals[slot] != nil { note(slot) }
    }
    if !value.isNone { bind(table.slot("ans"), value) }
    let isInterrupted = machine.interruption != nil
    let source = try recordedSource(statement, program)
    var echo: Echo?
    if let name, !statement.isSilenced {
      echo = Echo(text: "\(name): \(value.echo)", digest: try machine.digest(of: value))
    }
    return StatementResult(
      source: source, originalSource: program.text.text(statement.span),
      lines: program.text.lines(of: statement.span), name: name, value: value,
      printed: machine.printed, echo: echo, isSilenced: statement.isSilenced,
      isInterrupted: isInterrupted)
  }

  private func bind(_ slot: Int, _ value: Value) {
    machine.globals[slot] = value
    note(slot)
  }

  private func note(_ slot: Int) {
    if ordered.insert(slot).inserted { order.append(slot) }
  }

  /// The statement's text; if an operation stopped early, with the argument that makes it so.
  ///
  /// - Throws: `EvokeError` (interrupted) if no text says what ran.
  private func recordedSource(
    _ statement: CheckedStatement, _ program: Program
  ) throws -> String {
    guard let interruption = machine.interruption else { return program.text.text(statement.span) }
    if case .block = statement.kind { throw EvokeError(.interrupted, "stopped") }
    guard interruption.isTopLevel, interruption.source === program.text else {
      throw EvokeError(.interrupted, "stopped")
    }
    // The draws of a statement that binds nothing are keyed by its text, which would be another.
    if case .expression = statement.kind, machine.drawsOfStatement > 0 {
      throw EvokeError(
        .interrupted, "stopped",
        hint: "bind a name, x = …, and what a statement has by then is kept")
    }
    return program.text.replacing(
      statement.span, interruption.site, interruption.parameter, interruption.value.sourceText)
  }

  // MARK: - Surroundings

  /// Files, screen and cancellation; may be changed between statements.
  public var host: any ScriptHost {
    get { machine.host }
    set { machine.host = newValue }
  }

  /// Where values of calls are kept and taken from; nil for nowhere.
  public var memory: (any CallMemory)? {
    get { machine.memory }
    set { machine.memory = newValue }
  }

  // MARK: - State

  /// Every name bound, in order of first binding, with its value.
  public var bindings: [(name: String, value: Value)] {
    order.compactMap { slot in
      guard slot < machine.globalCount, let value = machine.globals[slot] else { return nil }
      return (name: table.names[slot], value: value)
    }
  }

  /// The value of a name, or nil if it is not bound.
  public subscript(name: String) -> Value? {
    guard let slot = table.slots[name], slot < machine.globalCount else { return nil }
    return machine.globals[slot]
  }

  /// What builtins said that results depend on, in order: `("model", "demo sha256:1f3a…")`.
  public var fingerprint: [(key: String, value: String)] { machine.fingerprints }

  /// The seed of the session.
  public var seed: Int { machine.seed }

  /// Everything that statements change, to keep and to go back to (undo).
  public var state: State {
    get {
      State(
        values: (0..<machine.globalCount).map { machine.globals[$0] }, order: order,
        counters: machine.counters)
    }
    set {
      for slot in 0..<machine.globalCount {
        machine.globals[slot] = slot < newValue.values.count ? newValue.values[slot] : nil
      }
      order = newValue.order
      ordered = Set(order)
      machine.counters = newValue.counters
    }
  }

  /// The values of all names, the seed and the counters of drawing, at one moment.
  public struct State: Sendable {
    let values: [Value?]
    let order: [Int]
    let counters: Machine.Counters
  }
}

/// A script that was parsed and checked.
public struct Program {
  let text: SourceText
  let checked: [CheckedStatement]

  /// What errors call the script.
  public var name: String { text.name }

  /// The text, with overrides applied.
  public var source: String { text.text }

  public var statements: [Statement] {
    checked.map { statement in
      var name: String?
      if case .assign(let target, _, _) = statement.kind { name = target }
      return Statement(
        source: text.text(statement.span), lines: text.lines(of: statement.span), name: name,
        isSilenced: statement.isSilenced)
    }
  }

  /// One top-level statement.
  public struct Statement: Sendable {
    public let source: String
    /// The first and the last line in the script, from 1.
    public let lines: ClosedRange<Int>
    /// The name it binds, if it is an assignment.
    public let name: String?
    /// Whether a `;` stands behind it.
    public let isSilenced: Bool
  }
}

/// Scripts that are looked at without being run.
public enum Script {
  /// The top-level statements of a script that may use names nobody has declared.
  ///
  /// - Throws: ``Diagnostics`` if it cannot be parsed.
  public static func statements(of source: String, name: String) throws -> [Program.Statement] {
    let text = SourceText(source, name: name)
    let (statements, errors) = Parser.parse(text)
    guard errors.isEmpty else {
      throw Diagnostics(errors.map { text.diagnostic($0.error, $0.span) })
    }
    return statements.map { statement in
      var name: String?
      if case .assign(let target, _, _, _) = statement.kind { name = target }
      return Program.Statement(
        source: text.text(statement.span), lines: text.lines(of: statement.span), name: name,
        isSilenced: statement.isSilenced)
    }
  }
}

extension SourceText {
  /// The text of `span` with `value` for the argument `parameter` of the call at `site`.
  func replacing(_ span: Span, _ site: CallSite, _ parameter: String, _ value: String) -> String {
    if let place = site.arguments[parameter] {
      return text(Span(span.start, place.start)) + value + text(Span(place.end, span.end))
    }
    let close = site.span.end - 1
    return text(Span(span.start, close)) + (site.isEmpty ? "" : ", ") + "\(parameter): \(value)"
      + text(Span(close, span.end))
  }
}
