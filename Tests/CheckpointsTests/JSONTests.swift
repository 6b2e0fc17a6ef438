import Foundation
import Tensors
import Testing

@testable import Checkpoints

@Suite struct JSONTests {
  private func parse(_ text: String) throws -> JSONValue {
    try JSONValue(parsing: Data(text.utf8), source: "test.json")
  }

  @Test(
    arguments: [
      ("null", .null), (" true ", .bool(true)), ("false\n", .bool(false)), ("0", .int(0)),
      ("-17", .int(-17)), ("9223372036854775807", .int(.max)),
      ("9223372036854775808", .double(9_223_372_036_854_775_808)), ("-0.5", .double(-0.5)),
      ("1e-05", .double(1e-5)), ("0.18215", .double(0.18215)), ("1E+2", .double(100)),
      ("-Infinity", .double(-.infinity)), ("[Infinity]", .array([.double(.infinity)])),
      ("\"\"", .string("")),
      ("\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"", .string("a\"\\/\u{8}\u{C}\n\r\tz")),
      ("\"\\u00e9\\u4E2d\"", .string("é中")), ("\"\\ud83d\\uDE00\"", .string("😀")),
      ("\"é中😀\"", .string("é中😀")), ("[]", .array([])), ("{ }", .object([])),
      ("[1 , [2]]", .array([.int(1), .array([.int(2)])])),
      (
        "{\"b\":1, \"a\" : null}",
        .object([.init(key: "b", value: .int(1)), .init(key: "a", value: .null)])
      ),
    ] as [(String, JSONValue)])
  func parsesTo(_ text: String, _ value: JSONValue) throws {
    #expect(try parse(text) == value)
  }

  @Test(arguments: [
    "", " ", "nul", "truth", "tru", "+1", "01", "-", "1.", ".5", "1e", "1e400", "NaN", "-Inf",
    "\"", "\"a", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800\\n\"",
    "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"a\nb\"", "\"\\n\u{1}\"", "[", "[1", "[1,", "[1,]",
    "[1 2]",
    "{", "{1:2}", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "{'a':1}",
    "{\"a\":1,\"a\":2}", "1 2", "[1]]", "/* */ 1", "\u{FEFF}1",
  ])
  func refuses(_ text: String) {
    expectError(.format, "test.json", "byte") { _ = try parse(text) }
  }

  @Test func refusesInvalidUTF8() {
    for raw in [
      [0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0x5C, 0x6E, 0xC3],
    ] {
      let bytes = [0x22] + raw.map { UInt8($0) } + [0x22]
      expectError(.format, "UTF-8") { _ = try JSONValue(parsing: Data(bytes), source: "x") }
    }
  }

  @Test func nestsToTheBoundAndNoFurther() throws {
    let bound = JSONParser.maximumDepth
    let text = { String(repeating: "[", count: $0) + String(repeating: "]", count: $0) }
    #expect(throws: Never.self) { try parse(text(bound)) }
    expectError(.format, "deeper") { _ = try parse(text(bound + 1)) }
  }

  @Test func agreesWithFoundationOnNumbers() throws {
    let texts = [
      "0.1", "1e22", "5e-324", "1.7976931348623157e308", "123456789.123456789e-7", "-0.0",
    ]
    for text in texts {
      guard case .double(let value) = try parse(text) else {
        Issue.record("not a double: \(text)")
        continue
      }
      let other = try JSONSerialization.jsonObject(with: Data("[\(text)]".utf8)) as? [Double]
      #expect(value.bitPattern == other?.first?.bitPattern)
    }
  }

  @Test func subscriptLooksUpKeysOfObjectsOnly() throws {
    #expect(try parse("{\"a\":{\"b\":3}}")["a"]?["b"] == .int(3))
    #expect(try parse("{\"a\":1}")["b"] == nil)
    #expect(try parse("[1]")["a"] == nil)
  }
}
