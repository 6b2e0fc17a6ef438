import Tensors

/// The autoencoder of a single file.
///
/// Source: CompVis `ldm/modules/diffusionmodules/model.py`; diffusers `convert_ldm_vae_checkpoint`.
struct OriginalAutoencoder {
  private static let prefix = "first_stage_model."

  private let keys: OriginalKeys
  private let levels: Int

  init(_ keys: OriginalKeys) throws {
    self.keys = keys
    levels = keys.count(Self.prefix + "encoder.down.", ".block.0.conv1.weight")
    guard levels > 0 else {
      throw EvokeError(.format, "\(keys.source) is no whole model: it has no autoencoder")
    }
  }

  /// The tensors and the configuration.
  func part(_ family: SingleFile.Family) throws -> OriginalPart {
    let places = keys.places(below: Self.prefix, rename).map { found in
      var found = found
      // The attention's 1×1 convolutions are linear layers in diffusers.
      if found.name.contains(".attentions."), found.place.shape.count == 4 {
        found.place = TensorPlace(
          file: found.place.file, key: found.place.key, shape: Array(found.place.shape.prefix(2)))
      }
      return found
    }
    return OriginalPart(places: places, config: try config(family))
  }

  private func rename(_ key: String) -> String? {
    if key.hasPrefix("quant_conv.") || key.hasPrefix("post_quant_conv.") { return key }
    for side in ["encoder.", "decoder."] where key.hasPrefix(side) {
      let rest = String(key.dropFirst(side.count))
      let renamed = rest.replacingBeginning(Self.ends) ?? level(rest)
      return renamed.map { side + $0 }
    }
    return nil
  }

  private static let ends = [
    ("conv_in.", "conv_in."), ("conv_out.", "conv_out."), ("norm_out.", "conv_norm_out."),
    ("mid.block_1.", "mid_block.resnets.0."), ("mid.block_2.", "mid_block.resnets.1."),
    ("mid.attn_1.norm.", "mid_block.attentions.0.group_norm."),
    ("mid.attn_1.q.", "mid_block.attentions.0.to_q."),
    ("mid.attn_1.k.", "mid_block.attentions.0.to_k."),
    ("mid.attn_1.v.", "mid_block.attentions.0.to_v."),
    ("mid.attn_1.proj_out.", "mid_block.attentions.0.to_out.0."),
  ].map { (old: $0.0, new: $0.1) }

  /// `down.i.block.j.…`, `down.i.downsample.conv.…`, and the same going up, numbered from below.
  private func level(_ key: String) -> String? {
    let parts = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count > 3, ["down", "up"].contains(parts[0]), let level = Int(parts[1]) else {
      return nil
    }
    let block = parts[0] == "down" ? "down_blocks.\(level)" : "up_blocks.\(levels - 1 - level)"
    let rest = parts[3...].joined(separator: ".")
    switch parts[2] {
    case "block":
      return "\(block).resnets."
        + rest.split(separator: ".").map { $0 == "nin_shortcut" ? "conv_shortcut" : $0 }
        .joined(separator: ".")
    case "downsample": return "\(block).downsamplers.0.\(rest)"
    case "upsample": return "\(block).upsamplers.0.\(rest)"
    default: return nil
    }
  }

  private func config(_ family: SingleFile.Family) throws -> JSONValue {
    let down = Self.prefix + "encoder.down."
    let channels = try (0..<levels).map {
      try keys.shape("\(down)\($0).block.0.conv1.weight", rank: 4)[0]
    }
    let latent = try keys.shape(Self.prefix + "decoder.conv_in.weight", rank: 4)[1]
    let side = 512
    return .fields([
      ("block_out_channels", .ints(channels)),
      ("layers_per_block", .int(keys.count("\(down)0.block.", ".conv1.weight"))),
      ("latent_channels", .int(latent)),
      ("scaling_factor", .double(family == .stableDiffusionXL ? 0.13025 : 0.18215)),
      ("sample_size", .int(family == .latentDiffusion ? 256 : side)),
      ("down_block_types", .strings(Array(repeating: "DownEncoderBlock2D", count: levels))),
      ("up_block_types", .strings(Array(repeating: "UpDecoderBlock2D", count: levels))),
      ("use_quant_conv", .bool(keys.has(Self.prefix + "quant_conv.weight"))),
      ("use_post_quant_conv", .bool(keys.has(Self.prefix + "post_quant_conv.weight"))),
    ])
  }
}
