/// A function of the language: one written in a script, or a builtin.
public final class Function: Sendable {
  enum Kind: Sendable {
    case builtin(Builtin)
    case script(FunctionCode, captured: [Value])
  }
  let kind: Kind
  /// 1 more than the deepest captured value.
  let depth: Int

  /// The builtin as a value.
  public init(_ builtin: Builtin) {
    kind = .builtin(builtin)
    depth = 0
  }

  init(_ code: FunctionCode, captured: [Value]) {
    kind = .script(code, captured: captured)
    var deepest = 0
    for value in captured { deepest = max(deepest, value.depth) }
    depth = deepest + 1
  }

  /// The name it was declared with, or `function`.
  public var name: String {
    switch kind {
    case .builtin(let builtin): builtin.name
    case .script(let code, _): code.name
    }
  }

  /// Whether it was written without a name.
  var isAnonymous: Bool {
    if case .script(let code, _) = kind { code.isAnonymous } else { false }
  }

  /// The call that it takes, `f(a, b: 3)`.
  public var signature: String {
    switch kind {
    case .builtin(let builtin): builtin.signature
    case .script(let code, _): code.signature
    }
  }
}
