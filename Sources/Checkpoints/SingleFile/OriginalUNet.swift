import Tensors

/// The UNet of a single file.
///
/// Its blocks are numbered through: `input_blocks.i` and `output_blocks.i`. What each holds says where
/// a level ends. Source: CompVis `openaimodel.py`; diffusers `convert_ldm_unet_checkpoint`.
struct OriginalUNet {
  private static let prefix = "model.diffusion_model."

  private let keys: OriginalKeys
  /// Block by block, what replaces `input_blocks.i.j.` and its like.
  private var components: [String: String] = [
    "input_blocks.0.0.": "conv_in.", "middle_block.0.": "mid_block.resnets.0.",
    "middle_block.1.": "mid_block.attentions.0.", "middle_block.2.": "mid_block.resnets.1.",
    "time_embed.0.": "time_embedding.linear_1.", "time_embed.2.": "time_embedding.linear_2.",
    "label_emb.0.0.": "add_embedding.linear_1.", "label_emb.0.2.": "add_embedding.linear_2.",
    "out.0.": "conv_norm_out.", "out.2.": "conv_out.",
  ]
  private var channels: [Int] = []
  private var layers: [Int] = []
  /// Transformer blocks of each level on the way down; 0 where there is no transformer.
  private var depths: [Int] = []
  private var textWidth: Int?
  private var usesLinearProjection = false
  private var upDepths: [Int] = []

  /// Finds the levels; throws `EvokeError(.format)` when the blocks do not form a UNet.
  init(_ keys: OriginalKeys) throws {
    self.keys = keys
    try walkDown()
    try walkUp()
    guard channels.count > 1, upDepths.count == channels.count else {
      throw EvokeError(
        .format, "\(keys.source): the UNet has \(channels.count) levels down, \(upDepths.count) up")
    }
  }

  private func key(_ name: String) -> String { Self.prefix + name }

  private mutating func walkDown() throws {
    var block = 1
    var depth = 0
    var count = 0
    while true {
      let name = "input_blocks.\(block)"
      if keys.has(key("\(name).0.op.weight")) {
        components["\(name).0.op."] = "down_blocks.\(depths.count).downsamplers.0.conv."
        layers.append(count)
        depths.append(depth)
        (count, depth) = (0, 0)
      } else if keys.has(key("\(name).0.in_layers.2.weight")) {
        let level = "down_blocks.\(depths.count)"
        components["\(name).0."] = "\(level).resnets.\(count)."
        if count == 0 {
          channels.append(try keys.shape(key("\(name).0.in_layers.2.weight"), rank: 4)[0])
        }
        if try transformer("\(name).1", to: "\(level).attentions.\(count)", &depth) {}
        count += 1
      } else {
        break
      }
      block += 1
    }
    layers.append(count)
    depths.append(depth)
    guard layers.allSatisfy({ $0 > 0 }), channels.count == layers.count else {
      throw EvokeError(.format, "\(keys.source): a level of the UNet is empty")
    }
  }

  private mutating func walkUp() throws {
    var block = 0
    var count = 0
    var depth = 0
    while keys.has(key("output_blocks.\(block).0.in_layers.2.weight")) {
      let (name, level) = ("output_blocks.\(block)", "up_blocks.\(upDepths.count)")
      components["\(name).0."] = "\(level).resnets.\(count)."
      var next = 1
      if try transformer("\(name).1", to: "\(level).attentions.\(count)", &depth) { next = 2 }
      count += 1
      if keys.has(key("\(name).\(next).conv.weight")) {
        components["\(name).\(next).conv."] = "\(level).upsamplers.0.conv."
        upDepths.append(depth)
        (count, depth) = (0, 0)
      }
      block += 1
    }
    upDepths.append(depth)
  }

  /// Notes a transformer; false when there is none.
  private mutating func transformer(
    _ name: String, to target: String, _ depth: inout Int
  ) throws -> Bool {
    guard keys.has(key("\(name).proj_in.weight")) else { return false }
    components["\(name)."] = "\(target)."
    depth = keys.count(key("\(name).transformer_blocks."), ".attn2.to_k.weight")
    usesLinearProjection = try keys.shape(key("\(name).proj_in.weight")).count == 2
    textWidth = try keys.shape(key("\(name).transformer_blocks.0.attn2.to_k.weight"), rank: 2)[1]
    return true
  }

  /// The tensors and the configuration.
  func part(_ family: SingleFile.Family) throws -> OriginalPart {
    OriginalPart(places: keys.places(below: Self.prefix, rename), config: try config(family))
  }

  private func rename(_ key: String) -> String? {
    // Components have two or three parts: the longest that fits.
    let dots = key.indices.filter { key[$0] == "." }.prefix(4).reversed()
    for dot in dots {
      let beginning = String(key[...dot])
      guard let target = components[beginning] else { continue }
      let rest = String(key[key.index(after: dot)...])
      guard target.contains("resnets") else { return target + rest }
      return rest.replacingBeginning(Self.resnet).map { target + $0 }
    }
    return nil
  }

  private static let resnet = [
    ("in_layers.0.", "norm1."), ("in_layers.2.", "conv1."), ("emb_layers.1.", "time_emb_proj."),
    ("out_layers.0.", "norm2."), ("out_layers.3.", "conv2."),
    ("skip_connection.", "conv_shortcut."),
  ].map { (old: $0.0, new: $0.1) }

  private func config(_ family: SingleFile.Family) throws -> JSONValue {
    let input = try keys.shape(key("input_blocks.0.0.weight"), rank: 4)
    // The number of heads leaves no trace in the shapes: 8 in the first models, 64 channels a head
    // since the projections became linear.
    let heads = channels.map { usesLinearProjection ? max(1, $0 / 64) : 8 }
    let size: Int =
      switch family {
      case .stableDiffusion1: 64
      case .stableDiffusion2: keys.field("global_step") == "875000" ? 64 : 96
      case .stableDiffusionXL: 128
      case .latentDiffusion: 32
      }
    var members: [(String, JSONValue)] = [
      ("in_channels", .int(input[1])),
      ("out_channels", .int(try keys.shape(key("out.2.weight"), rank: 4)[0])),
      ("block_out_channels", .ints(channels)), ("layers_per_block", .ints(layers)),
      ("attention_head_dim", .ints(heads)), ("cross_attention_dim", .int(textWidth ?? 1280)),
      ("use_linear_projection", .bool(usesLinearProjection)), ("sample_size", .int(size)),
      ("transformer_layers_per_block", .ints(depths.map { max(1, $0) })),
      (
        "down_block_types",
        .strings(depths.map { $0 > 0 ? "CrossAttnDownBlock2D" : "DownBlock2D" })
      ),
      ("up_block_types", .strings(upDepths.map { $0 > 0 ? "CrossAttnUpBlock2D" : "UpBlock2D" })),
    ]
    if keys.has(key("label_emb.0.0.weight")) {
      let width = try keys.shape(key("label_emb.0.0.weight"), rank: 2)[1]
      members += [
        ("addition_embed_type", .string("text_time")), ("addition_time_embed_dim", .int(256)),
        ("projection_class_embeddings_input_dim", .int(width)),
      ]
    }
    return .fields(members)
  }
}
