import COpenBLAS
import Foundation
import Tensors

/// One measured shape.
struct Row: Encodable {
  let kind: String
  let shape: String
  /// GFLOP/s; of a convolution: what the direct method needs, over the time taken.
  let rate: Double
  let openBLAS: Double?
  /// The median over repeats of OpenBLAS's time over ours.
  let ratio: Double?

  var line: String {
    let name = kind.padding(toLength: 12, withPad: " ", startingAt: 0)
    let size = shape.padding(toLength: 26, withPad: " ", startingAt: 0)
    let own = "\(name) \(size) \(String(format: "%4.0f", rate)) GFLOP/s"
    guard let openBLAS, let ratio else { return own }
    return own + String(format: "   OpenBLAS %4.0f   ratio %.2f", openBLAS, ratio)
  }
}

private func processorSeconds(_ body: () -> Void) -> Double {
  var start = timespec()
  var end = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start)
  body()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end)
  return Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) * 1e-9
}

private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

/// How often to run a body so that one measurement takes some milliseconds.
private func iterations(_ operations: Double) -> Int { max(1, Int(2e9 / operations)) }

/// [rows, outputs, inputs] of the demo model's UNet (batch 20), its text encoder, and Stable
/// Diffusion 1.5's UNet and text encoder at 64 × 64 latents.
private let products = [
  [5120, 48, 48], [1280, 80, 80], [1280, 640, 80], [320, 128, 128], [320, 1024, 128],
  [320, 128, 512], [640, 512, 128], [4096, 320, 320], [4096, 2560, 320], [4096, 320, 1280],
  [1024, 640, 640], [1024, 5120, 640], [256, 1280, 1280], [256, 10240, 1280], [77, 768, 768],
  [77, 3072, 768],
]

func productRows(_ repeats: Int) -> [Row] {
  var random = Philox(seed: 1)
  return products.map { shape in
    let (m, n, k) = (shape[0], shape[1], shape[2])
    let x = random.normals(shape: [m, k])
    let weight = random.normals(shape: [n, k])
    let layer = Linear(weight: weight, bias: nil)
    let operations = 2 * Double(m) * Double(n) * Double(k)
    let count = iterations(operations)
    var theirs = [Float](repeating: 0, count: m * n)
    func own() { for _ in 0..<count { _ = layer(x) } }
    func openBLAS() {
      x.withUnsafeValues { a in
        weight.withUnsafeValues { b in
          for _ in 0..<count {
            cblas_sgemm(
              CblasRowMajor, CblasNoTrans, CblasTrans, Int32(m), Int32(n), Int32(k), 1,
              a.baseAddress, Int32(k), b.baseAddress, Int32(k), 0, &theirs, Int32(n))
          }
        }
      }
    }
    own()
    openBLAS()
    let times = (0..<repeats).map { _ in (processorSeconds(own), processorSeconds(openBLAS)) }
    let work = operations * Double(count) * 1e-9
    return Row(
      kind: "product", shape: shape.map(String.init).joined(separator: "×"),
      rate: work / median(times.map(\.0)), openBLAS: work / median(times.map(\.1)),
      ratio: median(times.map { $0.1 / $0.0 }))
  }
}

/// [batch, side, inputs, outputs] of 3 × 3 convolutions.
private let convolutions = [
  [20, 16, 48, 48], [20, 8, 80, 80], [20, 4, 128, 128], [1, 64, 320, 320], [1, 64, 960, 320],
  [1, 32, 640, 640], [1, 32, 1920, 640], [1, 16, 640, 640], [1, 16, 1280, 1280],
  [1, 8, 1280, 1280], [1, 128, 128, 128], [1, 64, 512, 512],
]

func convolutionRows(_ repeats: Int) -> [Row] {
  var random = Philox(seed: 2)
  return convolutions.map { s in
    let x = random.normals(shape: [s[0], s[1], s[1], s[2]])
    let layer = Convolution2D(
      weight: random.normals(shape: [s[3], s[2], 3, 3]), bias: nil, positions: s[1] * s[1])
    return row(
      "convolution", "\(s[0])×\(s[1])×\(s[1]) \(s[2])→\(s[3])",
      operations: 18 * Double(s[0] * s[1] * s[1]) * Double(s[2] * s[3]), repeats
    ) { _ = layer(x) }
  }
}

/// [batch, heads, width, queries, keys]
private let attentions = [
  [20, 2, 40, 64, 64], [20, 4, 32, 16, 16], [1, 8, 40, 4096, 4096], [1, 8, 40, 4096, 77],
  [1, 8, 80, 1024, 1024], [1, 12, 64, 77, 77],
]

func attentionRows(_ repeats: Int) -> [Row] {
  var random = Philox(seed: 3)
  return attentions.map { s in
    let q = random.normals(shape: [s[0], s[3], s[1] * s[2]])
    let k = random.normals(shape: [s[0], s[4], s[1] * s[2]])
    return row(
      "attention", "\(s[0])·\(s[1]) heads \(s[3])×\(s[4])×\(s[2])",
      operations: 4 * Double(s[0] * s[1] * s[2]) * Double(s[3] * s[4]), repeats
    ) { _ = attention(queries: q, keys: k, values: k, heads: s[1]) }
  }
}

private func row(
  _ kind: String, _ shape: String, operations: Double, _ repeats: Int, _ body: () -> Void
) -> Row {
  let count = iterations(operations)
  func own() { for _ in 0..<count { body() } }
  own()
  let times = (0..<repeats).map { _ in processorSeconds(own) }
  return Row(
    kind: kind, shape: shape, rate: operations * Double(count) * 1e-9 / median(times),
    openBLAS: nil, ratio: nil)
}
