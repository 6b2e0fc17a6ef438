import Checkpoints
import Foundation
import Tensors

/// Where the parts of a model are: in a folder in diffusers' layout, or in a single file with a folder
/// for its configuration.
struct ModelFiles {
  /// The folder or the file.
  let url: URL
  /// The single file, unless the model is a folder.
  let single: SingleFile?
  /// Where everything is looked for that is not in the file.
  private let folder: URL
  private let configuration: URL?
  private let execution: Execution
  /// `model_index.json`, where there is one.
  private let index: Config?

  /// A folder; throws `EvokeError(.file)` when it is no model. Without `needsIndex` it may hold only
  /// some of the parts.
  init(folder: URL, _ execution: Execution = Execution(), needsIndex: Bool = true) throws {
    self.execution = execution
    url = folder
    single = nil
    configuration = nil
    self.folder = folder
    index = try Self.index(folder, isNeeded: needsIndex)
  }

  /// A single file, with a folder for what it does not hold.
  init(file: URL, configuration: URL?, _ execution: Execution = Execution()) throws {
    self.execution = execution
    url = file
    self.configuration = configuration
    folder = configuration ?? file.deletingLastPathComponent()
    single = try SingleFile(file, configuration: configuration)
    let index = configuration?.appendingPathComponent("model_index.json")
    self.index = try index.flatMap { Self.exists($0) ? try Config($0) : nil }
  }

  /// Whether a model is a single file, by its name's ending.
  static func isSingle(_ url: URL) -> Bool {
    ["safetensors", "ckpt", "pt", "bin"].contains(url.pathExtension.lowercased())
  }

  /// What the model is called.
  var name: String {
    let name = url.standardizedFileURL
    return (single == nil ? name : name.deletingPathExtension()).lastPathComponent
  }

  /// Configuration and weights of a part. The UNet alone leaves float32: texts and pictures are encoded
  /// once, and every step sees them.
  func part(_ name: String) throws -> (config: Config, weights: Weights) {
    let folder = folder.appendingPathComponent(name)
    var part =
      try single?.part(name)
      ?? (
        config: Config(folder.appendingPathComponent("config.json")),
        weights: Weights(folder: folder)
      )
    part.weights.execution = execution
    if name != "unet" { part.weights.execution.precision = .float32 }
    return part
  }

  /// The most tokens of a prompt, where the tokenizer does not say it.
  func longestPrompt() throws -> Int {
    guard isLatentDiffusion else { return 77 }
    let longest = try part("bert").config.size("max_position_embeddings", default: 77)
    guard longest > 2 else {
      throw EvokeError(.format, "\(url.path): prompts of \(longest) tokens")
    }
    return longest
  }

  /// The text encoder: one, or Stable Diffusion XL's two.
  func textEncoder() throws -> TextEncoder {
    if isLatentDiffusion {
      let bert = try part("bert")
      return try LatentDiffusionBert.textEncoder(bert.config, bert.weights)
    }
    let first = try part("text_encoder")
    guard hasPair else { return try TextEncoder(first.config, first.weights) }
    let other = folder.appendingPathComponent("tokenizer_2")
    // "!" is what OpenCLIP fills prompts up with.
    let padding = Self.exists(other) ? try CLIPTokenizer(folder: other).pad : 0
    return TextEncoder(
      try TextEncoderPair(
        first, try part("text_encoder_2"), end: CLIPTokenizer(folder: tokenizer()).end,
        secondPadding: padding))
  }

  /// The autoencoder's configuration and weights.
  func autoencoder() throws -> (config: Config, weights: Weights) {
    try part(isLatentDiffusion ? "vqvae" : "vae")
  }

  /// Whether this is latent diffusion's text-to-image model, diffusers' `LDMTextToImagePipeline`.
  private var isLatentDiffusion: Bool {
    single.map { $0.family == .latentDiffusion } ?? (index?.has("bert") == true)
  }

  private var hasPair: Bool {
    single.map { $0.family == .stableDiffusionXL } ?? (index?.has("text_encoder_2") == true)
  }

  /// Whether an empty negative prompt means hidden states of zeros, as Stable Diffusion XL has it.
  func zeroesEmptyNegative() throws -> Bool {
    guard hasPair else { return false }
    return try index?.bool("force_zeros_for_empty_prompt", default: true) ?? true
  }

