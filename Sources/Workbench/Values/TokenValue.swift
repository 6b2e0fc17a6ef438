import Diffusion
import Language
import Tensors

/// A learned word: a placeholder and the rows that stand for it.
public struct TokenValue: Object {
  public static let typeName = "Token"
  public static let memberNames = ["name", "vectors", "model"]

  public let word: LearnedWord
  /// The digest of the model it was learned on, empty if unknown.
  public let modelDigest: String

  public init(_ word: LearnedWord, modelDigest: String) {
    self.word = word
    self.modelDigest = modelDigest
  }

  public var summary: String {
    let shape = word.vectors.shape
    return "\(word.placeholder), \(shape[0]) × \(shape[1])"
  }

  public var asTensor: Tensor? { word.vectors }

  public func hash(into digest: inout Digest) {
    digest.string(word.placeholder)
    digest.tensor(word.vectors)
  }

  public func member(_ name: String) throws -> Value? {
    switch name {
    case "name": .string(word.placeholder)
    case "vectors": .tensor(word.vectors)
    case "model": .string(modelDigest)
    default: nil
    }
  }
}
