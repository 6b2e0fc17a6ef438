import Foundation
import Tensors

/// A recursive-descent JSON parser over raw bytes (RFC 8259), strict and bounded.
struct JSONParser {
  let bytes: UnsafeRawBufferPointer
  let source: String
  private var at = 0
  private var depth = 0

  /// Deep enough for every real file, shallow enough that a hostile one cannot exhaust the stack.
  static let maximumDepth = 64

  init(bytes: UnsafeRawBufferPointer, source: String) {
    self.bytes = bytes
    self.source = source
  }

  mutating func document() throws -> JSONValue {
    let value = try self.value()
    skipSpace()
    guard at == bytes.count else { throw failure("something follows the end of the JSON value") }
    return value
  }

  private func failure(_ what: String) -> EvokeError {
    EvokeError(.format, "\(source): not well-formed JSON at byte \(at): \(what)")
  }

  private var current: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      at += 1
    }
  }

  private mutating func value() throws -> JSONValue {
    skipSpace()
    guard let byte = current else { throw failure("it ends where a value should stand") }
    switch byte {
    case UInt8(ascii: "{"): return try nested { try $0.object() }
    case UInt8(ascii: "["): return try nested { try $0.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case UInt8(ascii: "I"): return try literal("Infinity", .double(.infinity))
    default: return try number()
    }
  }

  private mutating func nested(_ body: (inout Self) throws -> JSONValue) throws -> JSONValue {
    depth += 1
    guard depth <= Self.maximumDepth else {
      throw failure("nested deeper than \(Self.maximumDepth)")
    }
    let value = try body(&self)
    depth -= 1
    return value
  }

  private mutating func literal(_ word: StaticString, _ value: JSONValue) throws -> JSONValue {
    let end = at + word.utf8CodeUnitCount
    guard end <= bytes.count,
      (at..<end).allSatisfy({ bytes[$0] == word.utf8Start[$0 - at] })
    else { throw failure("a value was expected") }
    at = end
    return value
  }

  private mutating func object() throws -> JSONValue {
    at += 1
    var members: [JSONValue.Member] = []
    var keys: Set<String> = []
    skipSpace()
    if current == UInt8(ascii: "}") {
      at += 1
      return .object([])
    }
    while true {
      skipSpace()
      guard current == UInt8(ascii: "\"") else { throw failure("a key was expected") }
      let key = try string()
      guard keys.insert(key).inserted else { throw failure("the key \"\(key)\" stands twice") }
      skipSpace()
      guard current == UInt8(ascii: ":") else { throw failure("':' was expected") }
      at += 1
      members.append(.init(key: key, value: try value()))
      if try closes(with: UInt8(ascii: "}")) { return .object(members) }
    }
  }

  private mutating func array() throws -> JSONValue {
    at += 1
    var elements: [JSONValue] = []
    skipSpace()
    if current == UInt8(ascii: "]") {
      at += 1
      return .array([])
    }
    while true {
      elements.append(try value())
      if try closes(with: UInt8(ascii: "]")) { return .array(elements) }
    }
  }

  /// Behind an element: true at the closing bracket, false at a comma.
  private mutating func closes(with bracket: UInt8) throws -> Bool {
    skipSpace()
    guard let byte = current, byte == bracket || byte == UInt8(ascii: ",") else {
      throw failure("',' or '\(Character(Unicode.Scalar(bracket)))' was expected")
    }
    at += 1
    return byte == bracket
  }
}

// MARK: - Strings

extension JSONParser {
  fileprivate mutating func string() throws -> String {
    at += 1
    let start = at
    while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
      at += 1
    }
    if current == UInt8(ascii: "\"") {
      let text = try decoded(UnsafeRawBufferPointer(rebasing: bytes[start..<at]))
      at += 1
      return text
    }
    return try stringWithEscapes(from: start)
  }

  private func decoded(_ raw: some Collection<UInt8>) throws -> String {
    guard let text = String(validating: raw, as: UTF8.self) else {
      throw failure("a string is not valid UTF-8")
    }
    return text
  }

  private mutating func stringWithEscapes(from start: Int) throws -> String {
    var buffer = Array(bytes[start..<at])
    while let byte = current {
      switch byte {
      case UInt8(ascii: "\""):
        let text = try decoded(buffer)
        at += 1
        return text
      case UInt8(ascii: "\\"):
        buffer.append(contentsOf: try escape().utf8)
      case 0..<0x20:
        throw failure("a control character stands in a string")
      default:
        buffer.append(byte)
        at += 1
      }
    }
    throw failure("a string has no end")
  }

  private mutating func escape() throws -> String {
    at += 1
    guard let byte = current else { throw failure("a string has no end") }
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
      return String(Unicode.Scalar(byte))
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicodeEscape()
    default: throw failure("an unknown escape")
    }
  }

  private mutating func unicodeEscape() throws -> String {
    let high = try hexadecimal()
    if let scalar = Unicode.Scalar(high) { return String(scalar) }
    guard high < 0xDC00, at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"),
      bytes[at + 1] == UInt8(ascii: "u")
    else { throw failure("half a surrogate pair") }
    at += 2
    let low = try hexadecimal()
    guard (0xDC00..<0xE000).contains(low),
      let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
    else { throw failure("half a surrogate pair") }
    return String(scalar)
  }

  private mutating func hexadecimal() throws -> UInt32 {
    guard at + 4 <= bytes.count else { throw failure("\\u needs four hexadecimal digits") }
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(bytes[at])).hexDigitValue, bytes[at] < 0x80 else {
        throw failure("\\u needs four hexadecimal digits")
      }
      code = code << 4 | UInt32(digit)
      at += 1
    }
    return code
  }
}

// MARK: - Numbers

extension JSONParser {
  fileprivate mutating func number() throws -> JSONValue {
    let start = at
    if current == UInt8(ascii: "-") { at += 1 }
    // Not RFC 8259, but what Python writes: diffusers' `"lambda_min_clipped": -Infinity`.
    if current == UInt8(ascii: "I") { return try literal("Infinity", .double(-.infinity)) }
    let firstDigit = at
    try digits()
    guard at == firstDigit + 1 || bytes[firstDigit] != UInt8(ascii: "0") else {
      throw failure("a number starts with 0")
    }
    var isInteger = true
    if current == UInt8(ascii: ".") {
      isInteger = false
      at += 1
      try digits()
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      isInteger = false
      at += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { at += 1 }
      try digits()
    }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    if isInteger, let value = Int(text) { return .int(value) }
    guard let value = Double(text), value.isFinite else { throw failure("a number out of range") }
    return .double(value)
  }

  private mutating func digits() throws {
    let start = at
    while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { at += 1 }
    guard at > start else { throw failure("a value was expected") }
  }
}
