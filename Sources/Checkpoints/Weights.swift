import Foundation
import Tensors

/// The named tensors of a model, seen below a prefix, over one or several files.
///
/// `weights["down_blocks.0"]["resnets.1"].tensor("conv1.weight", [320, 320, 3, 3])` reads
/// `down_blocks.0.resnets.1.conv1.weight`.
public struct Weights: Sendable {
  private let store: WeightStore
  private let prefix: String

  /// All tensors of one safetensors file.
  public init(file: URL) throws {
    let file = try SafetensorsFile(file)
    store = WeightStore(
      source: file.url.path, names: file.names,
      files: Dictionary(uniqueKeysWithValues: file.names.map { ($0, file) }))
    prefix = ""
  }

  /// The weights of a sub-model's folder in diffusers' or transformers' layout.
  ///
  /// Looks for `diffusion_pytorch_model` and `model`, each as a sharded index, a plain file and the
  /// fp16 and bf16 variants. Throws `EvokeError(.file)` when there is none of them.
  public init(folder: URL) throws {
    for name in Self.baseNames {
      let index = folder.appendingPathComponent(name.index)
      if FileManager.default.fileExists(atPath: index.path) {
        self.init(store: try WeightStore(index: index), prefix: "")
        return
      }
      let file = folder.appendingPathComponent(name.file)
      if FileManager.default.fileExists(atPath: file.path) {
        try self.init(file: file)
        return
      }
    }
    throw Self.nothing(in: folder)
  }

  private init(store: WeightStore, prefix: String) {
    self.store = store
    self.prefix = prefix
  }

  /// Full-precision files first: they are what the variants were made from.
  private static let baseNames: [(file: String, index: String)] =
    ["", ".fp16", ".bf16"].flatMap { variant in
      ["diffusion_pytorch_model", "model"].map {
        ("\($0)\(variant).safetensors", "\($0).safetensors.index\(variant).json")
      }
    }

  private static func nothing(in folder: URL) -> EvokeError {
    let pickles = ["diffusion_pytorch_model.bin", "pytorch_model.bin"].filter {
      FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).path)
    }
    return EvokeError(
      .file,
      "\(folder.path) holds no weights: no model.safetensors or "
        + "diffusion_pytorch_model.safetensors",
      hint: pickles.first.map { "\($0) is a pickle: save the model again as safetensors" })
  }

  /// The view one component further down.
  public subscript(_ component: String) -> Weights {
    Weights(store: store, prefix: prefix + component + ".")
  }

  /// Whether a tensor of this name is there.
  public func has(_ name: String) -> Bool { store.files[prefix + name] != nil }

  /// Whether anything stands below the component.
  public func hasComponent(_ component: String) -> Bool {
    let whole = prefix + component + "."
    return store.names.contains { $0.hasPrefix(whole) }
  }

  /// A tensor as float32, after checking its shape.
  ///
  /// Throws `EvokeError(.name)` when it is missing and `.shape` when its shape is another one; both
  /// name the file and the full key.
  public func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
    guard let tensor = try optional(name, shape) else {
      let key = prefix + name
      throw EvokeError(
        .name, "\(store.source) holds no tensor named \"\(key)\"",
        hint: closest(to: key, among: store.names).map { "did you mean \"\($0)\"?" })
    }
    return tensor
  }

  /// Like `tensor`, but nil when it is missing.
  public func optional(_ name: String, _ shape: [Int]) throws -> Tensor? {
    let key = prefix + name
    guard let file = store.files[key] else { return nil }
    store.markUsed(key)
    let found = try file.info(key).shape
    guard found == shape else {
      throw EvokeError(
        .shape, "\(file.url.path): tensor \"\(key)\" has shape \(found), expected \(shape)",
        hint: "does the folder's config.json belong to these weights?")
    }
    return try file.tensor(key)
  }

  /// The shape of a tensor, or nil when it is missing.
  public func shape(_ name: String) -> [Int]? {
    let key = prefix + name
    return try? store.files[key]?.info(key).shape
  }

  /// The full names of the tensors below this view that nobody has asked for yet, in file order.
  public var unused: [String] { store.unused.filter { $0.hasPrefix(prefix) } }
}

/// The files behind all views of one model, and which tensors have been read.
private final class WeightStore: @unchecked Sendable {  // `used` is only touched under `lock`
  let source: String
  let names: [String]
  let files: [String: SafetensorsFile]
  private let lock = NSLock()
  private var used: Set<String> = []

  init(source: String, names: [String], files: [String: SafetensorsFile]) {
    self.source = source
    self.names = names
    self.files = files
  }

  /// Opens the files of a sharded checkpoint: `{"weight_map": {tensor: file}}`.
  convenience init(index: URL) throws {
    let json = try JSONValue(parsing: try readFile(index), source: index.path)
    guard case .object(let members)? = json["weight_map"] else {
      throw EvokeError(.format, "\(index.path) has no object \"weight_map\"")
    }
    var opened: [String: SafetensorsFile] = [:]
    var files: [String: SafetensorsFile] = [:]
    for member in members {
      guard case .string(let name) = member.value, !name.contains("/"), !name.contains("\\") else {
        throw EvokeError(.format, "\(index.path): \"\(member.key)\" does not map to a file name")
      }
      let url = index.deletingLastPathComponent().appendingPathComponent(name)
      let file = try opened[name] ?? SafetensorsFile(url)
      opened[name] = file
      _ = try file.info(member.key)
      files[member.key] = file
    }
    self.init(source: index.path, names: members.map(\.key), files: files)
  }

  func markUsed(_ name: String) { lock.withLock { _ = used.insert(name) } }

  var unused: [String] { lock.withLock { names.filter { !used.contains($0) } } }
}
