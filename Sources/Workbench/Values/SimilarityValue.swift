import Inversion
import Language

/// What candidates are judged by: how alike the given pictures those drawn with them are.
public struct SimilarityValue: Object {
  public static let typeName = "Similarity"
  public static let memberNames = [
    "prompts", "draws", "steps", "guidance", "pictures", "held_out_draws",
  ]

  public let objective: SimilarityObjective
  /// Bytes that fix every loss: the model, the pictures, the settings and the random key.
  private let identity: [UInt8]
  private let pictures: Int

  /// - Parameter identity: the digest of everything the objective was made from.
  public init(_ objective: SimilarityObjective, pictures: Int, identity: [UInt8]) {
    self.objective = objective
    self.pictures = pictures
    self.identity = identity
  }

  public var summary: String {
    "to \(pictures) pictures, \(objective.draws) draws of \(objective.steps) steps, "
      + "\(objective.templates.count) prompts"
  }

  public func hash(into digest: inout Digest) { digest.bytes(identity) }

  public func member(_ name: String) throws -> Value? {
    switch name {
    case "prompts": .strings(objective.templates)
    case "draws": .int(objective.draws)
    case "steps": .int(objective.steps)
    case "guidance": .double(Double(objective.guidance))
    case "pictures": .int(pictures)
    case "held_out_draws": .int(objective.heldOutDraws)
    default: nil
    }
  }
}
