import Foundation
import Tensors

/// A whole model in one file, in the key layout of the original code (CompVis, Stability AI): seen as
/// the sub-models of a diffusers folder.
///
/// Names are translated and fused matrices cut where they lie; no number is copied. Source: diffusers
/// `loaders/single_file_utils.py`.
public struct SingleFile: Sendable {
  /// The families that are told apart by their keys and shapes.
  public enum Family: String, Sendable {
    case stableDiffusion1 = "Stable Diffusion 1"
    case stableDiffusion2 = "Stable Diffusion 2"
    case stableDiffusionXL = "Stable Diffusion XL"
    case latentDiffusion = "Latent Diffusion"
  }

  /// Where the file is.
  public let url: URL
  /// What kind of model it is.
  public let family: Family
  let keys: OriginalKeys
  private let folder: URL?

  /// Opens a file.
  ///
  /// - Parameters:
  ///   - url: a `.safetensors`, `.ckpt`, `.pt` or `.bin` file.
  ///   - configuration: a folder in diffusers' layout whose `config.json` files are taken instead of
  ///     what the shapes say; it needs no weights.
  /// - Throws: `EvokeError(.format)` when the keys are not those of a known model, and what
  ///   `SafetensorsFile` and `TorchFile` throw.
  public init(_ url: URL, configuration folder: URL? = nil) throws {
    self.url = url
    self.folder = folder
    keys = OriginalKeys(try Weights.open(url))
    family = try Self.family(keys)
  }

  private static func family(_ keys: OriginalKeys) throws -> Family {
    guard keys.has("model.diffusion_model.input_blocks.0.0.weight") else {
      let isPart = keys.names.contains { $0.hasPrefix("down_blocks.") || $0.hasPrefix("lora_") }
      throw EvokeError(
        .format, "\(keys.source) holds no Stable Diffusion model: no model.diffusion_model in it",
        hint: isPart ? "it is a part of a model: give the folder of the whole one" : nil)
    }
    if keys.has("conditioner.embedders.1.model.ln_final.weight") { return .stableDiffusionXL }
    if keys.has("cond_stage_model.model.ln_final.weight") { return .stableDiffusion2 }
    if keys.names.contains(where: { $0.hasPrefix("cond_stage_model.transformer.text_model.") }) {
      return .stableDiffusion1
    }
    if keys.has("cond_stage_model.transformer.token_emb.weight") { return .latentDiffusion }
    if keys.has("cond_stage_model.transformer.embeddings.token_embedding.weight") {
      return .stableDiffusion1
    }
    throw EvokeError(
      .format, "\(keys.source) holds no text encoder of a known kind",
      hint: "a refiner or a part of a model cannot be used by itself")
  }

  /// Configuration and weights of a sub-model: `unet`, `vae`, `text_encoder` or `text_encoder_2`; of
  /// latent diffusion `unet`, `vqvae` and `bert`.
  ///
  /// Throws `EvokeError(.format)` when the keys do not form one.
  public func part(_ name: String) throws -> (config: Config, weights: Weights) {
    let inferred: OriginalPart =
      switch name {
      case "unet": try OriginalUNet(keys).part(family)
      case "vae", "vqvae": try OriginalAutoencoder(keys).part(family)
      case "bert": try OriginalBERT(keys).part()
      default: try OriginalTextEncoder(keys, family, isSecond: name == "text_encoder_2").part()
      }
    let config =
      try given("\(name)/config.json")
      ?? Config(inferred.config, source: "\(url.path): the configuration that its shapes give")
    return (config, Weights(source: url.path, inferred.places))
  }

