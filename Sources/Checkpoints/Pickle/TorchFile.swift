import Foundation
import Tensors

/// A file that `torch.save` wrote (`.bin`, `.pt`, `.ckpt`), mapped into memory; nothing in it is run.
///
/// Formats: the zip archive of torch 1.6 and later, and the sequence of pickles before it. Source:
/// torch `torch/serialization.py`.
public final class TorchFile: Sendable {
  /// Where the file is.
  public let url: URL
  /// The tensors' names in the order of the file: the keys of the dictionary, or of its `state_dict`.
  /// Those of dictionaries inside it are `outer/inner`.
  public let names: [String]
  /// The texts and numbers that stand beside the tensors.
  public let fields: [String: String]

  private let tensors: [String: View]
  private let file: MappedFile

  /// A tensor and the bytes of its storage.
  private struct View: @unchecked Sendable {  // the bytes are those of the mapped file
    let tensor: PickleTensor
    let bytes: UnsafeRawBufferPointer
  }

  /// More than the pickle of any model takes; the numbers are not in it.
  private static let longestPickle = 1 << 26

  /// Whether a file's name ends as torch's files do.
  public static func isOne(_ url: URL) -> Bool {
    ["bin", "ckpt", "pt", "pth"].contains(url.pathExtension.lowercased())
  }

  /// Opens and checks a file.
  ///
  /// Throws `EvokeError(.file)` when it cannot be read, `.format` when it is damaged or wants something
  /// run, and `.type` for numbers of an unsupported type.
  public init(_ url: URL) throws {
    self.url = url
    file = try MappedFile(url)
    let contents =
      try ZipArchive.isZip(file.bytes)
      ? Self.archive(file.bytes, url.path) : Self.sequence(file.bytes, url.path)
    var names: [String] = []
    var tensors: [String: View] = [:]
    for (name, tensor) in contents.tensors {
      let storage = tensor.storage
      guard let bytes = contents.storages[storage.key],
        bytes.count / storage.type.byteCount >= storage.count
      else {
        throw EvokeError(
          .format,
          "\(url.path) is a damaged checkpoint: \"\(name)\" needs \(storage.count) numbers, the file "
            + "has \((contents.storages[storage.key]?.count ?? 0) / storage.type.byteCount) of them"
        )
      }
      guard tensors.updateValue(View(tensor: tensor, bytes: bytes), forKey: name) == nil else {
        throw EvokeError(.format, "\(url.path) is a damaged checkpoint: \"\(name)\" stands twice")
      }
      names.append(name)
    }
    self.names = names
    self.tensors = tensors
    fields = contents.fields
  }

  /// A tensor's elements as float32; throws `EvokeError(.name)` for an unknown name.
  public func tensor(_ name: String) throws -> Tensor { try stored(name).tensor() }
}

// MARK: - Tensors

extension TorchFile: TensorFile {
  /// A tensor's shape, or nil when there is none of this name.
  public func shape(of name: String) -> [Int]? { tensors[name]?.tensor.shape }

  func stored(_ name: String) throws -> StoredTensor {
    guard let view = tensors[name] else {
      throw EvokeError(
        .name, "\(url.path) holds no tensor named \"\(name)\"",
        hint: closest(to: name, among: names).map { "did you mean \"\($0)\"?" })
    }
    let (tensor, type) = (view.tensor, view.tensor.storage.type)
    let what = "\(url.path): the elements of \"\(name)\""
    let count = tensor.shape.reduce(1, *)
    if tensor.isContiguous {
      let start = count == 0 ? 0 : tensor.offset * type.byteCount
      let bytes = UnsafeRawBufferPointer(
        rebasing: view.bytes[start..<start + count * type.byteCount])
      return try type.stored(bytes, shape: tensor.shape, owner: file, what: what)
    }
    let whole = UnsafeRawBufferPointer(
      rebasing: view.bytes[..<(tensor.storage.count * type.byteCount)])
    let flat = try type.stored(whole, shape: [tensor.storage.count], owner: file, what: what)
    return StoredTensor(
      flat.tensor().gathered(shape: tensor.shape, strides: tensor.strides, from: tensor.offset))
  }
}

extension PickleTensor {
  /// Whether the elements lie one behind the other, the last axis fastest.
  fileprivate var isContiguous: Bool {
    var expected = 1
    for (size, stride) in zip(shape, strides).reversed() where size != 1 {
      if stride != expected { return shape.contains(0) }
      expected *= size
    }
    return true
  }
}

