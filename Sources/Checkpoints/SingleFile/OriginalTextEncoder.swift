import Tensors

/// A CLIP text encoder of a single file: transformers' keys as they are, or open_clip's with the three
/// matrices of an attention in one.
///
/// Source: open_clip `transformer.py`; diffusers `convert_open_clip_checkpoint`.
struct OriginalTextEncoder {
  private let keys: OriginalKeys
  private let prefix: String
  private let isOpenCLIP: Bool
  /// Layers that diffusers leaves out: Stable Diffusion 2 reads the state before the last.
  private let unused: Int
  private let width: Int
  private let layers: Int

  init(_ keys: OriginalKeys, _ family: SingleFile.Family, isSecond: Bool) throws {
    self.keys = keys
    switch family {
    case .stableDiffusionXL where isSecond: prefix = "conditioner.embedders.1.model."
    case .stableDiffusionXL: prefix = "conditioner.embedders.0.transformer.text_model."
    case .stableDiffusion2: prefix = "cond_stage_model.model."
    default:
      let whole = "cond_stage_model.transformer."
      let inner = whole + "text_model."
      prefix = keys.names.contains { $0.hasPrefix(inner) } ? inner : whole
    }
    isOpenCLIP = family == .stableDiffusion2 || isSecond
    unused = family == .stableDiffusion2 ? 1 : 0
    let table = isOpenCLIP ? "token_embedding.weight" : "embeddings.token_embedding.weight"
    width = try keys.shape(prefix + table, rank: 2)[1]
    layers =
      isOpenCLIP
      ? keys.count(prefix + "transformer.resblocks.", ".ln_1.weight")
      : keys.count(prefix + "encoder.layers.", ".layer_norm1.weight")
    guard layers > unused else {
      throw EvokeError(.format, "\(keys.source): the text encoder has no layers")
    }
  }

  /// The tensors and the configuration.
  func part() throws -> OriginalPart {
    OriginalPart(
      places: isOpenCLIP ? try openCLIP() : keys.places(below: prefix) { $0 },
      config: try config())
  }

  private func openCLIP() throws -> [(name: String, place: TensorPlace)] {
    let block = "transformer.resblocks."
    var places = keys.places(below: prefix) { $0.replacingBeginning(Self.ends) }
    places += keys.places(below: prefix + block) { key in
      guard let dot = key.firstIndex(of: "."), let layer = Int(key[..<dot]),
        layer < layers - unused
      else { return nil }
      return String(key[key.index(after: dot)...]).replacingBeginning(Self.inner)
        .map { "encoder.layers.\(layer).\($0)" }
    }
    for layer in 0..<layers - unused {
      for kind in ["weight", "bias"] {
        let key = "\(prefix)\(block)\(layer).attn.in_proj_\(kind)"
        guard try keys.shape(key).first == 3 * width else {
          throw EvokeError(.format, "\(keys.source): \"\(key)\" does not hold three matrices")
        }
        for (i, name) in ["q_proj", "k_proj", "v_proj"].enumerated() {
          places.append(
            (
              "encoder.layers.\(layer).self_attn.\(name).\(kind)",
              keys.place(key, rows: i * width..<(i + 1) * width)
            ))
        }
      }
    }
    if keys.has(prefix + "text_projection") {
      var place = keys.place(prefix + "text_projection")
      let shape = try keys.shape(prefix + "text_projection", rank: 2)
      place = TensorPlace(
        file: place.file, key: place.key, shape: [shape[1], shape[0]], isTransposed: true)
      places.append(("text_projection.weight", place))
    }
    return places
  }

  private static let ends = [
    ("token_embedding.weight", "embeddings.token_embedding.weight"),
    ("positional_embedding", "embeddings.position_embedding.weight"),
    ("ln_final.", "final_layer_norm."),
  ].map { (old: $0.0, new: $0.1) }

  private static let inner = [
    ("ln_1.", "layer_norm1."), ("ln_2.", "layer_norm2."), ("mlp.c_fc.", "mlp.fc1."),
    ("mlp.c_proj.", "mlp.fc2."), ("attn.out_proj.", "self_attn.out_proj."),
  ].map { (old: $0.0, new: $0.1) }

  private func config() throws -> JSONValue {
    let table = isOpenCLIP ? "token_embedding.weight" : "embeddings.token_embedding.weight"
    let places = isOpenCLIP ? "positional_embedding" : "embeddings.position_embedding.weight"
    let hidden =
      isOpenCLIP
      ? "transformer.resblocks.0.mlp.c_fc.weight" : "encoder.layers.0.mlp.fc1.weight"
    var members: [(String, JSONValue)] = [
      ("vocab_size", .int(try keys.shape(prefix + table, rank: 2)[0])),
      ("max_position_embeddings", .int(try keys.shape(prefix + places, rank: 2)[0])),
      ("hidden_size", .int(width)), ("num_hidden_layers", .int(layers - unused)),
      // Heads of 64 channels in every CLIP that these models use.
      ("num_attention_heads", .int(max(1, width / 64))),
      ("intermediate_size", .int(try keys.shape(prefix + hidden, rank: 2)[0])),
      ("hidden_act", .string(isOpenCLIP ? "gelu" : "quick_gelu")), ("eos_token_id", .int(2)),
    ]
    if keys.has(prefix + "text_projection") {
      members.append(("projection_dim", .int(try keys.shape(prefix + "text_projection")[1])))
    }
    return .fields(members)
  }
}