  /// The configuration of the noise schedule.
  public func schedule() throws -> Config {
    if let given = try given("scheduler/scheduler_config.json") { return given }
    var members: [(String, JSONValue)] = [
      ("beta_schedule", .string("scaled_linear")), ("beta_start", .double(0.00085)),
      ("beta_end", .double(0.012)), ("num_train_timesteps", .int(1000)),
      ("steps_offset", .int(1)), ("set_alpha_to_one", .bool(false)), ("clip_sample", .bool(false)),
    ]
    let prediction: String
    switch family {
    case .stableDiffusion1:
      prediction = "epsilon"
      members += [("_class_name", .string("PNDMScheduler")), ("skip_prk_steps", .bool(true))]
    case .stableDiffusion2:
      // The shapes of 2-base and 2 are the same: what tells them apart is how long they were trained.
      prediction = keys.field("global_step") == "875000" ? "epsilon" : "v_prediction"
      members.append(("_class_name", .string("DDIMScheduler")))
    case .stableDiffusionXL:
      prediction = keys.has("v_pred") ? "v_prediction" : "epsilon"
      members += [
        ("_class_name", .string("EulerDiscreteScheduler")),
        ("timestep_spacing", .string("leading")),
      ]
    case .latentDiffusion:
      prediction = "epsilon"
      members.append(("_class_name", .string("DDIMScheduler")))
      members.removeAll { $0.0.hasPrefix("beta_start") || $0.0.hasPrefix("beta_end") }
      members += [("beta_start", .double(0.0015)), ("beta_end", .double(0.0195))]
    }
    members.append(("prediction_type", .string(prediction)))
    return try Config(.fields(members), source: "\(url.path): the usual noise schedule")
  }

  /// A configuration file of the folder that was given.
  private func given(_ name: String) throws -> Config? {
    guard let file = folder?.appendingPathComponent(name),
      FileManager.default.fileExists(atPath: file.path)
    else { return nil }
    return try Config(file)
  }
}

/// A sub-model found in a single file: its tensors under diffusers' names, and its sizes.
struct OriginalPart {
  var places: [(name: String, place: TensorPlace)]
  var config: JSONValue
}

/// The keys of a file in the original layout.
struct OriginalKeys: Sendable {
  let names: [String]
  private let file: any TensorFile
  private let shapes: [String: [Int]]

  init(_ file: any TensorFile) {
    self.file = file
    names = file.names
    shapes = Dictionary(
      file.names.map { ($0, file.shape(of: $0) ?? []) }, uniquingKeysWith: { first, _ in first })
  }

  var source: String { file.url.path }

  func has(_ key: String) -> Bool { shapes[key] != nil }

  /// A text or number that stands beside the tensors.
  func field(_ name: String) -> String? { (file as? TorchFile)?.fields[name] }

  /// The shape of a tensor; throws `EvokeError(.format)` when it is missing or of another rank.
  func shape(_ key: String, rank: Int? = nil) throws -> [Int] {
    guard let shape = shapes[key] else {
      throw EvokeError(.format, "\(source) is no whole model: \"\(key)\" is missing")
    }
    guard rank == nil || shape.count == rank else {
      throw EvokeError(
        .format, "\(source): \"\(key)\" has shape \(shape), not \(rank ?? 0) sizes")
    }
    return shape
  }

  /// How many components `prefix + "0"`, `prefix + "1"`, … there are, judged by `ending`.
  func count(_ prefix: String, _ ending: String) -> Int {
    var count = 0
    while has("\(prefix)\(count)\(ending)") { count += 1 }
    return count
  }

  /// The tensors below a prefix whose names `rename` knows, under those names.
  func places(below prefix: String, _ rename: (String) -> String?) -> [(
    name: String, place: TensorPlace
  )] {
    names.compactMap { key in
      guard key.hasPrefix(prefix), let name = rename(String(key.dropFirst(prefix.count))) else {
        return nil
      }
      return (name, place(key))
    }
  }

  /// A whole tensor, or some of its rows.
  func place(_ key: String, rows: Range<Int>? = nil) -> TensorPlace {
    var shape = shapes[key] ?? []
    if let rows { shape[0] = rows.count }
    return TensorPlace(file: file, key: key, shape: shape, rows: rows)
  }
}

extension JSONValue {
  /// An object of these members in order.
  public static func fields(_ members: [(String, JSONValue)]) -> JSONValue {
    .object(members.map { Member(key: $0.0, value: $0.1) })
  }

  static func ints(_ numbers: [Int]) -> JSONValue { .array(numbers.map { .int($0) }) }
  static func strings(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
}

extension String {
  /// The first of these beginnings that fits, replaced.
  func replacingBeginning(_ pairs: [(old: String, new: String)]) -> String? {
    for (old, new) in pairs where hasPrefix(old) { return new + dropFirst(old.count) }
    return nil
  }
}
