import Foundation
import Tensors

/// Reads a small file whole; throws `EvokeError(.file)` when it cannot.
public func readFile(_ url: URL) throws -> Data {
  let file = try MappedFile(url)
  return Data(file.bytes)
}

/// A JSON configuration file whose values are asked for by key and type.
///
/// A key that is missing or null takes the default; without one, and for a value of another type,
/// the accessors throw `EvokeError(.format)` naming the file and the key.
public struct Config: Sendable {
  /// The file, and the path inside it for a nested object.
  public let source: String
  private let json: JSONValue

  /// Reads a file that holds one JSON object.
  public init(_ url: URL) throws {
    try self.init(JSONValue(parsing: try readFile(url), source: url.path), source: url.path)
  }

  /// Wraps an object that has been parsed already.
  public init(_ json: JSONValue, source: String) throws {
    guard case .object = json else {
      throw EvokeError(.format, "\(source) holds \(json.kindName), not an object")
    }
    self.json = json
    self.source = source
  }

  /// The keys in file order.
  public var keys: [String] {
    guard case .object(let members) = json else { return [] }
    return members.map(\.key)
  }

  /// The value under a key as it stands; nil when it is missing or null.
  public func value(_ key: String) -> JSONValue? {
    switch json[key] {
    case nil, .null?: nil
    case let value?: value
    }
  }

  /// Whether the key is there and not null.
  public func has(_ key: String) -> Bool { value(key) != nil }

  /// An integer.
  public func int(_ key: String, default fallback: Int? = nil) throws -> Int {
    try read(key, fallback, "an integer", Self.int)
  }

  /// A number; integers count.
  public func double(_ key: String, default fallback: Double? = nil) throws -> Double {
    try read(key, fallback, "a number") {
      switch $0 {
      case .int(let number): Double(number)
      case .double(let number): number
      default: nil
      }
    }
  }

  /// A truth value.
  public func bool(_ key: String, default fallback: Bool? = nil) throws -> Bool {
    try read(key, fallback, "true or false") { if case .bool(let flag) = $0 { flag } else { nil } }
  }

  /// A string.
  public func string(_ key: String, default fallback: String? = nil) throws -> String {
    try read(key, fallback, "a string", Self.string)
  }

  /// A list of integers; a lone integer counts as a list of one.
  public func ints(_ key: String, default fallback: [Int]? = nil) throws -> [Int] {
    try read(key, fallback, "a list of integers") { value in
      if let number = Self.int(value) { return [number] }
      return Self.list(value, Self.int)
    }
  }

  /// A list of numbers.
  public func doubles(_ key: String, default fallback: [Double]? = nil) throws -> [Double] {
    try read(key, fallback, "a list of numbers") { value in
      Self.list(value) {
        switch $0 {
        case .int(let number): Double(number)
        case .double(let number): number
        default: nil
        }
      }
    }
  }

  /// A list of strings.
  public func strings(_ key: String, default fallback: [String]? = nil) throws -> [String] {
    try read(key, fallback, "a list of strings") { Self.list($0, Self.string) }
  }

  /// A nested object.
  public func config(_ key: String) throws -> Config {
    let value = try read(key, nil, "an object") { if case .object = $0 { $0 } else { nil } }
    return try Config(value, source: "\(source): \(key)")
  }

  private func read<Value>(
    _ key: String, _ fallback: Value?, _ expected: String, _ convert: (JSONValue) -> Value?
  ) throws -> Value {
    guard let value = value(key) else {
      if let fallback { return fallback }
      throw EvokeError(.format, "\(source) has no \"\(key)\"")
    }
    guard let converted = convert(value) else {
      throw EvokeError(
        .format, "\(source): \"\(key)\" is \(value.kindName), expected \(expected)")
    }
    return converted
  }

  private static func int(_ value: JSONValue) -> Int? {
    if case .int(let number) = value { number } else { nil }
  }

  private static func string(_ value: JSONValue) -> String? {
    if case .string(let text) = value { text } else { nil }
  }

  private static func list<Element>(_ value: JSONValue, _ convert: (JSONValue) -> Element?)
    -> [Element]?
  {
    guard case .array(let elements) = value else { return nil }
    let converted = elements.compactMap(convert)
    return converted.count == elements.count ? converted : nil
  }
}
