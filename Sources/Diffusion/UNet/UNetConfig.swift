import Checkpoints
import Tensors

/// The sizes and options of a UNet, from a diffusers `unet/config.json`.
///
/// Source: diffusers `UNet2DConditionModel.__init__`; the defaults are the ones there.
public struct UNetConfig: Sendable, Equatable {
  /// Channels of the latents taken and returned.
  public let inputChannels, outputChannels: Int
  /// Channels of each level, the finest first.
  public let blockChannels: [Int]
  /// Resnets of each level on the way down; there is one more on the way up.
  public let layersPerBlock: [Int]
  /// Attention heads of each level. The key is `attention_head_dim`, a misnomer that diffusers keeps.
  public let heads: [Int]
  /// Transformer blocks in each transformer of a level.
  public let transformerDepth: [Int]
  /// Width of the text hidden states that each level takes.
  public let textWidths: [Int]
  /// Side of the latents the model was trained for; `nil` when the file does not say.
  public let sampleSize: Int?

  let downAttention, upAttention: [Bool]
  let groups: Int
  let epsilon: Float
  let activation: Activation
  let cosineFirst: Bool
  let frequencyShift: Double
  let timeWidth: Int
  let downsamplePadding: Int
  let linearProjection: Bool
  let inputKernel, outputKernel: Int
  /// What the pooled text and the picture's sizes add to the time embedding; nil without them.
  let added: Added?

  /// Stable Diffusion XL's micro-conditioning.
  struct Added: Sendable, Equatable {
    /// Numbers in the pooled text.
    let pooledWidth: Int
    /// Sinusoids of each of the six sizes.
    let sizeWidth: Int
  }

  func style(level: Int) -> ResnetBlock.Style {
    .init(
      groups: groups, epsilon: epsilon, activation: activation, timeWidth: timeWidth,
      positions: positions(level: level))
  }

  /// Positions of a level's feature map for latents of the model's own size, 0 where unknown.
  func positions(level: Int) -> Int {
    let side = min(max(sampleSize ?? 0, 0), 4096) >> level
    return side * side
  }

  init(_ config: Config) throws {
    try Self.refuseUnsupported(config)
    let channels = try config.ints("block_out_channels", default: [320, 640, 1280, 1280])
    let levels = channels.count
    guard levels > 0 else { throw config.invalid("block_out_channels", "there is no level") }
    guard channels.allSatisfy(Self.sizes.contains) else {
      throw config.invalid("block_out_channels", "\(channels)")
    }
    blockChannels = channels
    inputChannels = try config.int("in_channels", default: 4)
    outputChannels = try config.int("out_channels", default: 4)
    layersPerBlock = try config.perLevel("layers_per_block", levels, default: 2)
    heads = try config.perLevel("attention_head_dim", levels, default: 8)
    transformerDepth = try config.perLevel("transformer_layers_per_block", levels, default: 1)
    textWidths = try config.perLevel("cross_attention_dim", levels, default: 1280)
    sampleSize = config.has("sample_size") ? try config.ints("sample_size", default: []).first : nil
    let attended = ["CrossAttnDownBlock2D", "CrossAttnUpBlock2D"]
    downAttention = try config.blockTypes(
      "down_block_types", levels, known: ["DownBlock2D", "CrossAttnDownBlock2D"],
      default: Array(repeating: "CrossAttnDownBlock2D", count: 3) + ["DownBlock2D"]
    ).map(attended.contains)
    upAttention = try config.blockTypes(
      "up_block_types", levels, known: ["UpBlock2D", "CrossAttnUpBlock2D"],
      default: ["UpBlock2D"] + Array(repeating: "CrossAttnUpBlock2D", count: 3)
    ).map(attended.contains)
    groups = try config.int("norm_num_groups", default: 32)
    epsilon = Float(try config.double("norm_eps", default: 1e-5))
    activation = try config.activation("act_fn", default: "silu")
    cosineFirst = try config.bool("flip_sin_to_cos", default: true)
    frequencyShift = try config.double("freq_shift", default: 0)
    timeWidth = try config.int("time_embedding_dim", default: 4 * (channels.first ?? 0))
    downsamplePadding = try config.int("downsample_padding", default: 1)
    linearProjection = try config.bool("use_linear_projection", default: false)
    inputKernel = try config.int("conv_in_kernel", default: 3)
    outputKernel = try config.int("conv_out_kernel", default: 3)
    added = try Self.added(config)
    try checkDivisibility(config)
  }

  private static func added(_ config: Config) throws -> Added? {
    guard config.has("addition_embed_type") else { return nil }
    guard try config.string("addition_embed_type") == "text_time" else {
      throw config.unsupported("addition_embed_type", supported: ["text_time"])
    }
    let size = try config.size("addition_time_embed_dim", default: 256)
    let pooled = try config.size("projection_class_embeddings_input_dim") - 6 * size
    guard pooled > 0, size % 2 == 0 else {
      throw config.invalid("projection_class_embeddings_input_dim", "\(pooled) for the pooled text")
    }
    return Added(pooledWidth: pooled, sizeWidth: size)
  }

