import Foundation
import Tensors

/// An error of the evaluator with its place.
struct Fault: Error {
  let error: EvokeError
  let span: Span
  let source: SourceText
  /// The calls that led here, the innermost first; the outermost of very many are left out.
  var trail: [String] = []

  var diagnostic: Diagnostic { source.diagnostic(error, span, trail: trail) }

  /// The same error, with the call that it passes through.
  func passing(_ call: Span, in caller: SourceText) -> Fault {
    guard trail.count < 4 else { return self }
    var fault = self
    let text = caller.text(call).split(separator: "\n").first.map(String.init) ?? ""
    let shown = shortened(String(text), 60)
    fault.trail.append("\(caller.name):\(caller.line(at: call.start)): \(shown)")
    return fault
  }
}

/// The state of evaluation: variables, seed, counters, and the way to the host.
///
/// The properties that every expression touches are exempt from dynamic exclusivity checks: a
/// machine belongs to one thread, and no two accesses overlap.
final class Machine {
  var host: any ScriptHost
  let limits: Limits
  /// What earlier runs kept of calls, and keeps of this one's.
  var memory: (any CallMemory)?

  /// The top-level variables by slot.
  @exclusivity(unchecked) var globals: UnsafeMutablePointer<Value?>
  private(set) var globalCount = 0
  /// The variables of the functions that are running, and the current one's first.
  private let stack: UnsafeMutablePointer<Value?>
  private let stackSize: Int
  @exclusivity(unchecked) private var stackTop = 0
  @exclusivity(unchecked) var locals: UnsafeMutablePointer<Value?>

  /// The source of the code that is running.
  @exclusivity(unchecked) var source = SourceText("", name: "")
  @exclusivity(unchecked) private(set) var steps = 0
  @exclusivity(unchecked) private(set) var callDepth = 0
  private var stackLimit: UInt = 0
  @exclusivity(unchecked) private var watch = MemoryWatch()

  private(set) var seed: Int
  /// What is being bound at each level of calls, the innermost last.
  @exclusivity(unchecked) private var bindings: [Binding] = [Binding(.none)]
  private var occurrences: [String: Int] = [:]
  private(set) var fingerprints: [(key: String, value: String)] = []

  // What the statement that is running has left so far.
  private(set) var printed: [String] = []
  private var printedBytes = 0
  private(set) var interruption: Interruption?
  /// Draws of the statement that runs, but for those by a seed that was given.
  private(set) var drawsOfStatement = 0
  @exclusivity(unchecked) var returned: Value = .none

  init(host: any ScriptHost, seed: Int, limits: Limits) {
    self.host = host
    self.seed = seed
    self.limits = limits
    globals = .allocate(capacity: 0)
    stackSize = max(1024, min(1 << 16, limits.callDepth &* 64))
    stack = .allocate(capacity: stackSize)
    stack.initialize(repeating: nil, count: stackSize)
    locals = stack
  }

  deinit {
    globals.deinitialize(count: globalCount)
    globals.deallocate()
    stack.deinitialize(count: stackSize)
    stack.deallocate()
  }

  /// Makes room for top-level variables.
  func reserveGlobals(_ count: Int) {
    guard count > globalCount else { return }
    let larger = UnsafeMutablePointer<Value?>.allocate(capacity: count)
    larger.moveInitialize(from: globals, count: globalCount)
    (larger + globalCount).initialize(repeating: nil, count: count - globalCount)
    globals.deallocate()
    globals = larger
    globalCount = count
  }

  /// The error at a place in the code that is running.
  func fault(_ error: EvokeError, _ span: Span) -> Fault {
    Fault(error: error, span: span, source: source)
  }

  // MARK: - Counting and stopping

  /// Counts work; now and then asks whether to stop.
  func step(_ count: Int = 1) throws {
    let before = steps
    steps &+= max(0, count)
    if steps > limits.steps {
      throw EvokeError(
        .value, "the run has taken more than \(limits.steps) steps",
        hint: "is there a loop without an end?")
    }
    if before >> 12 != steps >> 12 {
      try checkCancellation()
      if before >> 18 != steps >> 18 { try watch.look(adding: 0) }
    }
  }

