import Checkpoints
import Tensors

/// Resnets of one resolution, then a change of resolution on all levels but the last.
///
/// Source: diffusers `DownEncoderBlock2D`, `UpDecoderBlock2D`.
struct AutoencoderBlock: Sendable {
  let resnets: [ResnetBlock]  // resnets.i
  let downsample: Downsample?  // downsamplers.0
  let upsample: Upsample?  // upsamplers.0

  enum Resampling { case down, up, none }

  init(
    _ weights: Weights, _ input: Int, _ output: Int, count: Int, _ style: ResnetBlock.Style,
    _ resampling: Resampling
  ) throws {
    resnets = try (0..<count).map {
      try ResnetBlock(weights["resnets.\($0)"], $0 == 0 ? input : output, output, style)
    }
    downsample = resampling == .down ? try Downsample(weights, output, padding: 0) : nil
    upsample = resampling == .up ? try Upsample(weights, output) : nil
  }

  func callAsFunction(_ input: Tensor) -> Tensor {
    var x = input
    for resnet in resnets { x = resnet(x) }
    if let downsample { return downsample(x) }
    return upsample.map { $0(x) } ?? x
  }
}

/// The bottom of the encoder and the top of the decoder.
///
/// Source: diffusers `UNetMidBlock2D`.
struct AutoencoderMidBlock: Sendable {
  let first: ResnetBlock  // resnets.0
  let attention: SpatialAttention?  // attentions.0
  let second: ResnetBlock  // resnets.1

  init(_ weights: Weights, _ channels: Int, _ style: ResnetBlock.Style, attends: Bool) throws {
    first = try ResnetBlock(weights["resnets.0"], channels, channels, style)
    attention =
      attends ? try SpatialAttention(weights["attentions.0"], channels, style) : nil
    second = try ResnetBlock(weights["resnets.1"], channels, channels, style)
  }

  func callAsFunction(_ input: Tensor) -> Tensor {
    let x = first(input)
    return second(attention.map { $0(x) } ?? x)
  }
}

/// Self-attention of one head over all positions, added to its input.
///
/// Source: diffusers `Attention` with `residual_connection` and `AttnProcessor2_0`.
struct SpatialAttention: Sendable {
  let norm: GroupNorm  // group_norm
  let queries, keys, values: Linear  // to_q, to_k, to_v; in older files query, key, value
  let output: Linear  // to_out.0; in older files proj_attn

  init(_ weights: Weights, _ channels: Int, _ style: ResnetBlock.Style) throws {
    let older = weights.has("query.weight")
    // Files converted from the original checkpoints keep these layers as 1×1 convolutions.
    let pointwise = weights.shape("query.weight")?.count == 4
    func linear(_ name: String, _ olderName: String) throws -> Linear {
      try weights.linear(older ? olderName : name, channels, channels, pointwise: pointwise)
    }
    norm = try weights.groupNorm(
      "group_norm", channels, groups: style.groups, epsilon: style.epsilon)
    queries = try linear("to_q", "query")
    keys = try linear("to_k", "key")
    values = try linear("to_v", "value")
    output = try linear("to_out.0", "proj_attn")
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let (n, h, w, c) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let tokens = norm(x).reshaped([n, h * w, c])
    let attended = attention(
      queries: queries(tokens), keys: keys(tokens), values: values(tokens), heads: 1)
    return output(attended, adding: x.reshaped([n, h * w, c])).reshaped([n, h, w, c])
  }
}
