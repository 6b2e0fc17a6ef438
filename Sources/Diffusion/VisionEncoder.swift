import Checkpoints
import Foundation
import Tensors

/// CLIP's image encoder, a vision transformer whose class token is read out.
///
/// Source: transformers `CLIPVisionModel`; sizes come from the config.
final class VisionEncoder: Sendable {
  /// The width d of the hidden states.
  let width: Int
  /// Width and height of the pictures it takes.
  let pictureSize: Int

  private let channels: Int
  private let patchSize: Int
  private let classToken: Tensor  // embeddings.class_embedding
  private let patches: Linear  // embeddings.patch_embedding, a convolution with stride = kernel
  private let positions: Tensor  // embeddings.position_embedding.weight
  private let firstNorm: LayerNorm  // pre_layrnorm, as the checkpoints spell it
  private let transformer: CLIPTransformer  // encoder
  private let lastNorm: LayerNorm  // post_layernorm

  init(_ config: Config, _ weights: Weights) throws {
    let sizes = try CLIPTransformerConfig(config, isVision: true)
    width = sizes.width
    pictureSize = try config.size("image_size", default: 224)
    patchSize = try config.size("patch_size", default: 32)
    channels = try config.size("num_channels", default: 3)
    guard patchSize <= pictureSize else {
      throw EvokeError(
        .format, "\(config.source): patches of \(patchSize) in pictures of \(pictureSize)")
    }
    let count = (pictureSize / patchSize) * (pictureSize / patchSize)
    let embeddings = weights["embeddings"]
    classToken = try embeddings.tensor("class_embedding", [width])
    let kernel = try embeddings.stored(
      "patch_embedding.weight", [width, channels, patchSize, patchSize])
    patches = Linear(weight: kernel.reshaped([width, channels * patchSize * patchSize]), bias: nil)
    positions = try embeddings.tensor("position_embedding.weight", [count + 1, width])
    firstNorm = try weights.layerNorm("pre_layrnorm", width, epsilon: sizes.epsilon)
    transformer = try CLIPTransformer(sizes, weights["encoder"])
    lastNorm = try weights.layerNorm("post_layernorm", width, epsilon: sizes.epsilon)
  }

  /// Normalised pictures [n, C, S, S] → the class token's last state [n, d].
  func callAsFunction(_ pictures: Tensor) -> Tensor {
    precondition(pictures.shape.dropFirst() == [channels, pictureSize, pictureSize])
    let embedded = patches(cut(pictures))
    let (batch, count) = (pictures.shape[0], positions.shape[0])
    let tokens = Tensor(shape: [batch, count, width]) { target in
      positions.withUnsafeValues { positions in
        for place in 0..<batch * count * width {
          target[place] = positions[place % (count * width)]
        }
      }
      classToken.withUnsafeValues { token in
        for sample in 0..<batch {
          for i in 0..<width { target[sample * count * width + i] += token[i] }
        }
      }
      embedded.withUnsafeValues { patches in
        let row = (count - 1) * width
        for sample in 0..<batch {
          for i in 0..<row {
            target[sample * (row + width) + width + i] += patches[sample * row + i]
          }
        }
      }
    }
    let hidden = transformer(firstNorm(tokens), causal: false)
    return lastNorm(Tensor.stacked((0..<batch).map { hidden.row($0).row(0) }))
  }

  /// Cuts pictures into patches, each flattened as [C, p, p]: [n, C, S, S] → [n, P, C·p·p].
  private func cut(_ pictures: Tensor) -> Tensor {
    let (side, p, size) = (pictureSize / patchSize, patchSize, pictureSize)
    let shape = [pictures.shape[0], side * side, channels * p * p]
    return Tensor(shape: shape) { target in
      pictures.withUnsafeValues { source in
        var place = 0
        for sample in 0..<shape[0] {
          for patch in 0..<side * side {
            let corner = (patch / side * p) * size + patch % side * p
            for channel in 0..<channels {
              let plane = (sample * channels + channel) * size * size
              for y in 0..<p {
                for x in 0..<p {
                  target[place] = source[plane + corner + y * size + x]
                  place += 1
                }
              }
            }
          }
        }
      }
    }
  }
}
