import Checkpoints
import Tensors

/// The sizes of one CLIP transformer, text or vision.
struct CLIPTransformerConfig: Sendable {
  let width: Int
  let layers: Int
  let heads: Int
  let hidden: Int
  let activation: Activation
  let epsilon: Float
  /// Width of queries, keys and values of all heads together.
  let inner: Int
  let hasInputBias: Bool
  let isCausal: Bool

  /// Reads the keys of transformers' `CLIPTextConfig` and `CLIPVisionConfig`, with their defaults.
  init(_ config: Config, isVision: Bool) throws {
    width = try config.size("hidden_size", default: isVision ? 768 : 512)
    layers = try config.size("num_hidden_layers", default: 12)
    heads = try config.size("num_attention_heads", default: isVision ? 12 : 8)
    hidden = try config.size("intermediate_size", default: isVision ? 3072 : 2048)
    epsilon = Float(try config.double("layer_norm_eps", default: 1e-5))
    activation = try Self.activation(config)
    inner = config.has("head_dim") ? heads * (try config.size("head_dim")) : width
    hasInputBias = try config.bool("attention_bias", default: true)
    isCausal = try config.bool("is_causal", default: !isVision)
    guard inner % heads == 0 else {
      throw EvokeError(
        .format, "\(config.source): \(width) channels do not divide by \(heads) heads")
    }
  }

  /// The names are those of transformers' `ACT2FN`.
  private static func activation(_ config: Config) throws -> Activation {
    let name = try config.string("hidden_act", default: "quick_gelu")
    switch name {
    case "quick_gelu": return .quickGELU
    case "gelu": return .gelu
    case "gelu_new", "gelu_pytorch_tanh": return .geluTanh
    case "silu", "swish": return .silu
    case "relu": return .relu
    default:
      throw EvokeError(
        .format, "\(config.source): unknown \"hidden_act\" \"\(name)\"",
        hint: "known are quick_gelu, gelu, gelu_new, silu and relu")
    }
  }
}

extension Config {
  /// A size: an integer from 1 up to a bound that keeps products of sizes representable.
  func size(_ key: String, default fallback: Int? = nil) throws -> Int {
    let value = try int(key, default: fallback)
    guard (1...1 << 20).contains(value) else {
      throw EvokeError(.format, "\(source): \"\(key)\" is \(value), not a size")
    }
    return value
  }
}

/// CLIP's stack of pre-norm transformer blocks.
///
/// Source: transformers `CLIPEncoder`; keys `encoder.layers.N.…`.
struct CLIPTransformer: Sendable {
  private let blocks: [CLIPBlock]

  init(_ config: CLIPTransformerConfig, _ weights: Weights) throws {
    blocks = try (0..<config.layers).map { try CLIPBlock(config, weights["layers.\($0)"]) }
  }

  /// The states before the last block, and after it.
  func lastTwo(_ x: Tensor, causal: Bool) -> (Tensor, Tensor) {
    let before = blocks.dropLast().reduce(x) { $1($0, causal: causal) }
    return (before, blocks.last.map { $0(before, causal: causal) } ?? before)
  }

  /// [B, L, d] → [B, L, d]; with `causal` each position sees itself and those before it.
  func callAsFunction(_ x: Tensor, causal: Bool) -> Tensor {
    blocks.reduce(x) { $1($0, causal: causal) }
  }

  /// The same with the pullback to x; `recomputing` keeps the blocks' inputs only.
  func recorded(_ x: Tensor, causal: Bool, recomputing: Bool) -> (Tensor, Pullback) {
    let recorder = Recorder(recomputing: recomputing, isLive: true)
    var (x, pullbacks): (Tensor, [Pullback]) = (x, [])
    for block in blocks {
      let (next, pullback) = recorder.record(
        x, plain: { block($0, causal: causal) }, recorded: { block.recorded($0, causal: causal) })
      x = next
      if let pullback { pullbacks.append(pullback) }
    }
    return (x, { [pullbacks] dy in pullbacks.reversed().reduce(dy) { $1($0) } })
  }
}

/// One block: x + attention(norm(x)), then x + MLP(norm(x)).
///
/// Source: transformers `CLIPEncoderLayer`, `CLIPAttention`, `CLIPMLP`; with queries, keys and values
/// in one tensor `BlipEncoderLayer`.
private struct CLIPBlock: Sendable {
  let attentionNorm: LayerNorm  // layer_norm1
  let queries: Linear  // self_attn.q_proj, or the first third of self_attn.qkv
  let keys: Linear  // self_attn.k_proj, or the second
  let values: Linear  // self_attn.v_proj, or the last
  let output: Linear  // self_attn.out_proj, or self_attn.projection
  let perceptronNorm: LayerNorm  // layer_norm2
  let expand: Linear  // mlp.fc1
  let contract: Linear  // mlp.fc2
  let heads: Int
  let activation: Activation

  init(_ config: CLIPTransformerConfig, _ weights: Weights) throws {
    let (d, inner, attention) = (config.width, config.inner, weights["self_attn"])
    attentionNorm = try weights.layerNorm("layer_norm1", d, epsilon: config.epsilon)
    if attention.has("qkv.weight") {
      let joined = try attention.stored("qkv.weight", [3 * d, d])
      let bias = try attention.tensor("qkv.bias", [3 * d])
      func third(_ part: Int) -> Linear {
        let rows = part * d..<(part + 1) * d
        return Linear(
          weight: joined.rows(rows), bias: bias.rows(rows), execution: weights.execution)
      }
      (queries, keys, values) = (third(0), third(1), third(2))
      output = try attention.linear("projection", d, d)
    } else {
      queries = try attention.linear("q_proj", d, inner, bias: config.hasInputBias)
      keys = try attention.linear("k_proj", d, inner, bias: config.hasInputBias)
      values = try attention.linear("v_proj", d, inner, bias: config.hasInputBias)
      output = try attention.linear("out_proj", inner, d)
    }
    perceptronNorm = try weights.layerNorm("layer_norm2", d, epsilon: config.epsilon)
    expand = try weights.linear("mlp.fc1", d, config.hidden)
    contract = try weights.linear("mlp.fc2", config.hidden, d)
    heads = config.heads
    activation = config.activation
  }

  func callAsFunction(_ x: Tensor, causal: Bool) -> Tensor {
    let normed = attentionNorm(x)
    let attended = attention(
      queries: queries(normed), keys: keys(normed), values: values(normed), heads: heads,
      causal: causal)
    let x = output(attended, adding: x)
    return contract(expand(perceptronNorm(x), activation: activation), adding: x)
  }

  /// The same with the pullback to x.
  func recorded(_ x: Tensor, causal: Bool) -> (Tensor, Pullback) {
    let normed = attentionNorm(x)
    let (q, k, v) = (queries(normed), keys(normed), values(normed))
    let seen = output(
      attention(queries: q, keys: k, values: v, heads: heads, causal: causal), adding: x)
    let wide = expand(perceptronNorm(seen))
    return (
      contract(wide.activated(activation), adding: seen),
      { dy in
        let dWide = wide.activationGradient(contract.gradient(dy), activation)
        let dSeen = perceptronNorm.gradient(expand.gradient(dWide), at: seen, adding: dy)
        let own = attentionGradient(
          output.gradient(dSeen), queries: q, keys: k, values: v, heads: heads, causal: causal)
        let dNormed = queries.gradient(
          own.queries, adding: keys.gradient(own.keys, adding: values.gradient(own.values)))
        return attentionNorm.gradient(dNormed, at: x, adding: dSeen)
      }
    )
  }
}
