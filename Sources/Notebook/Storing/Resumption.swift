import Language
import Tensors

/// Brings a session of the store back: its statements run again, with the values that were kept in
/// place of long work, and each is compared with what was journalled.
public struct Resumption {
  /// Why a session could not be brought back as a whole.
  public enum Obstacle: Sendable {
    /// A statement gives something else than it did: the lines now.
    case differs(StoredStatement, now: [String])
    case fails(StoredStatement, Diagnostic)
  }
  /// What came back, in order.
  public let results: [StatementResult]
  /// The interpreter's state before each statement.
  public let states: [Interpreter.State]
  /// What stopped the coming back, if anything did.
  public let obstacle: Obstacle?
  /// The statement that was running when the session was cut off; it did not run yet.
  public let pending: StoredStatement?

  /// Runs the finished statements again in a fresh interpreter.
  ///
  /// - Parameters:
  ///   - host: where the statements read and write; writes should lead into a folder that goes away,
  ///     because the session has written its files already.
  /// - Throws: `Diagnostic` of kind `interrupted` if the user stopped it; the interpreter is then as
  ///   it was.
  public init(
    _ statements: [StoredStatement], in interpreter: Interpreter, host: any ScriptHost
  ) throws {
    var results: [StatementResult] = []
    var states: [Interpreter.State] = []
    var obstacle: Obstacle?
    let (kept, initial) = (interpreter.host, interpreter.state)
    interpreter.host = host
    defer { interpreter.host = kept }
    for statement in statements {
      guard let outputs = statement.outputs else { break }
      let before = interpreter.state
      do {
        let program = try interpreter.prepare(statement.text, name: "input")
        var result: StatementResult?
        try interpreter.run(program) { result = $0 }
        guard let result else { continue }
        let now = RecordedLine.lines(of: result)
        guard now == outputs else {
          interpreter.state = before
          obstacle = .differs(statement, now: now)
          break
        }
        results.append(result)
        states.append(before)
      } catch let error as Diagnostic {
        if error.error.kind == .interrupted {
          interpreter.state = initial
          throw error
        }
        obstacle = .fails(statement, error)
      } catch let errors as Diagnostics {
        guard let first = errors.all.first else { throw errors }
        obstacle = .fails(statement, first)
      }
      if obstacle != nil { break }
    }
    self.results = results
    self.states = states
    self.obstacle = obstacle
    pending = obstacle == nil ? statements.first { $0.outputs == nil } : nil
  }
}
