import Foundation
import Tensors

/// Writes values as bytes: a letter for the type, counts before contents, numbers little-endian
/// and 8 bytes wide, tensors' elements 4, as in digests, but with every bit of a NaN.
public struct ValueEncoder {
  public private(set) var bytes: [UInt8] = []
  /// The most that one value may take: what holds the same list very often would not end.
  private let limit: Int

  public init(limit: Int = 1 << 30) { self.limit = limit }

  /// The bytes of a value, or nil if it holds a function or an object that is not ``Storable``.
  public static func bytes(of value: Value, limit: Int = 1 << 30) -> [UInt8]? {
    var encoder = ValueEncoder(limit: limit)
    do { try encoder.value(value) } catch { return nil }
    return encoder.bytes
  }

  public mutating func int(_ value: Int) {
    withUnsafeBytes(of: Int64(value).littleEndian) { bytes.append(contentsOf: $0) }
  }

  public mutating func double(_ value: Double) {
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Bytes with their count.
  public mutating func data(_ value: some Collection<UInt8>) throws {
    int(value.count)
    try makeRoom(value.count)
    bytes.append(contentsOf: value)
  }

  public mutating func string(_ value: String) throws { try data(Array(value.utf8)) }

  public mutating func tensor(_ tensor: Tensor) throws {
    int(tensor.rank)
    for extent in tensor.shape { int(extent) }
    try makeRoom(tensor.count * 4)
    tensor.withUnsafeValues { values in
      for value in values {
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
      }
    }
  }

  /// A value that describes itself, as JSON with sorted keys.
  public mutating func codable(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    try data(encoder.encode(value))
  }

  /// A value of the language.
  ///
  /// - Throws: `EvokeError` (type) for a function or an object that is not ``Storable``, `.value`
  ///   for one that takes more than the limit.
  public mutating func value(_ value: Value) throws {
    switch value {
    case .none: tag("n")
    case .bool(let bool): tag(bool ? "t" : "f")
    case .int(let int):
      tag("i")
      self.int(int)
    case .double(let double):
      tag("d")
      self.double(double)
    case .string(let string):
      tag("s")
      try self.string(string)
    case .member(let name):
      tag("m")
      try string(name)
    case .range(let range):
      tag("r")
      int(range.lower)
      int(range.upper)
    case .tensor(let tensor):
      tag("T")
      try self.tensor(tensor)
    case .list(let list):
      tag("l")
      int(list.count)
      for element in list.elements { try self.value(element) }
    case .record(let record):
      tag("R")
      int(record.count)
      for (key, value) in record.fields {
        try string(key)
        try self.value(value)
      }
    case .object(let object):
      guard let object = object as? any Storable else { throw Self.refusal(of: value) }
      tag("o")
      try string(type(of: object).typeName)
      try object.encode(into: &self)
    case .function: throw Self.refusal(of: value)
    }
    try makeRoom(0)
  }

  private mutating func tag(_ tag: Unicode.Scalar) { bytes.append(UInt8(ascii: tag)) }

  private func makeRoom(_ count: Int) throws {
    guard bytes.count + count <= limit else {
      throw EvokeError(.value, "the value takes more than \(limit) bytes")
    }
  }

  private static func refusal(of value: Value) -> EvokeError {
    EvokeError(.type, "a \(value.typeName) is not kept, but made again")
  }
}