  /// Counts the work and the memory that a value took to be made.
  func charge(_ value: Value) throws {
    let bytes = value.shallowBytes
    if bytes > 4096 {
      try step(bytes >> 12)
      try watch.note(bytes)
    }
  }

  /// Counts the work of reading through a value.
  func chargeReading(_ value: Value) throws {
    let bytes = value.shallowBytes
    if bytes > 4096 { try step(bytes >> 12) }
  }

  /// Counts the work of arithmetic with tensors, and makes sure of the memory that its result takes,
  /// before it begins.
  func charge(_ operation: BinaryOperator, _ a: Value, _ b: Value) throws {
    let (x, y) = (a.shallowBytes, b.shallowBytes)
    guard x > 4096 || y > 4096 else { return }
    try step(x >> 12 &+ y >> 12)
    if let cost = try Operators.cost(operation, a, b, limits) {
      try watch.require(cost.bytes)
      try step(cost.steps)
    }
  }

  /// Makes sure that there is memory for `bytes` more.
  func requireMemory(_ bytes: Int) throws { try watch.require(bytes) }

  func checkCancellation() throws {
    if host.isCancelled { throw EvokeError(.interrupted, "stopped") }
  }

  /// Begins a run on the current thread.
  func beginRun() {
    steps = 0
    stackLimit = Machine.lowestStackAddress()
    watch.begin(limits.memoryBytes)
  }

  // MARK: - Frames

  /// Runs `body` with `size` fresh local variables.
  func withFrame<R>(_ size: Int, _ body: (UnsafeMutablePointer<Value?>) throws -> R) throws -> R {
    guard callDepth < limits.callDepth, stackTop + size <= stackSize, hasStack() else {
      throw EvokeError(
        .value, "calls are nested more than \(min(callDepth, limits.callDepth)) deep",
        hint: "does a function call itself without an end?")
    }
    let frame = stack + stackTop
    stackTop += size
    callDepth += 1
    defer {
      for slot in 0..<size { frame[slot] = nil }
      stackTop -= size
      callDepth -= 1
    }
    return try body(frame)
  }

  /// Whether the thread's own stack has room for another call.
  private func hasStack() -> Bool {
    withUnsafeTemporaryAllocation(byteCount: 8, alignment: 8) {
      UInt(bitPattern: $0.baseAddress) > stackLimit
    }
  }

  // MARK: - Output of a statement

  func print(_ line: String) throws {
    printedBytes += line.utf8.count + 64
    guard printedBytes <= limits.printedBytes else {
      throw EvokeError(
        .value, "this statement has printed more than \(limits.printedBytes) bytes",
        hint: "print less, or write a table to a file")
    }
    for part in line.split(separator: "\n", omittingEmptySubsequences: false) {
      printed.append(String(part))
      host.printed(String(part))
    }
  }

  func fingerprint(_ key: String, _ value: String) {
    if !fingerprints.contains(where: { $0.key == key && $0.value == value }) {
      fingerprints.append((key: key, value: value))
    }
  }

  func beginStatement() {
    printed = []
    printedBytes = 0
    interruption = nil
    drawsOfStatement = 0
    returned = .none
    bindings = [Binding(.none)]
  }

  func recordInterruption(_ site: CallSite, _ parameter: String, _ value: Value) {
    interruption = Interruption(
      site: site, parameter: parameter, value: value, isTopLevel: callDepth <= 1, source: source)
  }
}

/// That an operation stopped early, and the argument that would have made it that short.
struct Interruption {
  let site: CallSite
  let parameter: String
  let value: Value
  let isTopLevel: Bool
  let source: SourceText
}

// MARK: - Randomness

extension Machine {
  /// What a statement binds: a name, or nothing, when its own text stands for one.
  struct Binding {
    enum Kind {
      case none
      case name(String)
      case text(SourceText, Span)
    }
    let kind: Kind
    init(_ kind: Kind) { self.kind = kind }