// MARK: - The two formats

extension TorchFile {
  private struct Contents {
    var tensors: [(name: String, tensor: PickleTensor)] = []
    var fields: [String: String] = [:]
    var storages: [String: UnsafeRawBufferPointer] = [:]
  }

  /// `NAME/data.pkl`, with the storages in `NAME/data/KEY`.
  private static func archive(_ bytes: UnsafeRawBufferPointer, _ source: String) throws -> Contents
  {
    let zip = try ZipArchive(bytes, source: source)
    guard let pickle = zip.names.first(where: { $0.hasSuffix("/data.pkl") }),
      let data = try zip.bytes(pickle)
    else {
      throw EvokeError(.format, "\(source) is a zip archive, but no checkpoint: no data.pkl in it")
    }
    guard data.count <= longestPickle else {
      throw EvokeError(.format, "\(source): a pickle of \(data.count) bytes is no checkpoint")
    }
    let folder = pickle.dropLast("data.pkl".count)
    if let order = try zip.bytes(folder + "byteorder"), !order.starts(with: "little".utf8) {
      throw EvokeError(.format, "\(source) was written on a big-endian machine")
    }
    var reader = PickleReader(data, source: source)
    var contents = try reader.read { try flattened($0, source) }
    for key in Set(contents.tensors.map(\.tensor.storage.key)) {
      contents.storages[key] = try zip.bytes(folder + "data/" + key)
    }
    return contents
  }

  /// A magic number, the format's version, the machine and the value as pickles; then a pickled list
  /// of the storages' keys, and each storage as a count and its elements.
  private static func sequence(_ bytes: UnsafeRawBufferPointer, _ source: String) throws -> Contents
  {
    guard bytes.first == 0x80 else {
      throw EvokeError(
        .format, "\(source) is no checkpoint: neither a zip archive nor a pickle",
        hint: bytes.isEmpty ? "the file is empty" : nil)
    }
    let head = UnsafeRawBufferPointer(rebasing: bytes.prefix(longestPickle))
    var reader = PickleReader(head, source: source)
    let magic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
    let isTorch = try reader.read { value in
      if case .bytes(let found) = value { found == magic } else { false }
    }
    guard isTorch else {
      throw EvokeError(.format, "\(source) is a pickle, but none that torch wrote")
    }
    for _ in 0..<2 { try reader.read { _ in } }
    var contents = try reader.read { try flattened($0, source) }
    let keys: [String] = try reader.read { value in
      guard case .object(let list) = value, list.kind == .list else { return [] }
      return list.items.compactMap { if case .string(let key) = $0 { key } else { nil } }
    }
    let types = reader.storageTypes
    let whole = LittleEndianReader(bytes: bytes, source: source)
    var at = reader.at
    for key in keys {
      guard let type = types[key] else { throw whole.damaged("it has a storage of no type") }
      let count = try whole.integer(at, 8)
      guard count <= bytes.count else { throw whole.damaged("a storage of \(count) numbers") }
      contents.storages[key] = try whole.slice(
        at + 8, count * type.byteCount, what: "the storage \"\(key)\"")
      at += 8 + count * type.byteCount
    }
    return contents
  }

  /// The tensors and fields of the dictionary that a checkpoint is.
  private static func flattened(_ value: PickleValue, _ source: String) throws -> Contents {
    guard case .object(let root) = value, root.kind == .dictionary else {
      throw EvokeError(
        .format, "\(source) holds no dictionary of tensors",
        hint: "save the model's state_dict(), not the model")
    }
    var contents = Contents()
    for (key, value) in root.members {
      switch value {
      case .tensor(let tensor): contents.tensors.append((key, tensor))
      case .string(let text): contents.fields[key] = text
      case .int(let number): contents.fields[key] = String(number)
      case .object(let object):
        let prefix = key == "state_dict" ? "" : key + "/"
        for case (let inner, .tensor(let tensor)) in inside(object) {
          contents.tensors.append((prefix + inner, tensor))
        }
      default: break
      }
    }
    return contents
  }

  /// The members of a dictionary, or of a module's `_parameters`.
  private static func inside(_ object: PickleObject) -> [(key: String, value: PickleValue)] {
    guard object.kind == .instance, case .object(let state)? = object.state else {
      return object.members
    }
    let parameters = state.members.first { $0.key == "_parameters" }?.value
    guard case .object(let dictionary)? = parameters else { return state.members }
    return dictionary.members
  }
}
