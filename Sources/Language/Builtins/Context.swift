import Foundation
import Tensors

/// What a builtin may do besides computing from its arguments.
public struct Context {
  let machine: Machine
  let builtin: Builtin
  /// The call's place in the source.
  let site: CallSite
  /// What the call does besides computing, if anybody wants to know.
  var trace: CallTrace?

  /// The randomness of this call: Philox keyed by the session seed, the names being bound, the
  /// builtin and how often it was called under these names; a pure function of them, so that
  /// unrelated statements never shift it.
  ///
  /// A second request in the same call gives another, independent generator.
  ///
  /// - Parameter seed: What the user gave as `seed:`; then the key is this seed and the builtin's
  ///   name only.
  public func random(seed: Int? = nil) -> Philox {
    if seed == nil { trace?.draws += 1 }
    return machine.random(builtin.name, seed: seed, trace)
  }

  /// The seed of the session, which `seed(7)` sets.
  public var sessionSeed: Int {
    trace?.isPure = false
    return machine.seed
  }

  /// Sets the seed of the session and forgets how often anything was drawn.
  public func setSessionSeed(_ seed: Int) {
    trace?.isPure = false
    machine.setSeed(seed)
  }

  /// Tells the user how far a long operation has come.
  public func progress(_ update: ProgressUpdate) { machine.host.progress(update) }

  /// Returns if the work should go on; call it at every safe point.
  ///
  /// - Throws: `EvokeError` (interrupted) once the user has asked to stop.
  public func checkCancellation() throws { try machine.checkCancellation() }

  /// Whether the user has asked to stop, for builtins that return what they have so far.
  public var isCancelled: Bool { machine.host.isCancelled }

  /// Makes the recorded statement give `value` for the argument `parameter` of this call, so that
  /// an operation that stopped early is recorded as the shorter one that it was.
  ///
  /// The statement counts as interrupted: its result is kept, and the run stops behind it.
  public func recordInterrupted(_ parameter: String, as value: Value) {
    trace?.shortened = (parameter, value)
    machine.recordInterruption(site, parameter, value)
  }

  /// The file or folder that the script means by `path` for reading.
  public func readURL(_ path: String) throws -> URL {
    trace?.isPure = false
    return try machine.host.readURL(path)
  }

  /// The file that the script means by `path` for writing.
  public func writeURL(_ path: String) throws -> URL {
    trace?.isPure = false
    return try machine.host.writeURL(path)
  }

  /// A remark or a warning to the user that is no part of the transcript.
  public func note(_ text: String) {
    trace?.isPure = false
    machine.host.note(text)
  }

  /// Writes a line to standard output and into the transcript, behind this statement.
  ///
  /// - Throws: `EvokeError` (value) once a statement has printed far too much.
  public func print(_ line: String) throws {
    trace?.isPure = false
    try machine.print(line)
  }

  /// Shows a value (pictures, a plot) where the host can.
  public func display(_ value: Value) {
    trace?.isPure = false
    machine.host.display(value)
  }

  /// Adds to the session's fingerprint what the results depend on:
  /// `fingerprint("model", "demo sha256:1f3a…")`.
  public func fingerprint(_ key: String, _ value: String) {
    trace?.isPure = false
    machine.fingerprint(key, value)
  }

  /// Calls a function value, for builtins that take one.
  public func call(_ function: Function, _ arguments: [Value]) throws -> Value {
    trace?.isPure = false
    return try machine.call(function, arguments, at: site)
  }

  /// Counts `count` steps of work against the step limit.
  public func step(_ count: Int) throws { try machine.step(count) }

  /// Makes sure that there is memory for `bytes` more, before a large result is begun.
  ///
  /// - Throws: `EvokeError` (value).
  public func requireMemory(_ bytes: Int) throws { try machine.requireMemory(bytes) }

  /// The bounds that results must keep.
  public var limits: Limits { machine.limits }
}
