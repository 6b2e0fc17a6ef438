import Foundation
import Tensors
import Testing

@testable import Checkpoints

/// A file that lies, and words that the error must hold.
struct HostileFile: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let bytes: Data
  let words: [String]

  init(_ description: String, _ bytes: Data, _ words: String...) {
    self.init(description, bytes, words)
  }

  init(_ description: String, _ bytes: Data, _ words: [String]) {
    testDescription = description
    self.bytes = bytes
    self.words = words
  }

  /// One tensor "w" described by this JSON, over so many bytes.
  init(_ description: String, w: String, data: Int, _ words: String...) {
    testDescription = description
    bytes = safetensors("{\"w\":\(w)}", data: data)
    self.words = words
  }
}

private func f32(_ shape: String, _ offsets: String) -> String {
  "{\"dtype\":\"F32\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
}

private let headers: [HostileFile] = [
  HostileFile("empty file", Data(), "0 bytes"),
  HostileFile("seven bytes", Data(count: 7), "7 bytes"),
  HostileFile("header of length 0", safetensors(""), "not JSON"),
  HostileFile("header longer than the file", safetensors("{}", length: 3), "3 bytes", "2 are"),
  HostileFile("header over the bound", safetensors("{}", length: 100_000_001), "the most is"),
  HostileFile("header of 2^63 bytes", safetensors("{}", length: 1 << 63), "the most is"),
  HostileFile("header of 2^64 - 1 bytes", safetensors("{}", length: .max), "the most is"),
  HostileFile("text file", Data("these are not tensors at all".utf8), "not a safetensors file"),
  HostileFile(
    "PNG file", Data([0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10, 0, 0]), "not a safetensors"),
  HostileFile("a list for a header", safetensors("[1, 2]"), "not JSON"),
  HostileFile("unfinished header", safetensors("{\"w\": {"), "JSON"),
  HostileFile("two values", safetensors("{} {}"), "follows the end"),
  HostileFile(
    "header not UTF-8",
    Data([5, 0, 0, 0, 0, 0, 0, 0]) + Data("{\"".utf8)
      + Data([0xFF, 0xFE]) + Data("}".utf8), "JSON"),
  HostileFile(
    "key not UTF-8",
    Data([6, 0, 0, 0, 0, 0, 0, 0]) + Data("{\"".utf8)
      + Data([0xC3]) + Data("\":1".utf8), "UTF-8"),
  HostileFile(
    "nested too deep",
    safetensors("{\"w\":" + String(repeating: "[", count: 100_000)), "nested deeper"),
  HostileFile(
    "same tensor twice",
    safetensors("{\"w\":\(f32("[1]", "[0,4]")),\"w\":\(f32("[1]", "[4,8]"))}", data: 8), "twice"),
  HostileFile(
    "names equal but for Unicode composition",
    safetensors("{\"\u{E9}\":\(f32("[1]", "[0,4]")),\"e\u{301}\":\(f32("[1]", "[4,8]"))}", data: 8),
    "twice"),
  HostileFile("metadata a list", safetensors("{\"__metadata__\":[]}"), "__metadata__", "a list"),
  HostileFile(
    "metadata of numbers", safetensors("{\"__metadata__\":{\"a\":1}}"), "\"a\"", "not a string"),
]

private let descriptions: [HostileFile] = [
  HostileFile("described by a number", w: "4", data: 4, "\"w\"", "an integer"),
  HostileFile("no dtype", w: "{\"shape\":[1],\"data_offsets\":[0,4]}", data: 4, "no dtype"),
  HostileFile(
    "dtype a number", w: "{\"dtype\":4,\"shape\":[1],\"data_offsets\":[0,4]}", data: 4, "no dtype"),
  HostileFile(
    "unknown dtype", w: "{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}", data: 4,
    "unknown dtype \"F31\""),
  HostileFile(
    "unknown field", w: "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}", data: 4,
    "unknown field \"x\""),
  HostileFile("no shape", w: "{\"dtype\":\"F32\",\"data_offsets\":[0,4]}", data: 4, "\"shape\""),
  HostileFile("negative size", w: f32("[-1]", "[0,4]"), data: 4, "\"shape\""),
  HostileFile("fractional size", w: f32("[1.5]", "[0,4]"), data: 4, "\"shape\""),
  HostileFile("size beyond Int", w: f32("[99999999999999999999]", "[0,4]"), data: 4, "\"shape\""),
  HostileFile("shape a string", w: f32("\"1\"", "[0,4]"), data: 4, "\"shape\""),
  HostileFile(
    "shape overflows", w: f32("[4294967296,4294967296]", "[0,0]"), data: 0, "does not fill"),
  HostileFile(
    "shape overflows back to 4 bytes", w: f32("[4611686018427387905]", "[0,4]"), data: 4,
    "does not fill"),
  HostileFile("no offsets", w: "{\"dtype\":\"F32\",\"shape\":[1]}", data: 4, "\"data_offsets\""),
  HostileFile("one offset", w: f32("[1]", "[4]"), data: 4, "[begin, end]"),
  HostileFile("three offsets", w: f32("[1]", "[0,4,8]"), data: 8, "[begin, end]"),
  HostileFile("end before begin", w: f32("[1]", "[4,0]"), data: 4, "[begin, end]"),
  HostileFile("negative offset", w: f32("[1]", "[-4,0]"), data: 4, "\"data_offsets\""),
  HostileFile("shape too small", w: f32("[1]", "[0,8]"), data: 8, "does not fill"),
  HostileFile("shape too large", w: f32("[3]", "[0,8]"), data: 8, "does not fill"),
]

