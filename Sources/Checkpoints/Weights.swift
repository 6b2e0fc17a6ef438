import Foundation
import Tensors

/// The named tensors of a model, seen below a prefix, over one or several files.
///
/// `weights["down_blocks.0"]["resnets.1"].tensor("conv1.weight", [320, 320, 3, 3])` reads
/// `down_blocks.0.resnets.1.conv1.weight`.
public struct Weights: Sendable {
  private let store: WeightStore
  private let prefix: String
  /// How the layers that are made of these weights compute.
  public var execution = Execution()

  /// All tensors of one file: safetensors, or what torch saved (`.bin`, `.pt`, `.ckpt`).
  public init(file: URL) throws {
    self.init(store: WeightStore(try Self.open(file)), prefix: "")
  }

  /// The weights of a sub-model's folder in diffusers' or transformers' layout.
  ///
  /// Looks for `diffusion_pytorch_model` and `model`, each as a sharded index, a plain file and the
  /// fp16 and bf16 variants; then for the same as torch's `.bin`. Throws `EvokeError(.file)` when
  /// there is none of them.
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
    throw EvokeError(
      .file,
      "\(folder.path) holds no weights: no model.safetensors or "
        + "diffusion_pytorch_model.safetensors")
  }

  private init(store: WeightStore, prefix: String) {
    self.store = store
    self.prefix = prefix
  }

  /// Tensors under the names that a model asks for, wherever they are; `source` names them in errors.
  init(source: String, _ places: [(name: String, place: TensorPlace)]) {
    self.init(store: WeightStore(source: source, places), prefix: "")
  }

  static func open(_ file: URL) throws -> any TensorFile {
    TorchFile.isOne(file) ? try TorchFile(file) : try SafetensorsFile(file)
  }

  /// Full-precision files before the variants that were made from them.
  private static let baseNames: [(file: String, index: String)] =
    [
      ("safetensors", ["diffusion_pytorch_model", "model"]),
      ("bin", ["diffusion_pytorch_model", "pytorch_model"]),
    ]
    .flatMap { ending, names in
      ["", ".fp16", ".bf16"].flatMap { variant in
        names.map { ("\($0)\(variant).\(ending)", "\($0).\(ending).index\(variant).json") }
      }
    }

  /// The view one component further down.
  public subscript(_ component: String) -> Weights {
    var below = Weights(store: store, prefix: prefix + component + ".")
    below.execution = execution
    return below
  }

  /// All tensors of the model under other names; those for which `name` gives nil are left out.
  public func renamed(_ name: (String) -> String?) -> Weights {
    let places = store.names.compactMap { old in
      name(old).flatMap { new in store.places[old].map { (name: new, place: $0) } }
    }
    var renamed = Weights(source: store.source, places)
    renamed.execution = execution
    return renamed
  }

  /// Whether a tensor of this name is there.
  public func has(_ name: String) -> Bool { store.places[prefix + name] != nil }

  /// Whether anything stands below the component.
  public func hasComponent(_ component: String) -> Bool {
    let whole = prefix + component + "."
    return store.names.contains { $0.hasPrefix(whole) }
  }

  /// A tensor as float32, after checking its shape.
  ///
  /// Throws what `stored` throws.
  public func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
    try stored(name, shape).tensor()
  }

  /// Like `tensor`, but nil when it is missing.
  public func optional(_ name: String, _ shape: [Int]) throws -> Tensor? {
    has(name) ? try tensor(name, shape) : nil
  }

  /// A tensor where it lies in its file, after checking its shape.
  ///
  /// Throws `EvokeError(.name)` when it is missing, `.shape` when its shape is another one, and
  /// `.type` for elements that are not supported; all name the file and the full key.
  public func stored(_ name: String, _ shape: [Int]) throws -> StoredTensor {
    let key = prefix + name
    guard let place = store.places[key] else {
      throw EvokeError(
        .name, "\(store.source) holds no tensor named \"\(key)\"",
        hint: closest(to: key, among: store.names).map { "did you mean \"\($0)\"?" })
    }
    store.markUsed(key)
    guard place.shape == shape else {
      throw EvokeError(
        .shape,
        "\(place.file.url.path): tensor \"\(key)\" has shape \(place.shape), expected \(shape)",
        hint: "does the folder's config.json belong to these weights?")
    }
    return try place.stored()
  }

  /// The shape of a tensor, or nil when it is missing.
  public func shape(_ name: String) -> [Int]? { store.places[prefix + name]?.shape }

  /// The full names of the tensors below this view that nobody has asked for yet, in file order.
  public var unused: [String] { store.unused.filter { $0.hasPrefix(prefix) } }
}

/// Where all tensors of one model are, and which of them have been asked for.
private final class WeightStore: @unchecked Sendable {  // `used` is only touched under `lock`
  let source: String
  let names: [String]
  let places: [String: TensorPlace]
  private let lock = NSLock()
  private var used: Set<String> = []

  init(source: String, _ places: [(name: String, place: TensorPlace)]) {
    self.source = source
    names = places.map(\.name)
    self.places = Dictionary(
      places.map { ($0.name, $0.place) }, uniquingKeysWith: { first, _ in first })
  }

  /// All tensors of a file.
  convenience init(_ file: any TensorFile) {
    self.init(
      source: file.url.path,
      file.names.map { name in
        (name, TensorPlace(file: file, key: name, shape: file.shape(of: name) ?? []))
      })
  }

  /// The files of a sharded checkpoint: `{"weight_map": {tensor: file}}`.
  convenience init(index: URL) throws {
    let json = try JSONValue(parsing: try readFile(index), source: index.path)
    guard case .object(let members)? = json["weight_map"] else {
      throw EvokeError(.format, "\(index.path) has no object \"weight_map\"")
    }
    var opened: [String: any TensorFile] = [:]
    let places = try members.map { member in
      guard case .string(let name) = member.value, !name.contains("/"), !name.contains("\\") else {
        throw EvokeError(.format, "\(index.path): \"\(member.key)\" does not map to a file name")
      }
      let url = index.deletingLastPathComponent().appendingPathComponent(name)
      let file = try opened[name] ?? Weights.open(url)
      opened[name] = file
      guard let shape = file.shape(of: member.key) else {
        throw EvokeError(.name, "\(url.path) holds no tensor named \"\(member.key)\"")
      }
      return (member.key, TensorPlace(file: file, key: member.key, shape: shape))
    }
    self.init(source: index.path, places)
  }

  func markUsed(_ name: String) { lock.withLock { _ = used.insert(name) } }

  var unused: [String] { lock.withLock { names.filter { !used.contains($0) } } }
}
