import Foundation
import Tensors
import Testing

@testable import Pictures

/// Where the files that scripts/conformance/pictures.py made are: those of the repository, or others
/// that EVOKE_PICTURE_GOLDENS names.
let goldenFolder: URL = {
  let environment = ProcessInfo.processInfo.environment
  if let other = environment["EVOKE_PICTURE_GOLDENS"] { return URL(fileURLWithPath: other) }
  return Bundle.module.resourceURL?.appendingPathComponent("Goldens") ?? URL(fileURLWithPath: ".")
}()

func golden(_ path: String) throws -> Data {
  try Data(contentsOf: goldenFolder.appendingPathComponent(path))
}

/// Names in a folder of Goldens, sorted.
func goldenNames(_ folder: String) -> [String] {
  let path = goldenFolder.appendingPathComponent(folder).path
  return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
}

/// A binary PPM (P6), the plainest form in which a picture can be written down.
func ppm(_ data: Data) throws -> Picture {
  let fields = data.split(
    separator: UInt8(ascii: "\n"), maxSplits: 3, omittingEmptySubsequences: false)
  let size = String(decoding: fields[1], as: UTF8.self).split(separator: " ").compactMap { Int($0) }
  try #require(fields.count == 4 && size.count == 2)
  return Picture(width: size[0], height: size[1], pixels: Array(fields[3]))
}

func goldenPicture(_ path: String) throws -> Picture { try ppm(golden(path)) }

func goldenFloats(_ path: String) throws -> [Float] {
  let data = try golden(path)
  return stride(from: 0, to: data.count, by: 4).map { offset in
    data.subdata(in: offset..<offset + 4).withUnsafeBytes { $0.loadUnaligned(as: Float.self) }
  }
}

/// Runs `body` with a new folder that is removed afterwards.
func withFolder<R>(_ body: (URL) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("evoke-pictures-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

/// The error that `body` throws.
func thrownError(_ body: () throws -> Void) throws -> EvokeError {
  try #require(throws: EvokeError.self, performing: body)
}

/// A picture in which every pixel differs from its neighbours.
func testPicture(width: Int, height: Int) -> Picture {
  Picture(
    width: width, height: height,
    pixels: (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 &* 37 ^ $0 >> 3) })
}

/// A small linear congruential generator (Knuth's MMIX constants): test data, the same each run.
struct TestRandom {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next(below limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % limit
  }
}
