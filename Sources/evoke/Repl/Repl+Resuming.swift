import Foundation
import Language
import Notebook
import Tensors

extension Repl {
  /// Says that a session was cut off here, if one was.
  func offerResuming() {
    guard let session = keeper.interrupted else { return }
    let count = session.count == 1 ? "1 statement" : "\(session.count) statements"
    Terminal.standardOutput(
      "A session with \(count) was cut off here; :resume goes on where it was.")
  }

  /// `:resume`: brings a session back, and goes on with the statement that was cut off.
  func resume(_ text: String) {
    guard results.isEmpty, text.isEmpty || Int(text) != nil else {
      let problem =
        results.isEmpty
        ? ":resume takes the number of a session" : "this session has statements of its own"
      return Terminal.standardError(
        "error: \(problem)\n  :resume comes first; `evoke store` lists the sessions")
    }
    do {
      let resumed = try keeper.resume(Int(text), in: interpreter, host: host)
      host.progressLine.clear()
      let resumption = resumed.resumption
      take(resumption)
      let all = resumed.session.count
      let count = resumption.results.count
      let noun = all == 1 ? "statement" : "statements"
      Terminal.standardOutput(
        "resumed \(count) of \(all) \(noun) of session \(resumed.session.id)")
      if let obstacle = resumption.obstacle { explain(obstacle) }
      if let last = resumption.results.last { show(last) }
      guard let pending = resumption.pending else { return }
      Terminal.standardOutput("going on with: \(pending.text)")
      keeper.recalling { evaluate(pending.text) }
    } catch { show(error) }
    Interruption.clear()
  }

  private func explain(_ obstacle: Resumption.Obstacle) {
    switch obstacle {
    case .differs(let statement, let now):
      Terminal.standardError("warning: a statement gives something else now: \(statement.source)")
      for line in statement.outputs ?? [] { Terminal.standardError("  then  \(line)") }
      for line in now { Terminal.standardError("  now   \(line)") }
    case .fails(let statement, let diagnostic):
      Terminal.standardError("warning: a statement fails now: \(statement.source)")
      show(diagnostic)
    }
    Terminal.standardError("  the session goes on before it; the whole one stays in `evoke store`")
  }
}
