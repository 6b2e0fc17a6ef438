import Checkpoints
import Foundation
import Tensors

/// A word that was learned from pictures: a placeholder and the embeddings it stands for.
public struct LearnedWord: Sendable, Equatable {
  /// How the word is written in prompts, like `<star>`.
  public let placeholder: String
  /// Its embeddings [n, d], one row for each token it takes.
  public let vectors: Tensor
  /// Where it comes from, as key and text; stored in the file.
  public let metadata: [String: String]

  /// Takes embeddings [n, d] or a single one [d].
  ///
  /// Throws `EvokeError(.shape)` for any other shape, `.numeric` for values that are not finite, and
  /// `.value` for a placeholder that cannot be found in a prompt.
  public init(_ placeholder: String, vectors: Tensor, metadata: [String: String] = [:]) throws {
    guard !placeholder.isEmpty,
      !placeholder.unicodeScalars.contains(where: \.properties.isWhitespace)
    else {
      throw EvokeError(
        .value, "\"\(placeholder)\" cannot be a placeholder: it is empty or has a space in it",
        hint: "write it like \"<star>\"")
    }
    guard (1...2).contains(vectors.rank), vectors.count > 0 else {
      throw EvokeError(
        .shape, "a learned word has embeddings of shape [n, d], these have \(vectors.shape)")
    }
    guard vectors.withUnsafeValues({ $0.allSatisfy(\.isFinite) }) else {
      throw EvokeError(.numeric, "the embeddings of \"\(placeholder)\" are not all finite")
    }
    self.placeholder = placeholder
    self.vectors = vectors.rank == 1 ? vectors.reshaped([1, vectors.count]) : vectors
    self.metadata = metadata
  }

  /// The number n of tokens it takes in a prompt.
  public var count: Int { vectors.shape[0] }
  /// The width d of the model it was learned on.
  public var width: Int { vectors.shape[1] }

  /// Reads a diffusers embedding: a safetensors file with one tensor, named by its placeholder.
  ///
  /// A tensor named `emb_params` (A1111) takes the file's name, in angle brackets, for a placeholder.
  /// Throws `EvokeError(.format)` when the file holds anything else.
  public static func read(_ url: URL) throws -> LearnedWord {
    let file = try SafetensorsFile(url)
    guard file.names.count == 1, let name = file.names.first else {
      throw EvokeError(
        .format, "\(url.path) holds \(file.names.count) tensors, a learned word is one",
        hint: "is it a whole model?")
    }
    let stem = url.deletingPathExtension().lastPathComponent
    let placeholder = name == "emb_params" ? "<\(stem)>" : name
    do {
      return try LearnedWord(
        placeholder, vectors: try file.tensor(name), metadata: file.metadata)
    } catch let error as EvokeError {
      throw EvokeError(.format, "\(url.path): \(error.message)", hint: error.hint)
    }
  }

  /// Writes the file that diffusers' `load_textual_inversion` reads: {placeholder: [n, d]}, float32.
  ///
  /// `extra` is added to the word's metadata. Throws `EvokeError(.file)` when it cannot write.
  public func write(to url: URL, metadata extra: [String: String] = [:]) throws {
    let all = metadata.merging(["format": "pt"]) { old, _ in old }.merging(extra) { _, new in new }
    let sorted = all.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    try Safetensors.write([(placeholder, vectors)], metadata: sorted, to: url)
  }
}
