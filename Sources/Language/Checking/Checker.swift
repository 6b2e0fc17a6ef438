import Tensors

/// Resolves the names of a script, checks its calls, and makes it ready to run; reports everything
/// that is wrong before anything runs.
struct Checker {
  let source: SourceText
  let registry: Registry
  var globals: GlobalTable
  /// The top-level names that are bound by what was checked so far.
  var bound: Set<String>
  /// All top-level names that the script binds somewhere, with the place of the first.
  var declared: [String: Span] = [:]
  /// What is known about top-level names' types.
  var types: [String: ValueType] = [:]
  /// The functions that top-level names stand for, where that is known.
  var functions: [String: FunctionCode] = [:]
  /// Names whose values change in blocks, so that nothing is known about their types.
  var untyped: Set<String> = []
  var scope = FunctionScope(parent: nil, isMain: true)
  var errors: [SyntaxError] = []
  /// Whether the expression that is being checked calls anything.
  var sawCall = false
  /// Whether the code that is being checked runs right here, not later as a function's body.
  var isImmediate: Bool { scope.isMain }

  /// - Parameter known: The names that are bound before the script, with their types.
  init(
    _ source: SourceText, _ registry: Registry, globals: GlobalTable,
    known: [(name: String, value: Value)]
  ) {
    self.source = source
    self.registry = registry
    self.globals = globals
    bound = ["ans"]
    for (name, value) in known {
      bound.insert(name)
      types[name] = ValueType(of: value)
      if case .function(let function) = value, case .script(let code, _) = function.kind {
        functions[name] = code
      }
    }
    types["ans"] = nil
  }

  mutating func check(_ statements: [StatementSyntax]) -> [CheckedStatement] {
    for statement in statements {
      for (name, span) in assignedNames([statement]) where declared[name] == nil {
        declared[name] = span
      }
      switch statement.kind {
      case .assign, .function, .expression: break
      default: untyped.formUnion(assignedNames([statement]).map(\.0))
      }
    }
    return statements.map { topLevel($0) }
  }

  mutating func report(_ error: EvokeError, _ span: Span) {
    if errors.count < Parser.errorLimit { errors.append(SyntaxError(error: error, span: span)) }
  }

  mutating func report(
    _ kind: EvokeError.Kind, _ message: String, hint: String? = nil, _ span: Span
  ) {
    report(EvokeError(kind, message, hint: hint), span)
  }
}

/// A top-level statement, ready to run.
struct CheckedStatement {
  enum Kind {
    case assign(String, slot: Int, Node)
    /// An expression, and the name if it is nothing but a name.
    case expression(Node, name: String?)
    case block(StatementNode)
  }
  let kind: Kind
  let span: Span
  let isSilenced: Bool
  /// The slots that it may change.
  let changes: [Int]
  /// The local slots that it needs.
  let frameSize: Int
}

/// The names that statements assign, loop variables and functions' insides left out.
func assignedNames(_ statements: [StatementSyntax]) -> [(String, Span)] {
  var names: [(String, Span)] = []
  for statement in statements {
    switch statement.kind {
    case .assign(let name, let span, _, _): names.append((name, span))
    case .function(let function):
      if let name = function.name { names.append((name, function.nameSpan)) }
    case .forIn(let variable, _, _, let body):
      names += assignedNames(body).filter { $0.0 != variable }
    case .whileLoop(_, let body): names += assignedNames(body)
    case .ifElse(let branches, let otherwise):
      for branch in branches { names += assignedNames(branch.body) }
      names += assignedNames(otherwise ?? [])
    case .expression, .returnValue, .breakLoop, .continueLoop: break
    }
  }
  return names
}

extension ValueType {
  /// The type of a value, as far as it can be said.
  init?(of value: Value) {
    switch value {
    case .none: return nil
    case .bool: self = .bool
    case .int: self = .int
    case .double: self = .number
    case .string: self = .string
    case .list: self = .list
    case .range: self = .range
    case .record: self = .record
    case .member: self = .member
    case .function: self = .function
    case .tensor: self = .tensor
    case .object(let object): self = .object(type(of: object).typeName)
    }
  }

  /// Whether a value of this type may be one of type `other`.
  func mayBe(_ other: ValueType) -> Bool {
    switch (self, other) {
    case (.any, _), (_, .any): true
    case (.union(let types), _): types.contains { $0.mayBe(other) }
    case (_, .union(let types)): types.contains { mayBe($0) }
    case (.list(let a), .list(let b)): a.mayBe(b)
    case (.number, .int), (.int, .number): true
    // A domain value may stand for a tensor; only the value itself knows.
    case (.object, .tensor): true
    default: self == other
    }
  }
}
