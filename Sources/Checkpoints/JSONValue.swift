import Foundation
import Tensors

/// A JSON document as it stands in its file: objects keep their order, and a repeated key is an
/// error.
///
/// `JSONSerialization` forgets both, and is slow on a 50,000-entry vocabulary; a safetensors header
/// needs the one and a tokenizer the other. Source: RFC 8259.
public indirect enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object([Member])

  /// One `"key": value` pair of an object.
  public struct Member: Sendable, Equatable {
    /// The key, unescaped.
    public let key: String
    /// What stands behind the colon.
    public let value: JSONValue
  }

  /// Parses a whole document; `source` names it in errors.
  ///
  /// Throws `EvokeError(.format)` with the byte offset for anything RFC 8259 does not allow except
  /// Python's infinities, a repeated key, invalid UTF-8, and nesting deeper than 64.
  public init(parsing data: Data, source: String) throws {
    self = try data.withUnsafeBytes { try JSONValue(parsing: $0, source: source) }
  }

  /// Parses a whole document held in memory owned by someone else.
  public init(parsing bytes: UnsafeRawBufferPointer, source: String) throws {
    var parser = JSONParser(bytes: bytes, source: source)
    self = try parser.document()
  }

  /// The value under a key of an object, or nil.
  public subscript(_ key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// What kind of value this is, for error messages.
  public var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "true/false"
    case .int: "an integer"
    case .double: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }
}
