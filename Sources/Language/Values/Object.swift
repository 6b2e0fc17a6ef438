import Tensors

/// A domain value (a model, a subspace, a search …) that the language holds without knowing it.
///
/// Conforming types are immutable: an operation returns a new value.
public protocol Object: Sendable {
  /// The type's name as users read it, `Model`; ``ValueType/object(_:)`` matches on it.
  static var typeName: String { get }

  /// The names that stand after a dot, in the order in which help lists them.
  static var memberNames: [String] { get }

  /// What stands after the type's name in an echo line: shape and the numbers that matter.
  var summary: String { get }

  /// The whole text of an echo line; `typeName summary` unless the type says otherwise
  /// (`5 images 64×64`).
  var echo: String { get }

  /// Feeds the bytes that make up this value, in a fixed order, to `digest`.
  ///
  /// Two values are equal, to the language and to a replay, if these bytes are.
  func hash(into digest: inout Digest)

  /// The member `name`, or nil if there is none of that name.
  func member(_ name: String) throws -> Value?

  /// The tensor that stands for this value in arithmetic and in places that take a tensor.
  var asTensor: Tensor? { get }
}

extension Object {
  public static var memberNames: [String] { [] }
  public var echo: String { summary.isEmpty ? Self.typeName : "\(Self.typeName) \(summary)" }
  public func member(_ name: String) throws -> Value? { nil }
  public var asTensor: Tensor? { nil }
}

/// An object with elements: `pictures[0]`, `pictures[1..<3]`, `for p in pictures { … }`.
public protocol SequenceObject: Object {
  var count: Int { get }

  /// The element at `index`, which lies within `0..<count`.
  func element(_ index: Int) throws -> Value

  /// The elements in `range`, which lies within `0..<count`, as a value of the same type.
  func elements(_ range: Range<Int>) throws -> Value
}
