import Tensors

/// Keeps what calls of builtins gave, so that a run that was cut off, or an unchanged beginning of
/// a script, need not compute it again.
///
/// Only calls that depend on nothing but their arguments and keyed draws are ever kept: one that
/// reads or writes files, prints, shows, or calls back into the script is made again. A memory that
/// fails keeps silent towards the script.
public protocol CallMemory: AnyObject {
  /// Whether a value of this builtin may be known; asked before the key of a call is computed.
  func mayKnow(_ builtin: String) -> Bool

  /// What the call gave, with how many generators it asked for.
  func finished(_ key: CallKey) -> (value: Value, draws: Int)?

  /// What the call had reached when it was cut off.
  func unfinished(_ key: CallKey) -> Value?

  /// Keeps what a call gave; `duration` is what it took.
  func keep(_ value: Value, for key: CallKey, draws: Int, duration: Duration)

  /// Keeps what a call that still runs has reached, in place of what it had before.
  func keep(unfinished value: Value, for key: CallKey)

  /// The shortest duration of a call that is worth keeping.
  var threshold: Duration { get }
}

/// What a call's result depends on: the builtin, the arguments by their bytes, and its first draw.
public struct CallKey: Sendable, Hashable {
  public let builtin: String
  /// SHA-256, 32 bytes.
  public let digest: [UInt8]

  /// - Parameter draw: where the call's draws begin; nil for a call that draws nothing.
  /// - Returns: nil for arguments that functions are among: what these do depends on more.
  init?(_ builtin: Builtin, _ values: [Value], draw: String?) {
    var digest = Digest()
    digest.string(builtin.name)
    digest.int(values.count)
    for value in values {
      guard let bytes = Self.identity(of: value) else { return nil }
      digest.bytes(bytes)
    }
    digest.string(draw ?? "")
    self.builtin = builtin.name
    self.digest = digest.finalized()
  }

  /// The digest of everything in a value; an object's digest alone may leave out what the value
  /// goes on from, such as a search's random numbers.
  private static func identity(of value: Value) -> [UInt8]? {
    var digest = Digest()
    switch value {
    case .function: return nil
    case .object(let object):
      guard let object = object as? any Storable else { break }
      var encoder = ValueEncoder()
      guard (try? encoder.value(.object(object))) != nil else { return nil }
      digest.tag("o")
      digest.bytes(encoder.bytes)
      return digest.finalized()
    case .list(let list):
      digest.tag("l")
      digest.int(list.count)
      for element in list.elements {
        guard let bytes = identity(of: element) else { return nil }
        digest.bytes(bytes)
      }
      return digest.finalized()
    case .record(let record):
      digest.tag("R")
      digest.int(record.count)
      for (key, value) in record.fields {
        guard let bytes = identity(of: value) else { return nil }
        digest.string(key)
        digest.bytes(bytes)
      }
      return digest.finalized()
    default: break
    }
    digest.tag("v")
    digest.string(value.digest)
    return digest.finalized()
  }
}

/// What one call did, as far as keeping its value depends on it.
final class CallTrace {
  let builtin: Builtin
  let values: [Value]
  let memory: any CallMemory
  /// Whether the result depends on the arguments and keyed draws alone.
  var isPure = true
  var draws = 0
  /// Where the call's draws begin: seed, names, occurrence.
  var firstDraw: String
  /// The argument that made it as short as it became, if it was stopped.
  var shortened: (parameter: String, value: Value)?
  /// The key of the call's checkpoints, once there was one.
  var checkpointKey: CallKey?

  init(_ builtin: Builtin, _ values: [Value], _ memory: any CallMemory, firstDraw: String) {
    self.builtin = builtin
    self.values = values
    self.memory = memory
    self.firstDraw = firstDraw
  }

  /// The key under which the call's value is kept; nil if it must not be.
  var key: CallKey? {
    guard isPure else { return nil }
    var values = values
    if let shortened,
      let index = builtin.parameters.firstIndex(where: { $0.name == shortened.parameter })
    {
      values[index] = shortened.value
    }
    return CallKey(builtin, values, draw: draws > 0 ? firstDraw : nil)
  }

  /// The keys under which an earlier run may have kept it.
  var possibleKeys: [CallKey] {
    [nil, firstDraw].compactMap { CallKey(builtin, values, draw: $0) }
  }
}

extension Machine {
  /// Runs a builtin's body, or takes what the memory knows of this very call.
  func remembered(
    _ builtin: Builtin, _ values: [Value], at site: CallSite, _ memory: any CallMemory
  ) throws -> Value {
    let trace = CallTrace(builtin, values, memory, firstDraw: "")
    if memory.mayKnow(builtin.name) {
      trace.firstDraw = nextDraw(builtin.name)
      for key in trace.possibleKeys {
        guard let (value, draws) = memory.finished(key) else { continue }
        skipDraws(builtin.name, draws)
        return value
      }
    }
    let started = ContinuousClock.now
    let context = Context(machine: self, builtin: builtin, site: site, trace: trace)
    let value = try builtin.body(Arguments(builtin, values), context)
    let duration = ContinuousClock.now - started
    if duration >= memory.threshold, let key = trace.key {
      memory.keep(value, for: key, draws: trace.draws, duration: duration)
    }
    return value
  }
}

extension Context {
  /// What an earlier run of this very call had reached when it was cut off: the last value that it
  /// gave to ``checkpoint(_:)``.
  public func resumed<T: Object>(as type: T.Type = T.self) -> T? {
    guard let trace, trace.memory.mayKnow(builtin.name) else { return nil }
    for key in trace.possibleKeys {
      if case .object(let object)? = trace.memory.unfinished(key) { return object as? T }
    }
    return nil
  }

  /// Keeps what this call has reached, so that it can go on from there after the process was killed.
  ///
  /// Going on from `value` must give the same bytes as never having stopped.
  public func checkpoint(_ value: @autoclosure () -> Value) {
    guard let trace else { return }
    if trace.checkpointKey == nil { trace.checkpointKey = trace.key }
    if let key = trace.checkpointKey { trace.memory.keep(unfinished: value(), for: key) }
  }
}
