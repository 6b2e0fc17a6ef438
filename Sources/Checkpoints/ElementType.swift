import Foundation
import Tensors

/// How the elements of a stored tensor are coded: safetensors' dtypes.
///
/// Source: the `Dtype` of huggingface/safetensors.
public enum ElementType: String, Sendable, CaseIterable {
  case bool = "BOOL"
  case uint8 = "U8"
  case int8 = "I8"
  case float8e5m2 = "F8_E5M2"
  case float8e4m3 = "F8_E4M3"
  case int16 = "I16"
  case uint16 = "U16"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int32 = "I32"
  case uint32 = "U32"
  case float32 = "F32"
  case float64 = "F64"
  case int64 = "I64"
  case uint64 = "U64"

  /// Bytes an element takes.
  public var byteCount: Int {
    switch self {
    case .bool, .uint8, .int8, .float8e5m2, .float8e4m3: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  /// Whether `SafetensorsFile.tensor` can turn it into float32; the 8-bit floats it cannot.
  public var isReadable: Bool { self != .float8e5m2 && self != .float8e4m3 }
}

// MARK: - To float32

extension ElementType {
  /// Elements as layers take them: views of the common floats, copies of everything else.
  ///
  /// Throws `EvokeError(.type)` for the 8-bit floats.
  func stored(
    _ bytes: UnsafeRawBufferPointer, shape: [Int], owner: any StoredBytes, what: String
  ) throws -> StoredTensor {
    guard isReadable else {
      throw EvokeError(
        .type, "\(what) are \(rawValue)", hint: "convert the file to F32, F16 or BF16")
    }
    let format: StoredTensor.Format? =
      switch self {
      case .float32: .float32
      case .float16: .float16
      case .bfloat16: .bfloat16
      default: nil
      }
    if let format {
      return StoredTensor(shape: shape, format: format, bytes: bytes, owner: owner)
    }
    return StoredTensor(Tensor(shape: shape) { convert(bytes, to: $0) })
  }

  /// Converts little-endian elements other than those floats; `source` holds exactly
  /// `target.count` of them. Float64 and wide integers round to the nearest float32.
  func convert(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableBufferPointer<Float>) {
    precondition(source.count == target.count * byteCount)
    switch self {
    case .float64:
      load(source, target) { (raw: UInt64) in
        Float(Double(bitPattern: UInt64(littleEndian: raw)))
      }
    case .bool: load(source, target) { (raw: UInt8) in raw == 0 ? 0 : 1 }
    case .uint8: load(source, target) { (raw: UInt8) in Float(raw) }
    case .int8: load(source, target) { (raw: Int8) in Float(raw) }
    case .int16: load(source, target) { (raw: Int16) in Float(Int16(littleEndian: raw)) }
    case .uint16: load(source, target) { (raw: UInt16) in Float(UInt16(littleEndian: raw)) }
    case .int32: load(source, target) { (raw: Int32) in Float(Int32(littleEndian: raw)) }
    case .uint32: load(source, target) { (raw: UInt32) in Float(UInt32(littleEndian: raw)) }
    case .int64: load(source, target) { (raw: Int64) in Float(Int64(littleEndian: raw)) }
    case .uint64: load(source, target) { (raw: UInt64) in Float(UInt64(littleEndian: raw)) }
    case .float32, .float16, .bfloat16, .float8e5m2, .float8e4m3: break  // see `stored`
    }
  }

  @inline(__always)
  private func load<Raw: BitwiseCopyable>(
    _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableBufferPointer<Float>,
    _ convert: (Raw) -> Float
  ) {
    let step = MemoryLayout<Raw>.size
    guard let from = source.baseAddress, let to = target.baseAddress else { return }
    for i in 0..<target.count {
      to[i] = convert(from.loadUnaligned(fromByteOffset: i &* step, as: Raw.self))
    }
  }
}

// MARK: - From float32

/// The IEEE binary16 bit pattern nearest to `value`, ties to even; too large becomes infinite.
func half(from value: Float) -> UInt16 {
  let sign = UInt16(value.bitPattern >> 16 & 0x8000)
  let magnitude = value.bitPattern & 0x7FFF_FFFF
  if magnitude > 0x7F80_0000 { return sign | 0x7E00 }
  if magnitude >= 0x4780_0000 { return sign | 0x7C00 }
  if magnitude < 0x3880_0000 {  // subnormal: adding 0.5 lets the adder round at 2^-24
    let rounded = Float(bitPattern: magnitude) + 0.5
    return sign | UInt16(rounded.bitPattern - Float(0.5).bitPattern)
  }
  let odd = magnitude >> 13 & 1
  return sign | UInt16(truncatingIfNeeded: (magnitude + 0xFFF + odd - 112 << 23) >> 13)
}

/// The bfloat16 bit pattern nearest to `value`, ties to even.
func bfloat(from value: Float) -> UInt16 {
  if value.isNaN { return UInt16(value.bitPattern >> 16) | 0x40 }
  let odd = value.bitPattern >> 16 & 1
  return UInt16(truncatingIfNeeded: (value.bitPattern &+ 0x7FFF &+ odd) >> 16)
}
