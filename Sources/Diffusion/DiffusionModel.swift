import Checkpoints
import Foundation
import Pictures
import Tensors

/// A Stable Diffusion model: a folder in diffusers' layout, or a single file.
///
/// A folder holds `tokenizer`, `text_encoder`, `unet`, `vae` and `scheduler` as `save_pretrained` writes
/// them (`bert` and `vqvae` of latent diffusion's text-to-image model); a `clip` folder (transformers' `CLIPModel`) and a `words.txt` may stand beside them.
public final class DiffusionModel: Sendable {
  /// The folder's name, or the file's without its ending.
  public let name: String
  /// Where the model is.
  public let folder: URL
  /// SHA-256 of the model's files, in hexadecimal: their names, sizes and bytes.
  public let digest: String
  /// How the UNet computes, and what all parts keep in memory.
  public let execution: Execution
  /// Text → token ids.
  public let tokenizer: CLIPTokenizer
  /// Token ids → hidden states.
  public let textEncoder: TextEncoder
  /// Noisy latents and hidden states → the noise in them.
  public let unet: UNet2DCondition
  /// Pictures ↔ latents.
  public let autoencoder: AutoencoderKL
  /// The noise the model was trained with.
  public let schedule: NoiseSchedule
  /// Pictures and texts in one space, if the folder has a `clip`.
  public let clip: CLIPModel?
  /// Width and height of the pictures that the model was made for.
  public let pictureSize: Int
  /// Words worth comparing with: `words.txt`, or else all single-token words of three letters or more.
  public let words: [String]
  /// Whether drawing without a negative prompt moves away from hidden states of zeros.
  let zeroesEmptyNegative: Bool

  /// Reads a model's folder.
  ///
  /// Throws `EvokeError` naming the file for whatever is missing, damaged or unsupported.
  public convenience init(folder: URL, execution: Execution = Execution()) throws {
    try self.init(ModelFiles(folder: folder, execution), execution)
  }

  /// Reads a single `.safetensors` or `.ckpt` file in the original key layout.
  ///
  /// `configuration` is a folder in diffusers' layout, which needs no weights: its tokenizer is used,
  /// and its configurations instead of what the file's shapes say. Throws `EvokeError` naming the file
  /// for whatever is missing, damaged or unsupported.
  public convenience init(
    file: URL, configuration: URL? = nil, execution: Execution = Execution()
  ) throws {
    try self.init(ModelFiles(file: file, configuration: configuration, execution), execution)
  }

  /// Reads a model from wherever it is: a single file, told by its ending, or a folder.
  public convenience init(
    at url: URL, configuration: URL? = nil, execution: Execution = Execution()
  ) throws {
    if ModelFiles.isSingle(url) {
      try self.init(file: url, configuration: configuration, execution: execution)
    } else {
      try self.init(folder: url, execution: execution)
    }
  }

  private init(_ files: ModelFiles, _ execution: Execution) throws {
    self.execution = execution
    folder = files.url
    name = files.name
    tokenizer = try CLIPTokenizer(folder: files.tokenizer(), longest: files.longestPrompt())
    textEncoder = try files.textEncoder()
    let (unet, autoencoder) = (try files.part("unet"), try files.autoencoder())
    self.unet = try UNet2DCondition(unet.config, unet.weights)
    self.autoencoder = try AutoencoderKL(autoencoder.config, autoencoder.weights)
    zeroesEmptyNegative = try files.zeroesEmptyNegative()
    schedule = try files.schedule()
    pictureSize = (self.unet.config.sampleSize ?? 64) * self.autoencoder.downsampling
    clip = try files.beside("clip").map { try CLIPModel(folder: $0) }
    words = try Self.words(files.beside("words.txt"), tokenizer)
    digest = try ModelDigest.of(files)
    try checkThatPartsFit()
  }

  /// The parts come from separate files, each fine by itself.
  private func checkThatPartsFit() throws {
    guard tokenizer.maxLength <= textEncoder.maxLength else {
      throw EvokeError(
        .format,
        "\(folder.path): the tokenizer makes prompts of \(tokenizer.maxLength) tokens, "
          + "the text encoder takes \(textEncoder.maxLength)")
    }
    guard tokenizer.vocabularySize <= textEncoder.tokenTable.shape[0] else {
      throw EvokeError(
        .format,
        "\(folder.path): the tokenizer has \(tokenizer.vocabularySize) tokens, "
          + "the text encoder's table \(textEncoder.tokenTable.shape[0])")
    }
    if let width = unet.config.textWidths.first(where: { $0 != textEncoder.width }) {
      throw EvokeError(
        .format,
        "\(folder.path): the UNet takes texts of width \(width), "
          + "the text encoder gives \(textEncoder.width)")
    }
    guard (unet.config.added != nil) == textEncoder.endsInPooledRow else {
      throw EvokeError(
        .format, "\(folder.path): the UNet and the text encoders are of different families")
    }
    guard unet.config.outputChannels == autoencoder.latentChannels else {
      throw EvokeError(
        .format,
        "\(folder.path): the UNet gives \(unet.config.outputChannels) channels, "
          + "the autoencoder takes \(autoencoder.latentChannels)")
    }
  }

