import Foundation
import Language
import Synchronization
import Tensors

@testable import Notebook

/// A folder that goes away with the test.
final class TemporaryFolder: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("evoke-notebook-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }
}

/// A value that is kept, and one that is not.
struct Kept: Storable {
  static let typeName = "Kept"
  let number: Int
  /// What the digest leaves out.
  var hidden = 0
  var summary: String { "\(number)" }
  func hash(into digest: inout Digest) { digest.int(number) }
  init(number: Int, hidden: Int = 0) { (self.number, self.hidden) = (number, hidden) }
  func encode(into encoder: inout ValueEncoder) throws {
    encoder.int(number)
    encoder.int(hidden)
  }
  init(from decoder: inout ValueDecoder) throws {
    self.init(number: try decoder.int(), hidden: try decoder.int())
  }
}

struct NotKept: Object {
  static let typeName = "NotKept"
  let summary = ""
  func hash(into digest: inout Digest) { digest.int(1) }
}

/// How often the bodies of the test's builtins ran, and when to die.
final class Calls: Sendable {
  struct Counts {
    var slow = 0
    var draws = 0
    var steps = 0
    /// The step at which a walk is cut off, as if the process was killed.
    var diesAt = Int.max
  }
  let counts = Mutex(Counts())
  subscript<T: Sendable>(_ path: KeyPath<Counts, T> & Sendable) -> T {
    counts.withLock { $0[keyPath: path] }
  }
}

/// A vocabulary of calls that are worth keeping.
func keepingRegistry(_ calls: Calls) -> Registry {
  let slow = Builtin(
    "slow", topic: "Test", summary: "A number that takes long",
    parameters: [Parameter("x", .any, "anything")], returns: .any, example: "slow(1)"
  ) { arguments, _ in
    calls.counts.withLock { $0.slow += 1 }
    return arguments["x"]
  }
  let draw = Builtin(
    "draw", topic: "Test", summary: "Two random numbers", parameters: [], returns: .list(.number),
    example: "draw()"
  ) { _, context in
    calls.counts.withLock { $0.draws += 1 }
    var (a, b) = (context.random(), context.random())
    return .doubles([a.uniform(), b.uniform()])
  }
  let kept = Builtin(
    "kept", topic: "Test", summary: "A domain value",
    parameters: [
      Parameter("x", .int, "shown"), Parameter(label: "hidden", .int, default: 0, "not"),
    ],
    returns: .object("Kept"), example: "kept(1)"
  ) { arguments, _ in
    .object(Kept(number: try arguments.int("x"), hidden: try arguments.int("hidden")))
  }
  let opaque = Builtin(
    "opaque", topic: "Test", summary: "A value that is made again", parameters: [],
    returns: .object("NotKept"), example: "opaque()"
  ) { _, _ in .object(NotKept()) }
  let talk = Builtin(
    "talk", topic: "Test", summary: "Prints", parameters: [], returns: .int, example: "talk()"
  ) { _, context in
    calls.counts.withLock { $0.slow += 1 }
    try context.print("hello")
    return .int(1)
  }
  return Registry(
    Registry.core.builtins + [slow, draw, kept, opaque, talk, walk(calls)],
    types: [Kept.self, NotKept.self])
}

/// A long operation that checkpoints every step.
private func walk(_ calls: Calls) -> Builtin {
  Builtin(
    "walk", topic: "Test", summary: "Adds one, often",
    parameters: [
      Parameter("from", .object("Kept"), "where to begin"),
      Parameter(label: "steps", .int, default: 10, "how many"),
    ], returns: .object("Kept"), example: "walk(kept(0))"
  ) { arguments, context in
    let from = try arguments.object("from", as: Kept.self)
    var now = context.resumed(as: Kept.self) ?? from
    let end = from.number + (try arguments.int("steps"))
    while now.number < end {
      if context.isCancelled {
        context.recordInterrupted("steps", as: .int(now.number - from.number))
        break
      }
      now = Kept(number: now.number + 1, hidden: now.hidden &* 31 &+ now.number)
      let isOver = calls.counts.withLock { counts in
        counts.steps += 1
        return counts.steps >= counts.diesAt
      }
      context.checkpoint(.object(now))
      if isOver { throw EvokeError(.file, "killed") }
      context.progress(ProgressUpdate("walk", completed: now.number))
    }
    return .object(now)
  }
}

/// One process's worth of a session with a store.
struct Sitting {
  let store: Store
  let calls: Calls
  let interpreter: Interpreter
  let journal: Journal
  let memory: StoreMemory
  let trouble: Troubles

  final class Troubles: Sendable {
    let all = Mutex<[String]>([])
    var messages: [String] { all.withLock { $0 } }
  }

  init(
    _ folder: URL, calls: Calls = Calls(), recalls: Bool = false, version: String = "1",
    name: String = "", host: any ScriptHost = TestHost()
  ) throws {
    let store = try Store(folder: folder)
    let troubles = Troubles()
    let tell = { (error: EvokeError) in troubles.all.withLock { $0.append(error.message) } }
    let journal = Journal(
      store, name.isEmpty ? .prompt : .run, name: name, folder: "/f", trouble: tell)
    interpreter = Interpreter(registry: keepingRegistry(calls), host: host)
    memory = StoreMemory(
      store, registry: interpreter.registry, circumstances: version, recalls: recalls,
      threshold: .zero, session: { journal.session }, trouble: tell)
    interpreter.memory = memory
    (self.store, self.calls, self.journal, trouble) = (store, calls, journal, troubles)
  }

  /// Runs a document with the journal.
  @discardableResult
  func run(_ source: String) throws -> Recording {
    try Recorder.run(
      SessionDocument(source, name: "a.evk"), with: interpreter, version: "0.1", journal: journal)
  }
}
