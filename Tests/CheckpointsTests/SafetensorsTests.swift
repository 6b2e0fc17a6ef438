import Foundation
import Tensors
import Testing

@testable import Checkpoints

@Suite struct SafetensorsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func golden(_ name: String) throws -> URL {
    try #require(Bundle.module.url(forResource: "Goldens/\(name)", withExtension: nil))
  }

  /// `dtypes.safetensors` is written by the reference library, `dtypes-f32.safetensors` holds what
  /// torch makes of each tensor with `.float()` (scripts/conformance/checkpoints.py).
  @Test func everyElementTypeConvertsAsTorchDoes() throws {
    let file = try SafetensorsFile(golden("dtypes.safetensors"))
    let expected = try SafetensorsFile(golden("dtypes-f32.safetensors"))
    #expect(Set(file.names) == Set(expected.names))
    #expect(file.names.count >= 14)
    for name in file.names {
      let (a, b) = (try file.tensor(name), try expected.tensor(name))
      #expect(a.shape == b.shape, "\(name)")
      for (x, y) in zip(a.values, b.values) {
        #expect(x.bitPattern == y.bitPattern || (x.isNaN && y.isNaN), "\(name): \(x) \(y)")
      }
    }
    #expect(file.metadata == ["format": "pt", "note": "é \"quoted\""])
    #expect(try file.info("f16").byteCount == 2 * file.tensor("f16").count)
  }

  @Test func eightBitFloatsAreRefusedWhenRead() throws {
    let url = try folder.write(
      safetensors("{\"w\":{\"dtype\":\"F8_E4M3\",\"shape\":[2],\"data_offsets\":[0,2]}}", data: 2),
      "f8.safetensors")
    let file = try SafetensorsFile(url)
    #expect(try file.info("w").shape == [2])
    expectError(.type, "f8.safetensors", "\"w\"", "F8_E4M3") { _ = try file.tensor("w") }
  }

  @Test func everyHalfPatternSurvivesBothWays() throws {
    let patterns = Array(UInt16.min...UInt16.max)
    let header = "{\"w\":{\"dtype\":\"F16\",\"shape\":[65536],\"data_offsets\":[0,131072]}}"
    let url = try folder.write(
      safetensors(header, data: 0) + patterns.withUnsafeBytes { Data($0) }, "halves.safetensors")
    let values = try SafetensorsFile(url).tensor("w").values
    let wrong = zip(patterns, values).filter { pattern, value in
      value.isNaN
        ? half(from: value) & 0x7C00 != 0x7C00 || pattern & 0x3FF == 0
        : half(from: value) != pattern
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(3))")
    #expect(values[0x3555] == 0.333251953125)
    #expect(values[1] == 5.9604644775390625e-08)
    #expect(values[0xFC00] == -.infinity)
  }

  @Test(arguments: [
    (Float(65519), UInt16(0x7BFF)), (65520, 0x7C00), (1e30, 0x7C00), (-65520, 0xFC00),
    (2.9802322e-08, 0), (2.980233e-08, 1), (6.0975552e-05, 0x03FF), (6.1005354e-05, 0x0400),
    (1.00048828125, 0x3C00), (1.00146484375, 0x3C02), (-0.0, 0x8000),
  ])
  func halfRoundsToNearestEven(_ value: Float, _ pattern: UInt16) {
    #expect(half(from: value) == pattern)
  }

  @Test(arguments: [
    (Float(1), UInt16(0x3F80)), (1.00390625, 0x3F80), (1.01171875, 0x3F82), (3.4e38, 0x7F80),
    (-2.5, 0xC020), (.infinity, 0x7F80),
  ])
  func bfloatRoundsToNearestEven(_ value: Float, _ pattern: UInt16) {
    #expect(bfloat(from: value) == pattern)
    #expect(bfloat(from: .nan) & 0x7F80 == 0x7F80 && bfloat(from: .nan) & 0x7F != 0)
  }

  @Test(arguments: Safetensors.StoredType.allCases)
  func whatIsWrittenReadsBack(_ type: Safetensors.StoredType) throws {
    let url = folder.file("out.safetensors")
    let tensors: [(String, Tensor)] = [
      ("<star>", Tensor(shape: [2, 3], values: [0, -1, 0.5, 1024, 0.125, -3])),
      ("empty", Tensor(shape: [0, 4], values: [])), ("scalar", Tensor(shape: [], values: [2])),
    ]
    let metadata = [("b", "line\nbreak \"quoted\" \\ \u{1}"), ("a", "ü😀")]
    try Safetensors.write(tensors, metadata: metadata, to: url, as: type)
    let file = try SafetensorsFile(url)
    #expect(file.names == tensors.map(\.0))
    #expect(file.metadata == Dictionary(uniqueKeysWithValues: metadata))
    for (name, tensor) in tensors { #expect(try file.tensor(name) == tensor) }
    #expect(try file.info("<star>").type.rawValue == type.rawValue)
    let bytes = try Data(contentsOf: url)
    #expect(bytes == (try Safetensors.data(tensors, metadata: metadata, as: type)))
    #expect(bytes[0] % 8 == 0)
  }

  /// `written.safetensors` is what Python's `safetensors.numpy.save` makes of the same tensor.
  @Test func bytesEqualTheReferenceWriters() throws {
    let tensor = Tensor(shape: [2, 2], values: [1, 2, 3, 4])
    let data = try Safetensors.data([("<star>", tensor)], metadata: [("evoke", "0.1")])
    #expect(try Data(contentsOf: golden("written.safetensors")) == data)
  }

  @Test func takenNamesAreRefused() {
    let tensor = Tensor(shape: [1], values: [1])
    expectError(.name, "\"a\"") { _ = try Safetensors.data([("a", tensor), ("a", tensor)]) }
    expectError(.name, "__metadata__") { _ = try Safetensors.data([("__metadata__", tensor)]) }
    expectError(.name, "metadata") {
      _ = try Safetensors.data([], metadata: [("a", ""), ("a", "")])
    }
  }

  @Test func aFailedWriteLeavesNothing() throws {
    let url = folder.file("absent/out.safetensors")
    expectError(.file) { try Safetensors.write([], to: url) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
  }

  @Test func unknownNamesSuggestTheClosest() throws {
    let url = folder.file("out.safetensors")
    try Safetensors.write([("conv_in.weight", Tensor(shape: [1], values: [1]))], to: url)
    let file = try SafetensorsFile(url)
    #expect(file.has("conv_in.weight") && !file.has("x"))
    do {
      _ = try file.tensor("conv_in.weigth")
      Issue.record("no error")
    } catch let error as EvokeError {
      #expect(error.kind == .name && error.hint?.contains("conv_in.weight") == true)
    }
  }

  @Test func anEmptyFileOfTensorsIsFine() throws {
    let url = folder.file("none.safetensors")
    try Safetensors.write([], to: url)
    #expect(try SafetensorsFile(url).names.isEmpty)
    #expect(try Weights(file: url).unused.isEmpty)
  }
}
