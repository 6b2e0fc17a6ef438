import Checkpoints
import Tensors

/// The text encoder of latent diffusion's text-to-image model: a BERT-like transformer over all tokens,
/// which here is CLIP's with other names and sizes.
///
/// Source: Rombach et al., arXiv 2112.10752, §4.3.1; diffusers `LDMBertModel`.
enum LatentDiffusionBert {
  /// Reads a `bert` folder's configuration and weights.
  static func textEncoder(_ config: Config, _ weights: Weights) throws -> TextEncoder {
    guard try config.bool("scale_embedding", default: false) == false else {
      throw config.unsupported("scale_embedding")
    }
    let ints = [
      ("vocab_size", "vocab_size", 30522),
      ("max_position_embeddings", "max_position_embeddings", 77),
      ("hidden_size", "d_model", 1280), ("num_hidden_layers", "encoder_layers", 32),
      ("num_attention_heads", "encoder_attention_heads", 8), ("head_dim", "head_dim", 64),
      ("intermediate_size", "encoder_ffn_dim", 5120),
    ]
    let sizes = try ints.map { ($0.0, JSONValue.int(try config.size($0.1, default: $0.2))) }
    let activation = try config.string("activation_function", default: "gelu")
    let translated = try Config(
      .fields(
        sizes + [
          ("hidden_act", .string(activation)), ("attention_bias", .bool(false)),
          ("is_causal", .bool(false)), ("eos_token_id", .int(102)),
        ]), source: config.source)
    return try TextEncoder(translated, weights.renamed(rename))
  }

  private static func rename(_ key: String) -> String? {
    let key = key.hasPrefix("model.") ? String(key.dropFirst("model.".count)) : key
    for (old, new) in [
      ("embed_tokens.weight", "embeddings.token_embedding.weight"),
      ("embed_positions.weight", "embeddings.position_embedding.weight"),
      ("layer_norm.", "final_layer_norm."),
    ] where key.hasPrefix(old) {
      return new + key.dropFirst(old.count)
    }
    let parts = key.split(separator: ".").map(String.init)
    guard parts.count > 3, parts[0] == "layers" else { return nil }
    let names = [
      "self_attn_layer_norm": "layer_norm1", "final_layer_norm": "layer_norm2", "fc1": "mlp.fc1",
      "fc2": "mlp.fc2",
    ]
    return "encoder.layers.\(parts[1])."
      + ([names[parts[2]] ?? parts[2]] + parts[3...]).joined(separator: ".")
  }
}
