import Checkpoints
import Tensors

/// BLIP's eyes: a vision transformer, all of whose states are read.
///
/// Source: transformers `BlipVisionModel`.
struct CaptionerVision: Sendable {
  let width: Int
  /// Width and height of the pictures it takes.
  let pictureSize: Int
  private let patches: Convolution2D  // embeddings.patch_embedding
  private let classToken: Tensor  // embeddings.class_embedding
  private let positions: Tensor  // embeddings.position_embedding
  private let blocks: CLIPTransformer  // encoder.layers.N
  private let lastNorm: LayerNorm  // post_layernorm

  init(_ config: Config, _ weights: Weights) throws {
    let sizes = try CLIPTransformerConfig(config, isVision: true)
    width = sizes.width
    pictureSize = try config.size("image_size", default: 384)
    let patch = try config.size("patch_size", default: 16)
    guard patch <= pictureSize else {
      throw EvokeError(
        .format, "\(config.source): patches of \(patch) in pictures of \(pictureSize)")
    }
    let count = (pictureSize / patch) * (pictureSize / patch)
    let embeddings = weights["embeddings"]
    patches = try embeddings.convolution(
      "patch_embedding", 3, width, kernel: patch, stride: patch,
      padding: .explicit(top: 0, left: 0, bottom: 0, right: 0))
    classToken = try embeddings.tensor("class_embedding", [1, 1, width])
    positions = try embeddings.tensor("position_embedding", [1, count + 1, width])
    blocks = try CLIPTransformer(sizes, weights["encoder"])
    lastNorm = try weights.layerNorm("post_layernorm", width, epsilon: sizes.epsilon)
  }

  /// Normalised pictures [n, 3, S, S] → hidden states [n, 1 + patches, d].
  func callAsFunction(_ pictures: Tensor) -> Tensor {
    let count = pictures.shape[0]
    let cut = patches(pictures.channelsLast()).reshaped([count, -1, width])
    let rows = (0..<count).map { sample in
      Tensor.concatenated([classToken.row(0), cut.row(sample)], axis: 0).plus(positions.row(0))
    }
    return lastNorm(blocks(Tensor.stacked(rows), causal: false))
  }
}
