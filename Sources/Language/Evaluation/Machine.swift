import Tensors

struct CallSite {}
struct Declaration { let name: String }
final class ScriptFunction: Sendable {
  let declaration: Declaration
  let captured: [Value]
  init(declaration: Declaration, captured: [Value]) { self.declaration = declaration; self.captured = captured }
}
extension Value { var briefly: String { typeName } }
enum CoreBuiltins { static let all: [Builtin] = [] }
extension Declaration: Sendable {}

final class Machine {
  let host: any Host
  var seed: Int
  let limits: Limits
  var fingerprints: [(key: String, value: String)] = []
  init(host: any Host, seed: Int, limits: Limits) { self.host = host; self.seed = seed; self.limits = limits }
  func random(_ builtin: String, seed: Int?) -> Philox { Philox(seed: UInt64(bitPattern: Int64(seed ?? self.seed))) }
  func setSeed(_ s: Int) { seed = s }
  func checkCancellation() throws {}
  func recordInterruption(_ site: CallSite, _ parameter: String, _ value: Value) {}
  func print(_ line: String) {}
  func fingerprint(_ key: String, _ value: String) {}
  func call(_ f: Function, _ a: [Value], at: CallSite) throws -> Value { .none }
  func step(_ n: Int) throws {}
}
