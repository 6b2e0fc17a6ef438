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
  private let blocks: [Block]  // encoder.layers.N
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
    blocks = try (0..<sizes.layers).map { try Block(sizes, weights["encoder.layers.\($0)"]) }
    lastNorm = try weights.layerNorm("post_layernorm", width, epsilon: sizes.epsilon)
  }

  /// Normalised pictures [n, 3, S, S] → hidden states [n, 1 + patches, d].
  func callAsFunction(_ pictures: Tensor) -> Tensor {
    let count = pictures.shape[0]
    let cut = patches(pictures.channelsLast()).reshaped([count, -1, width])
    let rows = (0..<count).map { sample in
      Tensor.concatenated([classToken.row(0), cut.row(sample)], axis: 0).plus(positions.row(0))
    }
    return lastNorm(blocks.reduce(Tensor.stacked(rows)) { $1($0) })
  }

  /// x + attention(norm(x)), then x + MLP(norm(x)); transformers `BlipEncoderLayer`.
  private struct Block: Sendable {
    let attentionNorm: LayerNorm  // layer_norm1
    let queries: Linear  // self_attn.qkv, the first third
    let keys: Linear  // the second
    let values: Linear  // the last
    let output: Linear  // self_attn.projection
    let perceptronNorm: LayerNorm  // layer_norm2
    let expand: Linear  // mlp.fc1
    let contract: Linear  // mlp.fc2
    let heads: Int
    let activation: Activation

    init(_ config: CLIPTransformerConfig, _ weights: Weights) throws {
      let d = config.width
      attentionNorm = try weights.layerNorm("layer_norm1", d, epsilon: config.epsilon)
      let joined = try weights.stored("self_attn.qkv.weight", [3 * d, d])
      let bias = try weights.tensor("self_attn.qkv.bias", [3 * d])
      func third(_ part: Int) -> Linear {
        let rows = part * d..<(part + 1) * d
        return Linear(weight: joined.rows(rows), bias: bias.rows(rows))
      }
      (queries, keys, values) = (third(0), third(1), third(2))
      output = try weights.linear("self_attn.projection", d, d)
      perceptronNorm = try weights.layerNorm("layer_norm2", d, epsilon: config.epsilon)
      expand = try weights.linear("mlp.fc1", d, config.hidden)
      contract = try weights.linear("mlp.fc2", config.hidden, d)
      heads = config.heads
      activation = config.activation
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      let normed = attentionNorm(x)
      let attended = attention(
        queries: queries(normed), keys: keys(normed), values: values(normed), heads: heads)
      let x = output(attended, adding: x)
      return contract(expand(perceptronNorm(x), activation: activation), adding: x)
    }
  }
}
