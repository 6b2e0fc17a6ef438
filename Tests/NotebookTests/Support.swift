import Foundation
import Language
import Synchronization
import Tensors

@testable import Notebook

/// A host that can be stopped and that remembers what it was told.
final class TestHost: ScriptHost {
  struct Seen {
    var notes: [String] = []
    var printed: [String] = []
    var progress = 0
  }
  let seen = Mutex(Seen())
  /// Asks to stop once so many progress reports have come.
  let stopsAfter: Int

  init(stopsAfter: Int = .max) { self.stopsAfter = stopsAfter }

  func readURL(_ path: String) throws -> URL { throw EvokeError(.file, "no file “\(path)”") }
  func writeURL(_ path: String) throws -> URL { throw EvokeError(.file, "no file “\(path)”") }
  func note(_ text: String) { seen.withLock { $0.notes.append(text) } }
  func printed(_ line: String) { seen.withLock { $0.printed.append(line) } }
  func progress(_ update: ProgressUpdate) { seen.withLock { $0.progress += 1 } }
  var isCancelled: Bool { seen.withLock { $0.progress >= stopsAfter } }
}

/// A vocabulary whose results can be made to drift, as another version's would.
func registry(drift: Double = 0, model: String = "demo") -> Registry {
  Registry(
    Registry.core.builtins + [
      Builtin(
        "measure", topic: "Test", summary: "A number that depends on the version",
        parameters: [Parameter("x", .number, "the exact number")], returns: .number,
        example: "measure(1)"
      ) { arguments, _ in .double(try arguments.double("x") * (1 + drift)) },
      Builtin(
        "model", topic: "Test", summary: "A model",
        parameters: [Parameter("name", .string, "its name")], returns: .record,
        example: "model(\"demo\")"
      ) { arguments, context in
        context.fingerprint("model", "\(model) sha256:\(model.utf8.count)")
        return .record(Record([("model", .string(model))]))
      },
      Builtin(
        "evolve", topic: "Test", summary: "Takes long, and stops when asked",
        parameters: [
          Parameter("start", .int, "where to begin"),
          Parameter(label: "generations", .int, default: 10, "how many"),
        ], returns: .int, example: "evolve(0, generations: 5)"
      ) { arguments, context in
        let start = try arguments.int("start")
        for generation in 0..<(try arguments.int("generations")) {
          if context.isCancelled {
            context.recordInterrupted("generations", as: .int(generation))
            return .int(start + generation)
          }
          context.progress(ProgressUpdate("evolve", completed: generation + 1))
        }
        return .int(start + (try arguments.int("generations")))
      },
    ])
}

let environment = [(key: "precision", value: "float32"), (key: "isa", value: "avx2")]

/// The session that running `source` records.
func session(
  _ source: String, name: String = "a.evk", seed: Int = 0, host: any ScriptHost = TestHost(),
  drift: Double = 0
) throws -> String {
  let interpreter = Interpreter(registry: registry(drift: drift), host: host, seed: seed)
  return try Recorder.run(
    SessionDocument(source, name: name), with: interpreter, version: "0.1",
    environment: environment
  ).text
}

/// What replaying `session` reports.
func replay(
  _ session: String, name: String = "a.evk", version: String = "0.1", drift: Double = 0,
  model: String = "demo", goesOn: Bool = false, tolerance: Double = 1e-3
) throws -> ReplayReport {
  try Replay(
    SessionDocument(session, name: name), version: version, environment: environment,
    tolerance: tolerance, goesOn: goesOn
  ).run(registry: registry(drift: drift, model: model), host: TestHost())
}
