import Foundation
import Tensors

/// Reads the bytes of ``ValueEncoder``; what cannot be of its making is refused.
public struct ValueDecoder {
  private let bytes: [UInt8]
  private var position = 0
  private let types: [any Storable.Type]

  /// - Parameter registry: says which domain types there are.
  public init(_ bytes: [UInt8], registry: Registry) {
    self.bytes = bytes
    types = registry.types.compactMap { $0 as? any Storable.Type }
  }

  /// The value that `bytes` were made of.
  ///
  /// - Throws: `EvokeError` (format) for damaged bytes and for types that the registry lacks.
  public static func value(of bytes: [UInt8], registry: Registry) throws -> Value {
    var decoder = ValueDecoder(bytes, registry: registry)
    let value = try decoder.value()
    guard decoder.position == bytes.count else { throw damage }
    return value
  }

  public mutating func int() throws -> Int { Int(Int64(bitPattern: try word())) }

  public mutating func double() throws -> Double { Double(bitPattern: try word()) }

  public mutating func data() throws -> ArraySlice<UInt8> {
    let count = try int()
    return try take(count)
  }

  public mutating func string() throws -> String {
    guard let string = String(validating: try data(), as: UTF8.self) else { throw Self.damage }
    return string
  }

  public mutating func tensor() throws -> Tensor {
    let rank = try int()
    guard (0...8).contains(rank) else { throw Self.damage }
    var shape: [Int] = []
    var count = 1
    for _ in 0..<rank {
      let extent = try int()
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow, product <= bytes.count else { throw Self.damage }
      shape.append(extent)
      count = product
    }
    let raw = try take(count * 4)
    return Tensor(shape: shape) { to in
      raw.withUnsafeBytes { raw in
        for i in 0..<count {
          let bits = raw.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self)
          to.initializeElement(at: i, to: Float(bitPattern: UInt32(littleEndian: bits)))
        }
      }
    }
  }

  /// What ``ValueEncoder/codable(_:)`` wrote.
  public mutating func codable<T: Decodable>(_ type: T.Type = T.self) throws -> T {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let data = Data(try data())
    do { return try decoder.decode(type, from: data) } catch { throw Self.damage }
  }

  public mutating func value() throws -> Value { try value(depth: 0) }

  private mutating func value(depth: Int) throws -> Value {
    guard depth <= Limits.standard.depth else { throw Self.damage }
    switch try take(1).first.map(Unicode.Scalar.init) {
    case "n": return .none
    case "t": return .bool(true)
    case "f": return .bool(false)
    case "i": return .int(try int())
    case "d": return .double(try double())
    case "s": return .string(try string())
    case "m": return .member(try string())
    case "r": return .range(IntRange(try int(), try int()))
    case "T": return .tensor(try tensor())
    case "l":
      let count = try count()
      return .list(try (0..<count).map { _ in try value(depth: depth + 1) })
    case "R":
      let count = try count()
      return .record(
        Record(try (0..<count).map { _ in (try string(), try value(depth: depth + 1)) }))
    case "o":
      let name = try string()
      guard let type = types.first(where: { $0.typeName == name }) else {
        throw EvokeError(.format, "there is no kept type \(name)")
      }
      return .object(try type.init(from: &self))
    default: throw Self.damage
    }
  }

  /// A number of parts, each of which takes a byte at least.
  public mutating func count() throws -> Int {
    let count = try int()
    guard count >= 0, count <= bytes.count - position else { throw Self.damage }
    return count
  }

  private mutating func word() throws -> UInt64 {
    try take(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
    guard count >= 0, count <= bytes.count - position else { throw Self.damage }
    defer { position += count }
    return bytes[position..<position + count]
  }

  /// What every reader throws for bytes that cannot have been written.
  public static let damage = EvokeError(.format, "the kept value is damaged")
}
