import Foundation
import Tensors

/// What a safetensors header says about one tensor.
public struct TensorInfo: Sendable, Equatable {
  /// How the elements are coded.
  public let type: ElementType
  /// The shape; empty for a scalar.
  public let shape: [Int]
  /// Where the bytes stand, relative to the end of the header.
  let range: Range<Int>

  /// The length in bytes.
  public var byteCount: Int { range.count }
}

/// A safetensors file, mapped into memory; opening it checks every offset and length.
///
/// Format: huggingface/safetensors (8 bytes little-endian header length, a JSON header, the data
/// without holes or overlaps).
public final class SafetensorsFile: Sendable {
  /// Where the file is.
  public let url: URL
  /// The tensors' names in the order of the header.
  public let names: [String]
  /// The free-form `__metadata__`.
  public let metadata: [String: String]

  private let infos: [String: TensorInfo]
  private let file: MappedFile
  private let dataStart: Int

  /// Opens and checks a file.
  ///
  /// Throws `EvokeError(.file)` when it cannot be read and `.format`, naming the file and the tensor,
  /// when its header is damaged or does not describe its bytes.
  public init(_ url: URL) throws {
    self.url = url
    file = try MappedFile(url)
    let header = try SafetensorsHeader(reading: file.bytes, name: url.path)
    names = header.entries.map(\.name)
    infos = Dictionary(uniqueKeysWithValues: header.entries.map { ($0.name, $0.info) })
    metadata = header.metadata
    dataStart = header.dataStart
  }

  /// Whether the file holds a tensor of this name.
  public func has(_ name: String) -> Bool { infos[name] != nil }

  /// Element type and shape of a tensor; throws `EvokeError(.name)` for an unknown one.
  public func info(_ name: String) throws -> TensorInfo {
    guard let info = infos[name] else {
      throw EvokeError(
        .name, "\(url.path) holds no tensor named \"\(name)\"",
        hint: closest(to: name, among: names).map { "did you mean \"\($0)\"?" })
    }
    return info
  }

  /// A tensor's elements as float32, in its stored shape.
  ///
  /// Throws `EvokeError(.name)` for an unknown name and `.type` for the 8-bit floats.
  public func tensor(_ name: String) throws -> Tensor { try stored(name).tensor() }

  /// A tensor's elements where they lie in the file; throws what `tensor` throws.
  public func stored(_ name: String) throws -> StoredTensor {
    let info = try info(name)
    let bytes = UnsafeRawBufferPointer(
      rebasing: file.bytes[dataStart + info.range.lowerBound..<dataStart + info.range.upperBound])
    return try info.type.stored(
      bytes, shape: info.shape, owner: file, what: "\(url.path): the elements of \"\(name)\"")
  }
}

extension SafetensorsFile: TensorFile {
  func shape(of name: String) -> [Int]? { infos[name]?.shape }
}
