import Inversion
import Language
import Tensors

/// What candidates are judged by.
public struct ObjectiveValue: Object {
  public static let typeName = "Objective"
  public static let memberNames = ["prompts", "draws", "timesteps", "pictures", "held_out_draws"]

  public let objective: DenoisingObjective
  /// Bytes that fix every loss: the model, the pictures, the settings and the random key.
  private let identity: [UInt8]
  private let pictures: Int

  /// - Parameter identity: the digest of everything the objective was made from.
  public init(_ objective: DenoisingObjective, pictures: Int, identity: [UInt8]) {
    self.objective = objective
    self.pictures = pictures
    self.identity = identity
  }

  public var summary: String {
    let range = objective.timesteps
    return "denoising, \(pictures) pictures, \(objective.draws) draws, "
      + "timesteps \(range.lowerBound)..<\(range.upperBound), \(objective.templates.count) prompts"
  }

  public func hash(into digest: inout Digest) { digest.bytes(identity) }

  public func member(_ name: String) throws -> Value? {
    switch name {
    case "prompts": .strings(objective.templates)
    case "draws": .int(objective.draws)
    case "timesteps":
      .range(IntRange(objective.timesteps.lowerBound, objective.timesteps.upperBound))
    case "pictures": .int(pictures)
    case "held_out_draws": .int(objective.heldOutDraws)
    default: nil
    }
  }
}
