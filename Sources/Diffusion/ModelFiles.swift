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

  /// A folder; throws `EvokeError(.file)` when it is no model.
  init(folder: URL, _ execution: Execution = Execution()) throws {
    self.execution = execution
    url = folder
    single = nil
    configuration = nil
    self.folder = folder
    try Self.checkIndex(folder)
  }

  /// A single file, with a folder for what it does not hold.
  init(file: URL, configuration: URL?, _ execution: Execution = Execution()) throws {
    self.execution = execution
    url = file
    self.configuration = configuration
    folder = configuration ?? file.deletingLastPathComponent()
    single = try SingleFile(file, configuration: configuration)
    guard single?.family != .latentDiffusion else {
      throw EvokeError(.format, "\(file.path): latent diffusion is read from a folder only")
    }
    guard single?.family != .stableDiffusionXL else {
      throw EvokeError(
        .format, "\(file.path): models with two text encoders (SDXL) are not supported")
    }
  }

  /// What the model is called.
  var name: String {
    let name = url.standardizedFileURL
    return (single == nil ? name : name.deletingPathExtension()).lastPathComponent
  }

  /// Builds a part from its configuration and weights. The UNet alone leaves float32: texts and
  /// pictures are encoded once, and every step sees them.
  func part<Part>(_ name: String, _ build: (Config, Weights) throws -> Part) throws -> Part {
    var (config, weights) = try configuredWeights(name)
    weights.execution = execution
    if name != "unet" { weights.execution.precision = .float32 }
    return try build(config, weights)
  }

  private func configuredWeights(_ name: String) throws -> (Config, Weights) {
    if let single { return try single.part(name) }
    let folder = folder.appendingPathComponent(name)
    return (
      try Config(folder.appendingPathComponent("config.json")), try Weights(folder: folder)
    )
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
    where ["tokenizer.json", "vocab.json"].contains(where: {
      Self.exists(candidate.appendingPathComponent($0))
    }) {
      return candidate
    }
    throw EvokeError(
      .file, "\(single.url.path) holds no tokenizer, and there is none in \(folder.path)",
      hint:
        "name a folder that has it: model(\"…\", config: \"folder\"), with tokenizer/vocab.json "
        + "and tokenizer/merges.txt as in any diffusers model of this kind")
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
    "tokenizer_config.json", "vocab.json",
  ]

  private static func exists(_ url: URL) -> Bool {
    FileManager.default.fileExists(atPath: url.path)
  }

  private static func checkIndex(_ folder: URL) throws {
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
      throw EvokeError(
        .file, "\(folder.path) is not a model in diffusers' layout: it has no model_index.json",
        hint: "give the folder that holds unet, vae and text_encoder")
    }
    let config = try Config(index)
    if config.has("text_encoder_2") {
      throw EvokeError(
        .format, "\(folder.path): models with two text encoders (SDXL) are not supported")
    }
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
