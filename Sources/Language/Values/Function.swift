/// A function of the language: one written in a script, or a builtin.
public struct Function: Sendable {
  enum Kind: Sendable {
    case builtin(Builtin)
    case script(ScriptFunction)
  }
  let kind: Kind
  /// 1 more than the deepest captured value.
  let depth: Int

  /// The builtin as a value.
  public init(_ builtin: Builtin) {
    kind = .builtin(builtin)
    depth = 0
  }

  init(_ script: ScriptFunction) {
    kind = .script(script)
    var deepest = 0
    for value in script.captured { deepest = max(deepest, value.depth) }
    depth = deepest + 1
  }

  /// The name it was declared with, or `function`.
  public var name: String {
    switch kind {
    case .builtin(let builtin): builtin.name
    case .script(let script): script.declaration.name
    }
  }
}
