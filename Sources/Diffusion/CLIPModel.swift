import Checkpoints
import Foundation
import Pictures
import Tensors

/// CLIP: pictures and texts as unit vectors in one space.
///
/// Source: Radford et al., arXiv 2103.00020, §2.3; transformers `CLIPModel`.
public final class CLIPModel: Sendable {
  /// The dimension p of the common space.
  public let featureWidth: Int
  /// The text half; its token table is the one that learned words must fit.
  public let textEncoder: TextEncoder

  private let visionEncoder: VisionEncoder
  private let preprocess: ImagePreprocessor
  private let textProjection: Linear  // text_projection
  private let visualProjection: Linear  // visual_projection

  /// Reads a CLIP folder: `config.json`, the weights and `preprocessor_config.json`.
  public init(folder: URL) throws {
    let config = try Config(folder.appendingPathComponent("config.json"))
    let weights = try Weights(folder: folder)
    featureWidth = try config.size("projection_dim", default: 512)
    textEncoder = try TextEncoder(config.config("text_config"), weights["text_model"])
    visionEncoder = try VisionEncoder(config.config("vision_config"), weights["vision_model"])
    textProjection = try weights.linear(
      "text_projection", textEncoder.width, featureWidth, bias: false)
    visualProjection = try weights.linear(
      "visual_projection", visionEncoder.width, featureWidth, bias: false)
    preprocess = try ImagePreprocessor(folder: folder, pictureSize: visionEncoder.pictureSize)
  }

  /// Pictures of any size → [n, p], rows of length 1.
  public func imageFeatures(_ pictures: [Picture]) throws -> Tensor {
    guard !pictures.isEmpty else { throw EvokeError(.value, "no pictures to take features of") }
    let pixels = try preprocess(pictures, side: visionEncoder.pictureSize)
    return visualProjection(visionEncoder(pixels)).withUnitRows()
  }

  /// Token ids → [n, p], rows of length 1; `extra` holds the learned words' rows, as in
  /// `TextEncoder.embeddings`.
  ///
  /// Throws what `TextEncoder.embeddings` throws.
  public func textFeatures(ids: [[Int]], extra: Tensor? = nil) throws -> Tensor {
    let hidden = textEncoder(try textEncoder.embeddings(ids, extra: extra))
    return textProjection(textEncoder.pooled(hidden, ids)).withUnitRows()
  }
}

extension Tensor {
  /// [n, d] with each row divided by its length; a row of zeros stays.
  func withUnitRows() -> Tensor {
    let width = shape[rank - 1]
    return Tensor(shape: shape) { target in
      withUnsafeValues { source in
        for row in stride(from: 0, to: count, by: width) {
          var square = 0.0
          for i in row..<row + width { square += Double(source[i]) * Double(source[i]) }
          let factor = square > 0 ? 1 / square.squareRoot() : 0
          for i in row..<row + width { target[i] = Float(Double(source[i]) * factor) }
        }
      }
    }
  }
}
