import Foundation
import Testing

@testable import Tensors

@Suite struct PhiloxTests {
  /// Random123's kat_vectors, philox 4x32 10.
  @Test func knownAnswers() {
    let zero = Philox.block(counter: SIMD4(repeating: 0), key: SIMD2(repeating: 0))
    #expect(zero == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    let ones = Philox.block(counter: SIMD4(repeating: .max), key: SIMD2(repeating: .max))
    #expect(ones == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    let pi = Philox.block(
      counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
      key: SIMD2(0xa409_3822, 0x299f_31d0))
    #expect(pi == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test func childrenDependOnNameNotOnDraws() {
    var parent = Philox(seed: 5)
    let before = parent.derived("noise")
    _ = parent.nextUInt64()
    #expect(parent.derived("noise") == before)
    #expect(Philox(seed: 5, stream: "noise") == before)
    let siblings = ["noise", "nois", "e", "noise\0", "aaaaaaaa", "aaaaaaaab", ""]
    let keys = Set(siblings.map(parent.derived) + (0..<100).map(parent.derived))
    #expect(keys.count == siblings.count + 100)
  }

  @Test func resumesWhereItWasStored() throws {
    for drawn in 0..<5 {
      var random = Philox(seed: 11, stream: "x")
      for _ in 0..<drawn { _ = random.nextUInt64() }
      var restored = try JSONDecoder().decode(
        Philox.self, from: JSONEncoder().encode(random))
      #expect(restored == random)
      for _ in 0..<5 { #expect(restored.nextUInt64() == random.nextUInt64()) }
    }
  }

  @Test func drawsDoNotDependOnGrouping() {
    var one = Philox(seed: 1)
    var many = Philox(seed: 1)
    let singly = (0..<10).map { _ in one.normal() }
    #expect(many.normals(4) + many.normals(6) == singly)
    var tensors = Philox(seed: 1)
    #expect(tensors.normals(shape: [2, 5]).values == singly.map(Float.init))
  }

  @Test func momentsAreThoseOfTheDistributions() {
    var random = Philox(seed: 2)
    let n = 200_000
    let normals = random.normals(n)
    let mean = normals.reduce(0, +) / Double(n)
    let square = normals.reduce(0) { $0 + $1 * $1 } / Double(n)
    let fourth = normals.reduce(0) { $0 + $1 * $1 * $1 * $1 } / Double(n)
    #expect(
      mean.magnitude < 0.01 && (square - 1).magnitude < 0.015 && (fourth - 3).magnitude < 0.15)
    let uniforms = (0..<n).map { _ in random.uniform() }
    #expect(uniforms.allSatisfy { 0 <= $0 && $0 < 1 })
    #expect((uniforms.reduce(0, +) / Double(n) - 0.5).magnitude < 0.005)
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[random.integer(below: 7)] += 1 }
    #expect(counts.allSatisfy { abs($0 - 10_000) < 500 })
  }

  @Test func shufflesPermute() {
    var random = Philox(seed: 3)
    let shuffled = random.shuffled(Array(0..<50))
    #expect(shuffled != Array(0..<50) && shuffled.sorted() == Array(0..<50))
  }
}

/// Draws against torch's CPU generator (scripts/conformance/tensors.py).
@Suite struct TorchRandomTests {
  struct Run: Decodable, CustomTestStringConvertible {
    struct Call: Decodable {
      let kind: String
      let shape: [Int]?
      let data: String?
      let bound: Int?
      let integers: [Int]?
    }
    let seed: String
    let calls: [Call]
    var testDescription: String { "seed \(seed)" }
  }

  @Test(arguments: try JSONDecoder().decode([Run].self, from: Goldens.data("draws.json")))
  func drawsAsTorchDoes(_ run: Run) throws {
    var random = TorchRandom(seed: try #require(UInt64(run.seed)))
    for call in run.calls {
      if let integers = call.integers, let bound = call.bound {
        #expect(random.integers(integers.count, below: bound) == integers)
        continue
      }
      let stored = GoldenTensor(shape: call.shape ?? [], data: call.data ?? "")
      if call.kind == "rand" {
        #expect(random.uniforms(shape: stored.shape) == stored.tensor)
        continue
      }
      let drawn = random.normals(shape: stored.shape)
      for (a, b) in zip(drawn.values, stored.tensor.values) {
        // Near the zeros of cosine torch's own sine and cosine lose a few units.
        #expect((a - b).magnitude <= max(2 * b.ulp, 1.2e-7), "\(stored.shape): \(a) for \(b)")
      }
    }
  }
}