private let layouts: [HostileFile] = [
  HostileFile("data cut off", w: f32("[4]", "[0,16]"), data: 15, "\"w\"", "16", "15"),
  HostileFile(
    "offsets near 2^63", w: f32("[1]", "[9223372036854775803,9223372036854775807]"), data: 4,
    "\"w\"", "ends at"),
  HostileFile("hole at the start", w: f32("[1]", "[4,8]"), data: 8, "\"w\"", "hole"),
  HostileFile(
    "bytes behind the last", w: f32("[1]", "[0,4]"), data: 5, "1 bytes", "belong to none"),
  HostileFile("bytes and no tensors", safetensors("{}", data: 3), "3 bytes"),
  HostileFile(
    "two tensors overlap",
    safetensors("{\"a\":\(f32("[2]", "[0,8]")),\"b\":\(f32("[2]", "[4,12]"))}", data: 12),
    "\"b\"", "overlaps"),
  HostileFile(
    "two tensors on the same bytes",
    safetensors("{\"a\":\(f32("[2]", "[0,8]")),\"b\":\(f32("[2]", "[0,8]"))}", data: 8),
    "\"b\"", "overlaps"),
  HostileFile(
    "hole between two",
    safetensors("{\"a\":\(f32("[1]", "[0,4]")),\"b\":\(f32("[1]", "[8,12]"))}", data: 12),
    "\"b\"", "hole"),
]

@Suite struct HostileFileTests {
  @Test(arguments: headers + descriptions + layouts)
  func isRefusedWithTheReason(_ hostile: HostileFile) throws {
    let folder = try TemporaryFolder()
    let url = try folder.write(hostile.bytes, "lying.safetensors")
    do {
      _ = try SafetensorsFile(url)
      Issue.record("it was opened")
    } catch let error as EvokeError {
      #expect(error.kind == .format)
      #expect(error.message.contains("lying.safetensors"), "\(error)")
      for word in hostile.words { #expect(error.message.contains(word), "\(error)") }
    }
  }

  @Test func everyTruncationOfAGoodFileIsRefused() throws {
    let folder = try TemporaryFolder()
    let whole = try Safetensors.data(
      [("a", Tensor(shape: [3], values: [1, 2, 3])), ("b", Tensor(shape: [], values: [4]))],
      metadata: [("format", "pt")])
    for length in 0..<whole.count {
      let url = try folder.write(whole.prefix(length), "cut.safetensors")
      expectError(.format, "cut.safetensors") { _ = try SafetensorsFile(url) }
    }
  }

  /// Any single damaged byte either is refused or leaves a file whose tensors can be read.
  @Test func noDamagedByteCrashes() throws {
    let folder = try TemporaryFolder()
    let whole = try Safetensors.data(
      [("ab", Tensor(shape: [2, 1], values: [1, 2])), ("c", Tensor(shape: [1], values: [3]))])
    var refused = 0
    for position in whole.indices {
      for byte in [0, 0x22, 0x2C, 0x30, 0x39, 0x5D, 0x7D, 0x80, 0xFF] as [UInt8] {
        var damaged = whole
        damaged[position] = byte
        let url = try folder.write(damaged, "damaged.safetensors")
        do {
          let file = try SafetensorsFile(url)
          for name in file.names { _ = try file.tensor(name) }
        } catch let error as EvokeError {
          #expect([.format, .type].contains(error.kind))
          refused += 1
        }
      }
    }
    #expect(refused > whole.count)
  }

  @Test func missingFilesAndFoldersAreFileErrors() throws {
    let folder = try TemporaryFolder()
    expectError(.file, "none.safetensors", "No such file") {
      _ = try SafetensorsFile(folder.file("none.safetensors"))
    }
    expectError(.file, "is not a file") { _ = try SafetensorsFile(folder.url) }
  }
}
