import Checkpoints
import Foundation
import Pictures
import Tensors

/// A Stable Diffusion model in diffusers' folder layout.
///
/// `tokenizer`, `text_encoder`, `unet`, `vae` and `scheduler` as `save_pretrained` writes them; a
/// `clip` folder (transformers' `CLIPModel`) and a `words.txt` may stand beside them.
public final class DiffusionModel: Sendable {
  /// The folder's name.
  public let name: String
  /// Where the model is.
  public let folder: URL
  /// SHA-256 of the model's files, in hexadecimal: their names, sizes and bytes.
  public let digest: String
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

  /// Reads a model's folder.
  ///
  /// Throws `EvokeError` naming the file for whatever is missing, damaged or unsupported.
  public init(folder: URL) throws {
    self.folder = folder
    name = folder.standardizedFileURL.lastPathComponent
    try Self.checkIndex(folder)
    tokenizer = try CLIPTokenizer(folder: folder.appendingPathComponent("tokenizer"))
    textEncoder = try TextEncoder(folder: folder.appendingPathComponent("text_encoder"))
    unet = try UNet2DCondition(folder: folder.appendingPathComponent("unet"))
    autoencoder = try AutoencoderKL(folder: folder.appendingPathComponent("vae"))
    schedule = try NoiseSchedule(folder: folder.appendingPathComponent("scheduler"))
    pictureSize = (unet.config.sampleSize ?? 64) * autoencoder.downsampling
    let clipFolder = folder.appendingPathComponent("clip")
    let hasCLIP = FileManager.default.fileExists(atPath: clipFolder.path)
    clip = hasCLIP ? try CLIPModel(folder: clipFolder) : nil
    words = try Self.words(folder, tokenizer)
    digest = try ModelDigest.of(folder)
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
    guard unet.config.outputChannels == autoencoder.latentChannels else {
      throw EvokeError(
        .format,
        "\(folder.path): the UNet gives \(unet.config.outputChannels) channels, "
          + "the autoencoder takes \(autoencoder.latentChannels)")
    }
  }

  /// The model that is shipped inside the package.
  public static func demo() throws -> DiffusionModel {
    guard let folder = Bundle.module.url(forResource: "demo", withExtension: nil) else {
      throw EvokeError(
        .file, "the built-in model is missing from the installation",
        hint: "the folder evoke_Diffusion.resources has to stand beside the program")
    }
    return try DiffusionModel(folder: folder)
  }

  private static func checkIndex(_ folder: URL) throws {
    let index = folder.appendingPathComponent("model_index.json")
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) else {
      throw EvokeError(.file, "there is no folder \(folder.path)")
    }
    guard isFolder.boolValue else {
      throw EvokeError(
        .file, "\(folder.path) is a file, a model is a folder in diffusers' layout")
    }
    guard FileManager.default.fileExists(atPath: index.path) else {
      throw EvokeError(
        .file, "\(folder.path) is not a model in diffusers' layout: it has no model_index.json",
        hint: "give the folder that holds unet, vae and text_encoder")
    }
    let config = try Config(index)
    if config.has("text_encoder_2") {
      throw EvokeError(
        .format, "\(folder.path): models with two text encoders (SDXL) are not supported")
    }
  }

  private static func words(_ folder: URL, _ tokenizer: CLIPTokenizer) throws -> [String] {
    let url = folder.appendingPathComponent("words.txt")
    guard FileManager.default.fileExists(atPath: url.path) else {
      return tokenizer.wholeWords.map(\.word).filter { word in
        word.count > 2 && word.allSatisfy(\.isLetter)
      }
    }
    let text = String(decoding: try readFile(url), as: UTF8.self)
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
