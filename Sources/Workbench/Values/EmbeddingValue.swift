import Inversion
import Language
import Tensors

/// A point of the token table's space: where a search starts, or what it found.
public struct EmbeddingValue: Object {
  public static let typeName = "Embedding"
  public static let memberNames = ["vector", "norm", "word", "words", "weights"]

  /// [d]
  public let vector: Tensor
  /// The words it was made of or lies closest to, most important first, with their weights.
  public let words: [(word: String, weight: Double)]

  public init(_ vector: Tensor, words: [(word: String, weight: Double)] = []) {
    self.vector = vector
    self.words = words
  }

  /// The word that stands for it best, if it was made of words.
  public var word: String? { words.first?.word }

  public var summary: String {
    let near = words.prefix(3).map { "\($0.word) \(Format.fraction($0.weight))" }
    let base = "\(vector.count)-d, norm \(Format.number(norm))"
    return near.isEmpty ? base : "\(base), \(near.joined(separator: " · "))"
  }

  private var norm: Double {
    vector.values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
  }

  public var asTensor: Tensor? { vector }

  public func hash(into digest: inout Digest) {
    digest.tensor(vector)
    digest.int(words.count)
    for entry in words {
      digest.string(entry.word)
      digest.double(entry.weight)
    }
  }

  public func member(_ name: String) throws -> Value? {
    switch name {
    case "vector": .tensor(vector)
    case "norm": .double(norm)
    case "word": word.map(Value.string) ?? Value.none
    case "words": .strings(words.map(\.word))
    case "weights": .doubles(words.map(\.weight))
    default: nil
    }
  }
}