    var key: String {
      switch kind {
      case .none: ""
      case .name(let name): name
      case .text(let source, let span):
        Lexer.run(source, span).tokens.map { source.text($0.span) }.joined(separator: " ")
      }
    }
  }

  /// Notes what the statement that begins here binds.
  func bind(_ kind: Binding.Kind) { bindings[bindings.count - 1] = Binding(kind) }

  func pushBinding() { bindings.append(Binding(.none)) }
  func popBinding() { bindings.removeLast() }

  /// The generator of one call; see ``Context/random(seed:)``.
  func random(_ builtin: String, seed override: Int?, _ trace: CallTrace? = nil) -> Philox {
    if let override {
      return Philox(seed: UInt64(bitPattern: Int64(override)), stream: builtin)
    }
    let path = drawPath(builtin)
    drawsOfStatement += 1
    let occurrence = occurrences[path, default: 0]
    occurrences[path] = occurrence + 1
    if let trace, trace.firstDraw.isEmpty { trace.firstDraw = "\(seed)|\(path)|\(occurrence)" }
    return Philox(seed: UInt64(bitPattern: Int64(seed)), stream: "\(path)|\(occurrence)")
  }

  /// The names that key the draws of a builtin that is called now.
  private func drawPath(_ builtin: String) -> String {
    bindings.map(\.key).joined(separator: "/") + "|" + builtin
  }

  /// What keys the next draw of a builtin, as text.
  func nextDraw(_ builtin: String) -> String {
    let path = drawPath(builtin)
    return "\(seed)|\(path)|\(occurrences[path, default: 0])"
  }

  /// Counts draws of a call that was not made.
  func skipDraws(_ builtin: String, _ count: Int) {
    guard count > 0 else { return }
    drawsOfStatement += count
    occurrences[drawPath(builtin), default: 0] += count
  }

  func setSeed(_ seed: Int) {
    self.seed = seed
    occurrences = [:]
  }

  /// What statements change besides variables.
  struct Counters: Sendable {
    var seed: Int
    var occurrences: [String: Int]
    var fingerprints: [(key: String, value: String)]
  }

  var counters: Counters {
    get { Counters(seed: seed, occurrences: occurrences, fingerprints: fingerprints) }
    set {
      (seed, occurrences, fingerprints) = (
        newValue.seed, newValue.occurrences, newValue.fingerprints
      )
    }
  }
}

// MARK: - The thread's stack

extension Machine {
  /// The address below which this thread's stack is considered full, with room to spare.
  private static func lowestStackAddress() -> UInt {
    let reserve: UInt = 256 << 10
    #if os(Linux)
      // glibc's way to ask is hidden behind a feature macro that Swift's module map does not set.
      typealias Ask = @convention(c) (pthread_t, UnsafeMutablePointer<pthread_attr_t>) -> Int32
      var attributes = pthread_attr_t()
      guard let symbol = dlsym(nil, "pthread_getattr_np"),
        unsafeBitCast(symbol, to: Ask.self)(pthread_self(), &attributes) == 0
      else { return assumedStackAddress() + reserve }
      defer { pthread_attr_destroy(&attributes) }
      var base: UnsafeMutableRawPointer?
      var size = 0
      guard pthread_attr_getstack(&attributes, &base, &size) == 0, let base else {
        return assumedStackAddress() + reserve
      }
      return UInt(bitPattern: base) + reserve
    #else
      let top = UInt(bitPattern: pthread_get_stackaddr_np(pthread_self()))
      return top - UInt(pthread_get_stacksize_np(pthread_self())) + reserve
    #endif
  }

  /// The lowest address of a stack that has 512 KiB left, the least that threads usually get.
  private static func assumedStackAddress() -> UInt {
    withUnsafeTemporaryAllocation(byteCount: 8, alignment: 8) {
      UInt(bitPattern: $0.baseAddress) - (512 << 10)
    }
  }
}
