import Foundation
import Tensors

/// What a file for torch can hold.
public indirect enum TorchValue: Sendable {
  case none
  case int(Int)
  case string(String)
  /// Written in float32.
  case tensor(Tensor)
  case dictionary([(String, TorchValue)])
}

/// Writing files that `torch.load(…, weights_only=True)` reads.
public enum TorchWriter {
  /// Writes a value to a temporary name and then renames it; the same value gives the same bytes.
  ///
  /// Throws `EvokeError(.file)` when it cannot write.
  public static func write(_ value: TorchValue, to url: URL) throws {
    try AtomicFile.write(data(value), to: url)
  }

  /// The bytes that `write` writes: torch's zip archive of a pickle and one entry a tensor.
  public static func data(_ value: TorchValue) -> Data {
    var pickle = PickleWriter()
    pickle.append(value)
    var archive = ArchiveWriter()
    archive.add("archive/data.pkl", Data([0x80, 2] + pickle.bytes + [0x2E]))
    archive.add("archive/byteorder", Data("little".utf8))
    for (i, tensor) in pickle.tensors.enumerated() {
      archive.add(
        "archive/data/\(i)", tensor.withUnsafeValues { Data(UnsafeRawBufferPointer($0)) })
    }
    archive.add("archive/version", Data("3\n".utf8))
    return archive.finished()
  }
}

/// The instructions of pickle protocol 2 that build plain data.
private struct PickleWriter {
  var bytes: [UInt8] = []
  var tensors: [Tensor] = []

  mutating func append(_ value: TorchValue) {
    switch value {
    case .none: bytes.append(0x4E)
    case .int(let number):
      bytes += [0x8A, 8]
      little(UInt64(bitPattern: Int64(number)))
    case .string(let text): append(text)
    case .tensor(let tensor): append(tensor)
    case .dictionary(let members):
      bytes += [0x7D, 0x28]
      for (key, value) in members {
        append(key)
        append(value)
      }
      bytes.append(0x75)
    }
  }

  private mutating func append(_ text: String) {
    bytes.append(0x58)
    little(UInt32(text.utf8.count))
    bytes += Array(text.utf8)
  }

  private mutating func global(_ module: String, _ name: String) {
    bytes += [0x63] + Array("\(module)\n\(name)\n".utf8)
  }

  private mutating func tuple(_ numbers: [Int]) {
    bytes.append(0x28)
    for number in numbers { append(.int(number)) }
    bytes.append(0x74)
  }

  /// torch._utils._rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())
  private mutating func append(_ tensor: Tensor) {
    global("torch._utils", "_rebuild_tensor_v2")
    bytes += [0x28, 0x28]
    append("storage")
    global("torch", "FloatStorage")
    append(String(tensors.count))
    append("cpu")
    append(.int(tensor.count))
    bytes += [0x74, 0x51]
    append(.int(0))
    tuple(tensor.shape)
    var strides = [Int](repeating: 1, count: tensor.rank)
    for axis in strides.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * tensor.shape[axis + 1]
    }
    tuple(strides)
    bytes.append(0x89)
    global("collections", "OrderedDict")
    bytes += [0x29, 0x52, 0x74, 0x52]
    tensors.append(tensor)
  }

  private mutating func little<N: FixedWidthInteger>(_ number: N) {
    withUnsafeBytes(of: number.littleEndian) { bytes += Array($0) }
  }
}

/// A zip archive of entries stored as they are, each beginning on a multiple of 64 bytes as torch
/// has it.
private struct ArchiveWriter {
  private var bytes = Data()
  private var directory = Data()
  private var count = 0

  mutating func add(_ name: String, _ content: Data) {
    let start = bytes.count
    let padding = (64 - (start + 30 + name.utf8.count + 4) % 64) % 64
    var common = Data()
    // Version 2.0, no flags, stored; 1 January 1980, the earliest date there is.
    for number in [20, 0, 0, 0, 0x21] as [UInt16] { common.append(little: number) }
    common.append(little: Self.checksum(content))
    for _ in 0..<2 { common.append(little: UInt32(content.count)) }
    common.append(little: UInt16(name.utf8.count))
    bytes.append(contentsOf: [0x50, 0x4B, 3, 4])
    bytes.append(common)
    bytes.append(little: UInt16(padding + 4))
    bytes.append(contentsOf: name.utf8)
    bytes.append(contentsOf: [0x46, 0x42])  // torch's own padding field
    bytes.append(little: UInt16(padding))
    bytes.append(Data(repeating: 0x5A, count: padding))
    bytes.append(content)
    directory.append(contentsOf: [0x50, 0x4B, 1, 2, 20, 0])
    directory.append(common)
    directory.append(Data(repeating: 0, count: 12))
    directory.append(little: UInt32(start))
    directory.append(contentsOf: name.utf8)
    count += 1
  }

  /// The archive with its directory.
  func finished() -> Data {
    var whole = bytes + directory
    whole.append(contentsOf: [0x50, 0x4B, 5, 6, 0, 0, 0, 0])
    for _ in 0..<2 { whole.append(little: UInt16(count)) }
    whole.append(little: UInt32(directory.count))
    whole.append(little: UInt32(bytes.count))
    whole.append(little: UInt16(0))
    return whole
  }

  /// CRC-32 as in ISO 3309.
  private static func checksum(_ data: Data) -> UInt32 {
    ~data.reduce(~UInt32(0)) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1) * 0xEDB8_8320 }
    }
  }
}

extension Data {
  fileprivate mutating func append<N: FixedWidthInteger>(little number: N) {
    Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
  }
}
