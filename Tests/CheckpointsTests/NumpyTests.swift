import Foundation
import Tensors
import Testing

@testable import Checkpoints

/// Goldens by numpy.save (scripts/conformance/numpy_files.py); each holds 0, 1, 2, ….
@Suite struct NumpyTests {
  private static func golden(_ name: String) throws -> URL {
    let folder = try #require(Bundle.module.url(forResource: "Goldens", withExtension: nil))
    return folder.appendingPathComponent("numpy/\(name).npy")
  }

  private func counting(_ shape: [Int]) -> Tensor {
    Tensor(shape: shape, values: (0..<shape.reduce(1, *)).map(Float.init))
  }

  @Test(
    "Every type of number, byte order, order of axes and version is read",
    arguments: [
      ("f2", [2, 3]), ("f4", [2, 3]), ("f8", [2, 3]), ("i1", [2, 3]), ("i2", [2, 3]),
      ("i4", [2, 3]), ("i8", [2, 3]), ("u1", [2, 3]), ("u2", [2, 3]), ("u4", [2, 3]),
      ("u8", [2, 3]), ("b1", [2]), ("big-f4", [2, 3]), ("big-i8", [2, 3]), ("fortran", [2, 3, 4]),
      ("scalar", []), ("vector", [1000]), ("empty", [0, 3]), ("version2", [2, 3]),
    ])
  func reads(name: String, shape: [Int]) throws {
    #expect(try NumpyFile.read(Self.golden(name)) == counting(shape))
  }

  @Test(
    "What is written has numpy's bytes",
    arguments: [("f4", [2, 3]), ("scalar", []), ("vector", [1000]), ("empty", [0, 3])])
  func writes(name: String, shape: [Int]) throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("evoke-\(UUID().uuidString).npy")
    defer { try? FileManager.default.removeItem(at: url) }
    try NumpyFile.write(counting(shape), to: url)
    #expect(try Data(contentsOf: url) == Data(contentsOf: Self.golden(name)))
  }

  @Test("Other things than numbers are refused by name", arguments: ["complex", "text"])
  func refusesOtherThings(name: String) throws {
    let error = #expect(throws: EvokeError.self) { try NumpyFile.read(Self.golden(name)) }
    #expect(error?.message.contains("only plain numbers") == true)
  }

  @Test("Damaged files are errors, wherever they are damaged")
  func damage() throws {
    let bytes = Array(try Data(contentsOf: Self.golden("f4")))
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("evoke-\(UUID().uuidString).npy")
    defer { try? FileManager.default.removeItem(at: url) }
    for count in [0, 5, 8, 9, 60, bytes.count - 1] {
      try Data(bytes.prefix(count)).write(to: url)
      #expect(throws: EvokeError.self) { try NumpyFile.read(url) }
    }
    for place in 0..<128 {
      for byte in [0, 0x28, 0x39, 0x7f, 0xff] as [UInt8] {
        var damaged = bytes
        damaged[place] = byte
        try Data(damaged).write(to: url)
        // Either still a tensor or an error; never the end of the process.
        _ = try? NumpyFile.read(url)
      }
    }
    let huge = String(decoding: bytes[10..<128], as: UTF8.self)
      .replacingOccurrences(of: "(2, 3)", with: "(99999999999, 99999999999)")
    try Data(bytes[..<10] + Array(huge.utf8).prefix(118) + bytes[128...]).write(to: url)
    let error = #expect(throws: EvokeError.self) { try NumpyFile.read(url) }
    #expect(error?.message.contains("too large") == true)
  }
}
