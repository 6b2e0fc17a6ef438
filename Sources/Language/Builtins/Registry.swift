import Tensors

/// The vocabulary: every builtin by name, in order of declaration.
public struct Registry: Sendable {
  public let builtins: [Builtin]
  /// The domain's value types, so that the checker and completion know their members.
  public let types: [any Object.Type]
  private let index: [String: Int]

  /// A registry of `builtins`; a later one replaces an earlier one of the same name.
  public init(_ builtins: [Builtin], types: [any Object.Type] = []) {
    self.types = types
    var kept: [Builtin] = []
    var index: [String: Int] = [:]
    for builtin in builtins {
      if let known = index[builtin.name] {
        kept[known] = builtin
      } else {
        index[builtin.name] = kept.count
        kept.append(builtin)
      }
    }
    self.builtins = kept
    self.index = index
  }

  /// The language's own builtins (`print`, `seed`, `count`, `map`, tensor functions …), which every
  /// program has; add the domain's: `Registry(Registry.core.builtins + workbench)`.
  public static let core = Registry(CoreBuiltins.all)

  public subscript(name: String) -> Builtin? { index[name].map { builtins[$0] } }

  /// The members of the domain type of that name; nil if the registry was not told of it.
  public func memberNames(of typeName: String) -> [String]? {
    types.first { $0.typeName == typeName }?.memberNames
  }

  public var names: [String] { builtins.map(\.name) }

  /// The topics in order of first declaration.
  public var topics: [String] {
    var topics: [String] = []
    for builtin in builtins where !topics.contains(builtin.topic) { topics.append(builtin.topic) }
    return topics
  }
}
