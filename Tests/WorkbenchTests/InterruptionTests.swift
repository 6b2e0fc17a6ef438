import Foundation
import Language
import Synchronization
import Tensors
import Testing

@testable import Workbench

/// Ctrl-C during a long operation: what there is by then is kept, and recorded as what it was.
@Suite struct InterruptionTests {
  /// Is asked to stop once an operation has come so far.
  private final class StoppingHost: ScriptHost {
    let limit: Int
    let hasStopped = Mutex(false)
    init(_ limit: Int) { self.limit = limit }
    func readURL(_ path: String) throws -> URL { URL(fileURLWithPath: path) }
    func writeURL(_ path: String) throws -> URL { URL(fileURLWithPath: path) }
    var isCancelled: Bool { hasStopped.withLock { $0 } }
    func progress(_ update: ProgressUpdate) {
      if update.completed >= limit { hasStopped.withLock { $0 = true } }
    }
  }

  /// The results of a script that is stopped, and the error that it ends in.
  private func stopped(_ source: String, at limit: Int) throws -> ([StatementResult], String) {
    let interpreter = Interpreter(
      registry: Workbench.registry, host: StoppingHost(limit), seed: 7)
    let program = try interpreter.prepare("m = model(\"demo\")\n" + source, name: "t")
    var results: [StatementResult] = []
    let error = #expect(throws: Diagnostic.self) {
      try interpreter.run(program) { results.append($0) }
    }
    #expect(error?.error.kind == .interrupted)
    return (Array(results.dropFirst()), error?.error.message ?? "")
  }

  @Test(
    "A stopped generate keeps the pictures that were finished",
    arguments: [
      (
        "x = generate(m, \"a star\", count: 3, steps: 1, size: 512)",
        "x = generate(m, \"a star\", count: 1, steps: 1, size: 512)"
      ),
      (
        "generate(m, [\"a star\", \"a moon\"], seed: 3, steps: 1, size: 512)",
        "generate(m, [\"a star\"], seed: 3, steps: 1, size: 512)"
      ),
    ])
  func generate(source: String, shorter: String) throws {
    let (results, _) = try stopped(source, at: 2)
    let result = try #require(results.first)
    #expect(result.source == shorter && result.isInterrupted)
    let again = try Script().run("m = model(\"demo\")\n" + shorter)
    #expect(again.results.last?.echo == result.echo)
  }

  @Test("Where nothing was finished, it says so")
  func nothing() throws {
    let (results, message) = try stopped("x = generate(m, \"a star\", count: 3, steps: 2)", at: 1)
    #expect(results.isEmpty && message == "stopped before a picture was finished")
  }
}
