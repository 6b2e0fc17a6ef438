import Diffusion
import Language

/// A text-to-image model as the language holds it.
public struct ModelValue: Object {
  public static let typeName = "Model"
  public static let memberNames = [
    "name", "digest", "width", "picture_size", "latent_shape", "timesteps", "prediction", "words",
    "prompt_length", "precision", "token_table",
  ]

  public let model: DiffusionModel

  public init(_ model: DiffusionModel) { self.model = model }

  public var summary: String {
    let size = model.pictureSize
    return "\(model.name), pictures \(size)×\(size), tokens \(model.textEncoder.width)-d, "
      + "\(model.schedule.trainingSteps) timesteps"
      + (model.execution.precision == .float32 ? "" : ", \(model.execution.precision.rawValue)")
  }

  public func hash(into digest: inout Digest) {
    digest.string(model.digest)
    if model.execution.precision != .float32 { digest.string(model.execution.precision.rawValue) }
  }

  public func member(_ name: String) throws -> Value? {
    switch name {
    case "name": .string(model.name)
    case "digest": .string(model.digest)
    case "width": .int(model.textEncoder.width)
    case "picture_size": .int(model.pictureSize)
    case "latent_shape": .ints(model.latentShape)
    case "timesteps": .int(model.schedule.trainingSteps)
    case "prediction": .string(model.schedule.predictionType.rawValue)
    case "words": .strings(model.words)
    case "precision": .string(model.execution.precision.rawValue)
    case "prompt_length": .int(model.tokenizer.maxLength)
    case "token_table": .tensor(model.textEncoder.tokenTable)
    default: nil
    }
  }
}
