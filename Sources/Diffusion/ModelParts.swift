import Foundation
import Tensors

/// The parts of a model one by one, for those who need a single one: a folder need hold no other.
public struct ModelParts: Sendable {
  private let files: ModelFiles

  /// The parts of a diffusers folder, with or without a `model_index.json`, or of a single file.
  ///
  /// Throws `EvokeError` when there is no such folder or the file is no model.
  public init(at url: URL, configuration: URL? = nil, execution: Execution = Execution()) throws {
    files =
      try ModelFiles.isSingle(url)
      ? ModelFiles(file: url, configuration: configuration, execution)
      : ModelFiles(folder: url, execution, needsIndex: false)
  }

  /// The parts of the model that is shipped inside the package.
  public static func demo(execution: Execution = Execution()) throws -> ModelParts {
    try ModelParts(at: DiffusionModel.demoFolder(), execution: execution)
  }

  /// What the model is called.
  public var name: String { files.name }

  /// The denoiser.
  public func unet() throws -> UNet2DCondition {
    let part = try files.part("unet")
    return try UNet2DCondition(part.config, part.weights)
  }

  /// The text encoder, or Stable Diffusion XL's pair.
  public func textEncoder() throws -> TextEncoder { try files.textEncoder() }

  /// The autoencoder.
  public func autoencoder() throws -> AutoencoderKL {
    let part = try files.autoencoder()
    return try AutoencoderKL(part.config, part.weights)
  }

  /// The tokens of a prompt as the text encoder's configuration says, 77 where there is none.
  public var promptLength: Int {
    let config = try? files.part("text_encoder").config
    return (try? config?.size("max_position_embeddings", default: 77) ?? files.longestPrompt())
      ?? 77
  }
}