  /// The model that is shipped inside the package.
  public static func demo(execution: Execution = Execution()) throws -> DiffusionModel {
    try DiffusionModel(folder: demoFolder(), execution: execution)
  }

  static func demoFolder() throws -> URL {
    guard let folder = Bundle.module.url(forResource: "demo", withExtension: nil) else {
      throw EvokeError(
        .file, "the built-in model is missing from the installation",
        hint: "the folder evoke_Diffusion.resources has to stand beside the program")
    }
    return folder
  }

  /// A part that a model can do without, in a folder of its own; throws `EvokeError(.file)` if it is
  /// not there.
  func extra(_ folderName: String, _ what: String, remedy: String) throws -> URL {
    let folder = folder.appendingPathComponent(folderName)
    guard FileManager.default.fileExists(atPath: folder.path) else {
      throw EvokeError(
        .file, "the model \(name) has no \(what)",
        hint: "put \(remedy) into its folder under the name \(folderName)")
    }
    return folder
  }

  private static func words(_ file: URL?, _ tokenizer: CLIPTokenizer) throws -> [String] {
    guard let file else {
      return tokenizer.wholeWords.map(\.word).filter { word in
        word.count > 2 && word.allSatisfy(\.isLetter)
      }
    }
    let text = String(decoding: try readFile(file), as: UTF8.self)
    return text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty }
  }
}

// MARK: - Prompts

extension DiffusionModel {
  /// Padded token ids of prompts that may use learned words, and the rows for the ids past the
  /// table, for `TextEncoder.embeddings` and `CLIPModel.textFeatures`.
  ///
  /// Throws `EvokeError(.shape)` for a word of another width and `.name` for a placeholder that is
  /// taken.
  public func tokenized(_ prompts: [String], with words: [LearnedWord] = []) throws
    -> (ids: [[Int]], extra: Tensor?)
  {
    var tokenizer = self.tokenizer
    for word in words {
      guard word.width == textEncoder.width else {
        throw EvokeError(
          .shape,
          "\"\(word.placeholder)\" has embeddings of width \(word.width), "
            + "the model \"\(name)\" takes \(textEncoder.width)",
          hint: "it was learned on another kind of model")
      }
      tokenizer = try tokenizer.adding(word.placeholder, vectors: word.count)
    }
    // The table may have more rows than the tokenizer has tokens.
    let (first, table) = (tokenizer.vocabularySize, textEncoder.tokenTable.shape[0])
    let ids = prompts.map { tokenizer.padded($0).map { $0 < first ? $0 : $0 - first + table } }
    return (ids, words.isEmpty ? nil : Tensor.concatenated(words.map(\.vectors), axis: 0))
  }

  /// The text encoder's hidden states of prompts: [B, L, d].
  ///
  /// Throws what `tokenized` throws.
  public func encode(prompts: [String], with words: [LearnedWord] = []) throws -> Tensor {
    let (ids, extra) = try tokenized(prompts, with: words)
    return textEncoder(try textEncoder.embeddings(ids, extra: extra))
  }

  /// The CLIP features of texts: [n, p], unit rows.
  ///
  /// Throws `EvokeError(.value)` when the model has no CLIP, and what `tokenized` throws.
  public func textFeatures(_ prompts: [String], with words: [LearnedWord] = []) throws -> Tensor {
    guard let clip else { throw Self.noCLIP(name) }
    let (ids, extra) = try tokenized(prompts, with: words)
    return try clip.textFeatures(ids: ids, extra: extra)
  }

  /// The CLIP features of pictures of any size: [n, p], unit rows.
  ///
  /// Throws `EvokeError(.value)` when the model has no CLIP.
  public func imageFeatures(_ pictures: [Picture]) throws -> Tensor {
    guard let clip else { throw Self.noCLIP(name) }
    return try clip.imageFeatures(pictures)
  }

  private static func noCLIP(_ name: String) -> EvokeError {
    EvokeError(
      .value, "the model \"\(name)\" has no image encoder",
      hint: "put a CLIP model, as transformers saves it, into its folder under the name clip")
  }
}

// MARK: - Pictures

extension DiffusionModel {
  /// The latents of pictures, as the UNet takes them: [n, C, h, w], the posterior's mean, scaled.
  ///
  /// A picture of another size is cut to a square around its middle and resampled to `pictureSize`.
  /// Throws `EvokeError(.value)` when there is no picture.
  public func latents(_ pictures: [Picture]) throws -> Tensor {
    guard !pictures.isEmpty else { throw EvokeError(.value, "no pictures to encode") }
    let fitted = pictures.map { picture in
      picture.width == pictureSize && picture.height == pictureSize
        ? picture : picture.fitted(to: pictureSize, filter: .bicubic)
    }
    return try autoencoder.encode(tensor(of: fitted)).mean.scaled(by: autoencoder.scalingFactor)
  }

  /// The pictures of scaled latents [n, C, h, w].
  ///
  /// Throws `EvokeError(.shape)` for any other shape.
  public func decode(_ latents: Tensor) throws -> [Picture] {
    let factor = 1 / autoencoder.scalingFactor
    return try Picture.pictures(of: autoencoder.decode(latents.scaled(by: factor)))
  }
}
