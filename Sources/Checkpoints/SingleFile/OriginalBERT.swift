import Tensors

/// Latent diffusion's text encoder in a single file: x-transformers' keys, in which attention and
/// perceptron are layers of their own, each with its norm in front.
///
/// Source: CompVis `ldm/modules/x_transformer.py`; diffusers `convert_ldm_bert_checkpoint`.
struct OriginalBERT {
  private static let prefix = "cond_stage_model.transformer."
  private static let layerPrefix = prefix + "attn_layers.layers."

  private let keys: OriginalKeys
  private let layers: Int

  init(_ keys: OriginalKeys) throws {
    self.keys = keys
    layers = keys.count(Self.layerPrefix, ".0.weight") / 2
    guard layers > 0 else {
      throw EvokeError(.format, "\(keys.source): the text encoder has no layers")
    }
  }

  /// The tensors and the configuration, as diffusers' `LDMBertModel` has them.
  func part() throws -> OriginalPart {
    OriginalPart(
      places: keys.places(below: Self.prefix, rename), config: try config())
  }

  private func rename(_ key: String) -> String? {
    key.replacingBeginning(Self.ends) ?? layer(key)
  }

  private static let ends = [
    ("token_emb.", "embed_tokens."), ("pos_emb.emb.", "embed_positions."), ("norm.", "layer_norm."),
  ].map { (old: $0.0, new: $0.1) }

  /// `attn_layers.layers.2i.…` is layer i's attention, `attn_layers.layers.2i+1.…` its perceptron.
  private func layer(_ key: String) -> String? {
    let parts = key.split(separator: ".", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "attn_layers", parts[1] == "layers",
      let place = Int(parts[2]), place / 2 < layers
    else { return nil }
    return String(parts[3])
      .replacingBeginning(place % 2 == 0 ? Self.attention : Self.perceptron)
      .map { "layers.\(place / 2).\($0)" }
  }

  private static let attention = [
    ("0.", "self_attn_layer_norm."), ("1.to_q.", "self_attn.q_proj."),
    ("1.to_k.", "self_attn.k_proj."), ("1.to_v.", "self_attn.v_proj."),
    ("1.to_out.", "self_attn.out_proj."),
  ].map { (old: $0.0, new: $0.1) }

  private static let perceptron = [
    ("0.", "final_layer_norm."), ("1.net.0.0.", "fc1."), ("1.net.2.", "fc2."),
  ].map { (old: $0.0, new: $0.1) }

  private func config() throws -> JSONValue {
    let table = try keys.shape(Self.prefix + "token_emb.weight", rank: 2)
    let inner = try keys.shape(Self.layerPrefix + "0.1.to_q.weight", rank: 2)[0]
    // The number of heads leaves no trace in the shapes: heads of 64 channels in the released model.
    let heads = max(1, inner / 64)
    return .fields([
      ("vocab_size", .int(table[0])), ("d_model", .int(table[1])),
      (
        "max_position_embeddings",
        .int(try keys.shape(Self.prefix + "pos_emb.emb.weight", rank: 2)[0])
      ),
      ("encoder_layers", .int(layers)), ("encoder_attention_heads", .int(heads)),
      ("head_dim", .int(inner / heads)),
      (
        "encoder_ffn_dim",
        .int(try keys.shape(Self.layerPrefix + "1.1.net.0.0.weight", rank: 2)[0])
      ),
    ])
  }
}