  /// Options whose other values change the network in ways that are not implemented.
  private static func refuseUnsupported(_ config: Config) throws {
    for key in [
      "class_embed_type", "num_class_embeds", "cross_attention_norm",
      "encoder_hid_dim", "encoder_hid_dim_type", "time_cond_proj_dim", "time_embedding_act_fn",
      "timestep_post_act", "num_attention_heads", "reverse_transformer_layers_per_block",
    ] where config.has(key) {
      throw config.unsupported(key)
    }
    for key in [
      "center_input_sample", "class_embeddings_concat", "dual_cross_attention",
      "mid_block_only_cross_attention", "resnet_skip_time_act",
    ] where try config.bool(key, default: false) {
      throw config.unsupported(key)
    }
    switch config.value("only_cross_attention") {
    case nil, .bool(false)?: break
    case .array(let flags)? where flags.allSatisfy({ $0 == .bool(false) }): break
    default: throw config.unsupported("only_cross_attention")
    }
    for (key, supported) in [
      ("attention_type", "default"), ("mid_block_type", "UNetMidBlock2DCrossAttn"),
      ("resnet_time_scale_shift", "default"), ("time_embedding_type", "positional"),
    ] where try config.string(key, default: supported) != supported {
      throw config.unsupported(key, supported: [supported])
    }
    for key in ["mid_block_scale_factor", "resnet_out_scale_factor"]
    where try config.double(key, default: 1) != 1 {
      throw config.unsupported(key)
    }
  }

  /// Products of sizes stay representable, whatever a file says.
  private static let sizes = 1...1 << 20

  private func checkDivisibility(_ config: Config) throws {
    let sizes = Self.sizes
    let all = blockChannels + layersPerBlock + transformerDepth + textWidths
    guard all.allSatisfy(sizes.contains), blockChannels.count <= 16,
      [inputChannels, outputChannels, groups, timeWidth, inputKernel, outputKernel]
        .allSatisfy(sizes.contains)
    else { throw config.invalid("block_out_channels", "a size is not in 1…\(sizes.upperBound)") }
    guard (0...16).contains(downsamplePadding), sampleSize.map(sizes.contains) ?? true else {
      throw config.invalid("sample_size", "that size or downsample_padding is absurd")
    }
    for (channels, heads) in zip(blockChannels, heads) {
      guard channels % groups == 0 else {
        throw config.invalid("norm_num_groups", "\(channels) channels in \(groups) groups")
      }
      guard heads > 0, channels % heads == 0 else {
        throw config.invalid("attention_head_dim", "\(channels) channels for \(heads) heads")
      }
    }
    guard blockChannels[0] >= 2, Double(blockChannels[0] / 2) > frequencyShift else {
      throw config.invalid("freq_shift", "\(frequencyShift) with \(blockChannels[0]) channels")
    }
  }
}

/// What several model configurations share.
extension Config {
  /// One value for all levels, or a list with one a level.
  func perLevel(_ key: String, _ levels: Int, default value: Int) throws -> [Int] {
    let values = try ints(key, default: [value])
    if values.count == levels { return values }
    guard values.count == 1 else {
      throw invalid(key, "\(values.count) values for \(levels) levels")
    }
    return Array(repeating: values[0], count: levels)
  }

  func blockTypes(
    _ key: String, _ levels: Int, known: [String], default fallback: [String]
  ) throws -> [String] {
    let types = try strings(key, default: fallback)
    for type in types where !known.contains(type) {
      throw EvokeError(
        .format, "\(source): \(key) asks for the block type \"\(type)\", which is not supported",
        hint: "supported are " + known.joined(separator: ", "))
    }
    guard types.count == levels else {
      throw invalid(key, "\(types.count) block types for \(levels) levels")
    }
    return types
  }

  func activation(_ key: String, default fallback: String) throws -> Activation {
    let known: [(String, Activation)] = [
      ("silu", .silu), ("swish", .silu), ("gelu", .gelu), ("relu", .relu),
      ("quick_gelu", .quickGELU),
    ]
    let name = try string(key, default: fallback)
    guard let match = known.first(where: { $0.0 == name }) else {
      throw unsupported(key, supported: known.map(\.0))
    }
    return match.1
  }

  func unsupported(_ key: String, supported: [String] = []) -> EvokeError {
    EvokeError(
      .format, "\(source): this value of \(key) is not supported",
      hint: supported.isEmpty ? nil : "supported: " + supported.joined(separator: ", "))
  }

  func invalid(_ key: String, _ why: String) -> EvokeError {
    EvokeError(.format, "\(source): \(key) does not fit: \(why)")
  }
}