  /// The noise schedule.
  func schedule() throws -> NoiseSchedule {
    try single.map { try NoiseSchedule($0.schedule()) }
      ?? NoiseSchedule(folder: folder.appendingPathComponent("scheduler"))
  }

  /// The tokenizer's folder: a single file has it beside itself, or in the given configuration.
  func tokenizer() throws -> URL {
    let inside = folder.appendingPathComponent("tokenizer")
    guard let single else { return inside }
    for candidate in [inside, folder]
    where ["tokenizer.json", "vocab.json", "vocab.txt"].contains(where: {
      Self.exists(candidate.appendingPathComponent($0))
    }) {
      return candidate
    }
    throw EvokeError(
      .file, "\(single.url.path) holds no tokenizer, and there is none in \(folder.path)",
      hint:
        "name a folder that has it: model(\"…\", config: \"folder\"), with "
        + (isLatentDiffusion
          ? "tokenizer/vocab.txt" : "tokenizer/vocab.json and tokenizer/merges.txt")
        + " as in any diffusers model of this kind")
  }

  /// A file or folder beside the parts, if it is there; a single file has no parts beside it.
  func beside(_ name: String) -> URL? {
    let url = folder.appendingPathComponent(name)
    return (single == nil || configuration != nil) && Self.exists(url) ? url : nil
  }

  /// The files that can change a result, with their names for the digest, in a fixed order.
  func digested() throws -> [(name: String, url: URL)] {
    guard let single else { return try Self.files(in: folder, weights: true) }
    let tokenizer = try tokenizer()
    let texts = Self.tokenizerFiles.map {
      ("tokenizer/\($0)", tokenizer.appendingPathComponent($0))
    }
    .filter { Self.exists($0.1) }
    return try [("model", single.url)] + texts
      + (configuration.map { try Self.files(in: $0, weights: false) } ?? [])
  }

  private static let tokenizerFiles = [
    "added_tokens.json", "merges.txt", "special_tokens_map.json", "tokenizer.json",
    "tokenizer_config.json", "vocab.json", "vocab.txt",
  ]

  private static func exists(_ url: URL) -> Bool {
    FileManager.default.fileExists(atPath: url.path)
  }

  private static func index(_ folder: URL, isNeeded: Bool) throws -> Config? {
    let index = folder.appendingPathComponent("model_index.json")
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) else {
      throw EvokeError(.file, "there is no folder \(folder.path)")
    }
    guard isFolder.boolValue else {
      throw EvokeError(
        .file, "\(folder.path) is a file, a model is a folder in diffusers' layout")
    }
    guard exists(index) else {
      guard isNeeded else { return nil }
      throw EvokeError(
        .file, "\(folder.path) is not a model in diffusers' layout: it has no model_index.json",
        hint: "give the folder that holds unet, vae and text_encoder")
    }
    return try Config(index)
  }
}

// MARK: - What the digest is of

extension ModelFiles {
  /// The `.json`, `.txt` and weight files of a folder and of its parts, no hidden files. Where a
  /// part has safetensors, other weights are not read.
  private static func files(in folder: URL, weights: Bool) throws -> [(name: String, url: URL)] {
    let names = try names(in: folder)
    let withTensors = Set(names.filter { $0.hasSuffix(".safetensors") }.map(part))
    return names.filter { name in
      if [".json", ".txt"].contains(where: name.hasSuffix) { return true }
      guard weights else { return false }
      return name.hasSuffix(".safetensors")
        || name.hasSuffix(".bin") && !withTensors.contains(part(name))
    }.map { ($0, folder.appendingPathComponent($0)) }
  }

  private static func part(_ name: String) -> Substring {
    name.split(separator: "/", omittingEmptySubsequences: false).dropLast().first ?? ""
  }

  private static func names(in folder: URL) throws -> [String] {
    var names: [String] = []
    for entry in try contents(folder) where !entry.hasPrefix(".") {
      let url = folder.appendingPathComponent(entry)
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
        continue
      }
      names +=
        isFolder.boolValue
        ? try contents(url).filter { !$0.hasPrefix(".") }.map { "\(entry)/\($0)" } : [entry]
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func contents(_ folder: URL) throws -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder.path)
    } catch {
      throw EvokeError(.file, "cannot list \(folder.path): \(error.localizedDescription)")
    }
  }
}
