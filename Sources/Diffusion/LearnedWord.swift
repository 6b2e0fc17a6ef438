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
}

// MARK: - Files

extension LearnedWord {
  /// The endings of files that hold learned words.
  public static let endings = ["safetensors", "bin", "pt"]

  /// Reads a learned word in any of the field's formats.
  ///
  /// - `.safetensors` and `.bin` of diffusers: one tensor, named by its placeholder.
  /// - `.pt` of A1111: `string_to_param` with one tensor, beside a `name`.
  /// - `emb_params`: one tensor of this name; the file's name, in angle brackets, is the placeholder.
  /// - `clip_l` and `clip_g` of Stable Diffusion XL: one for each text encoder, here side by side.
  ///
  /// Throws `EvokeError(.format)` when the file holds anything else.
  public static func read(_ url: URL) throws -> LearnedWord {
    let found = try TorchFile.isOne(url) ? fromTorch(url) : fromSafetensors(url)
    let stem = url.deletingPathExtension().lastPathComponent
    let isNamed = !["emb_params", "*", ""].contains(found.name)
    do {
      return try LearnedWord(
        isNamed ? found.name : "<\(stem)>", vectors: found.vectors, metadata: found.metadata)
    } catch let error as EvokeError {
      throw EvokeError(.format, "\(url.path): \(error.message)", hint: error.hint)
    }
  }

  private typealias Found = (name: String, vectors: Tensor, metadata: [String: String])

  private static func fromSafetensors(_ url: URL) throws -> Found {
    let file = try SafetensorsFile(url)
    if file.names.sorted() == ["clip_g", "clip_l"] {
      let parts = try ["clip_l", "clip_g"].map { name in
        let part = try file.tensor(name)
        return part.rank == 1 ? part.reshaped([1, part.count]) : part
      }
      guard parts.allSatisfy({ $0.rank == 2 && $0.shape[0] == parts[0].shape[0] }) else {
        throw EvokeError(
          .format, "\(url.path): clip_l is \(parts[0].shape) and clip_g is \(parts[1].shape)")
      }
      return (
        file.metadata["placeholder"] ?? "", Tensor.concatenated(parts, axis: 1), file.metadata
      )
    }
    let name = try only(file.names, url)
    return (name, try file.tensor(name), file.metadata)
  }

  private static func fromTorch(_ url: URL) throws -> Found {
    let file = try TorchFile(url)
    let parameters = file.names.filter { $0.hasPrefix(stringToParam) }
    guard parameters.isEmpty else {
      // The provenance that A1111 keeps.
      let kept = ["step", "sd_checkpoint", "sd_checkpoint_name", "model", "seed"]
      let metadata = file.fields.filter { kept.contains($0.key) }
      let name = try only(parameters, url)
      let written = file.fields["name"] ?? String(name.dropFirst(stringToParam.count))
      return (written, try file.tensor(name), metadata)
    }
    let name = try only(file.names, url)
    return (name, try file.tensor(name), [:])
  }

  private static let stringToParam = "string_to_param/"

  private static func only(_ names: [String], _ url: URL) throws -> String {
    guard names.count == 1, let name = names.first else {
      throw EvokeError(
        .format, "\(url.path) holds \(names.count) tensors, a learned word is one",
        hint: names.isEmpty ? nil : "is it a whole model?")
    }
    return name
  }

  /// Writes the word, in float32, in the format that the file's ending names.
  ///
  /// - `.safetensors`: {placeholder: [n, d]} with the metadata, for diffusers; of Stable Diffusion XL's
  ///   2048 numbers the first 768 as `clip_l`, the others as `clip_g`.
  /// - `.bin`: the same without metadata, for older versions of it.
  /// - `.pt`: A1111's `string_to_param`, with the metadata beside it.
  ///
  /// `extra` is added to the word's metadata. Throws `EvokeError(.file)` when it cannot write or the
  /// ending is another one.
  public func write(to url: URL, metadata extra: [String: String] = [:]) throws {
    let all = metadata.merging(extra) { _, new in new }
    switch url.pathExtension.lowercased() {
    case "safetensors" where width == 768 + 1280:
      let pairs = all.merging(["format": "pt", "placeholder": placeholder]) { _, new in new }
        .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
      func columns(_ range: Range<Int>) -> Tensor {
        vectors.gathered(
          shape: [count, range.count], strides: [width, 1], from: range.lowerBound)
      }
      try Safetensors.write(
        [("clip_l", columns(0..<768)), ("clip_g", columns(768..<width))], metadata: pairs, to: url)
    case "safetensors":
      let sorted = all.merging(["format": "pt"]) { old, _ in old }.sorted { $0.key < $1.key }
      try Safetensors.write(
        [(placeholder, vectors)], metadata: sorted.map { ($0.key, $0.value) }, to: url)
    case "bin":
      try TorchWriter.write(.dictionary([(placeholder, .tensor(vectors))]), to: url)
    case "pt":
      try TorchWriter.write(automatic(all), to: url)
    default:
      throw EvokeError(
        .file, "\(url.path): a learned word cannot be written to a file of this ending",
        hint: "use " + Self.endings.map { "." + $0 }.joined(separator: ", "))
    }
  }

  /// The dictionary that AUTOMATIC1111's `textual_inversion.py` saves.
  private func automatic(_ metadata: [String: String]) -> TorchValue {
    let others = metadata.filter { $0.key != "format" && $0.key != "step" }
      .sorted { $0.key < $1.key }.map { ($0.key, TorchValue.string($0.value)) }
    return .dictionary(
      [
        ("string_to_token", .dictionary([("*", .int(265))])),
        ("string_to_param", .dictionary([("*", .tensor(vectors))])),
        ("name", .string(placeholder)),
        ("step", metadata["step"].flatMap { Int($0) }.map { .int($0) } ?? .none),
      ]
        + (metadata["sd_checkpoint"] == nil
          ? [("sd_checkpoint", .none), ("sd_checkpoint_name", .none)] : []) + others)
  }
}
