import Tensors

/// A running session: the names bound so far, the seed, and how often anything was drawn.
///
/// One interpreter belongs to one thread at a time.
public final class Interpreter {
  public let registry: Registry
  public let limits: Limits
  let machine: Machine

  public init(
    registry: Registry = .core, host: any Host = SilentHost(), seed: Int = 0,
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
  ///   - overrides: `name=value` from the command line: each replaces the right-hand side of the
  ///     first top-level assignment to that name.
  /// - Throws: ``Diagnostics`` with every error found; `EvokeError` (usage) for an override of a
  ///   name that the script does not bind.
  public func prepare(
    _ source: String, name: String, overrides: [(name: String, value: String)] = []
  ) throws -> Program {
    Program(name: name, source: source, statements: [])
  }

  /// Runs a program statement by statement. A statement that fails changes nothing; those before
  /// it stay.
  ///
  /// - Parameter onResult: Called behind every finished statement, before the next begins.
  /// - Throws: ``Diagnostic`` for the statement that failed, of kind `interrupted` if the user
  ///   stopped it; whatever `onResult` throws.
  public func run(_ program: Program, onResult: (StatementResult) throws -> Void) throws {}

  /// Every name bound, in order of first binding, with its value.
  public var bindings: [(name: String, value: Value)] { [] }

  /// What builtins said that results depend on, in order: `("model", "demo sha256:1f3a…")`.
  public var fingerprint: [(key: String, value: String)] { machine.fingerprints }

  /// The seed of the session.
  public var seed: Int { machine.seed }

  /// Everything that statements change, to keep and to go back to (undo).
  public var state: State {
    get { State() }
    set {}
  }

  public struct State: Sendable {
  }
}

/// A script that was parsed and checked.
public struct Program {
  public let name: String
  /// The text, with overrides applied.
  public let source: String
  public let statements: [Statement]

  /// One top-level statement.
  public struct Statement: Sendable {
    public let source: String
    /// The first and the last line in the script, from 1.
    public let lines: ClosedRange<Int>
    /// The name it binds, if it is an assignment.
    public let name: String?
  }
}
