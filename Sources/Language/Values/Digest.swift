import Crypto
import Tensors

/// SHA-256 over the raw bytes of values; the same on every platform.
///
/// Every part is preceded by what it is and how long it is, so that no two different values feed
/// the same bytes. Numbers are little-endian; a Double is its bit pattern with every NaN as
/// 0x7ff8000000000000 (a Float: 0x7fc00000) and −0 different from 0.
public struct Digest {
  private var hasher = SHA256()

  public init() {}

  /// Feeds one byte that says what follows.
  public mutating func tag(_ tag: Character) {
    bytes(Array(String(tag).utf8))
  }

  /// Feeds raw bytes, without their length.
  public mutating func bytes(_ bytes: some Sequence<UInt8>) {
    hasher.update(data: Array(bytes))
  }

  /// Feeds raw bytes, without their length.
  public mutating func bytes(_ bytes: UnsafeRawBufferPointer) {
    hasher.update(bufferPointer: bytes)
  }

  /// Feeds a whole number as 8 bytes.
  public mutating func int(_ value: Int) {
    withUnsafeBytes(of: Int64(value).littleEndian) { hasher.update(bufferPointer: $0) }
  }

  /// Feeds a number as the 8 bytes of its bit pattern.
  public mutating func double(_ value: Double) {
    let bits = value.isNaN ? 0x7ff8_0000_0000_0000 : value.bitPattern
    withUnsafeBytes(of: bits.littleEndian) { hasher.update(bufferPointer: $0) }
  }

  /// Feeds a count and the numbers.
  public mutating func doubles(_ values: [Double]) {
    int(values.count)
    for value in values { double(value) }
  }

  /// Feeds a string's UTF-8 bytes, preceded by their count.
  public mutating func string(_ value: String) {
    let utf8 = Array(value.utf8)
    int(utf8.count)
    hasher.update(data: utf8)
  }

  /// Feeds a tensor: rank, shape, then the elements in row-major order, 4 bytes each.
  public mutating func tensor(_ tensor: Tensor) {
    int(tensor.shape.count)
    for extent in tensor.shape { int(extent) }
    tensor.withUnsafeValues { values in
      var block: [UInt32] = []
      block.reserveCapacity(4096)
      var start = 0
      while start < values.count {
        let end = min(start + 4096, values.count)
        block.removeAll(keepingCapacity: true)
        for i in start..<end {
          let value = values[i]
          block.append((value.isNaN ? 0x7fc0_0000 : value.bitPattern).littleEndian)
        }
        block.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        start = end
      }
    }
  }

  /// The 32 bytes of the digest of everything fed so far.
  public func finalized() -> [UInt8] { Array(hasher.finalize()) }

  /// The digest as 64 hexadecimal digits.
  public func hexadecimal() -> String { Digest.hexadecimal(finalized()) }

  /// `bytes` as lower-case hexadecimal digits.
  public static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}
