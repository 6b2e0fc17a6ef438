import Testing

@testable import Tensors

/// Products of bfloat16 against single-precision products of numbers that were rounded before.
struct BFloat16Tests {
  let execution = Execution(precision: .bfloat16)

  /// To the nearest number of eight significant bits, ties to even.
  private func rounded(_ x: Tensor) -> Tensor {
    Tensor(
      shape: x.shape,
      values: x.values.map { value in
        let bits = value.bitPattern
        return Float(bitPattern: (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000)
      })
  }

  @Test(arguments: [(3, 32, 5), (50, 100, 33), (17, 1700, 80)])
  func linear(_ m: Int, _ k: Int, _ n: Int) {
    var random = Philox(seed: 5, stream: "\(k)")
    let (x, w) = (random.normals(shape: [m, k]), random.normals(shape: [n, k]))
    let bias = random.normals(shape: [n])
    let found = Linear(weight: w, bias: bias, execution: execution)(x)
    #expect(relativeError(found, Linear(weight: rounded(w), bias: bias)(rounded(x))) < 1e-6)
    #expect(found != Linear(weight: w, bias: bias)(x))
  }

  @Test func convolutionOfStrideTwo() {
    var random = Philox(seed: 6)
    let (x, w) = (random.normals(shape: [2, 9, 8, 34]), random.normals(shape: [20, 34, 3, 3]))
    let found = Convolution2D(weight: w, bias: nil, stride: 2, execution: execution)(x)
    let expected = Convolution2D(weight: rounded(w), bias: nil, stride: 2)(rounded(x))
    #expect(relativeError(found, expected) < 1e-6)
  }

  /// Winograd's transforms come before the rounding.
  @Test func convolutionOfStrideOne() {
    var random = Philox(seed: 7)
    let (x, w) = (random.normals(shape: [1, 9, 11, 64]), random.normals(shape: [48, 64, 3, 3]))
    let found = Convolution2D(weight: w, bias: nil, execution: execution)(x)
    #expect(relativeError(found, Convolution2D(weight: w, bias: nil)(x)) < 6e-3)
  }

  @Test func attentionIsClose() {
    var random = Philox(seed: 8)
    let q = random.normals(shape: [2, 40, 80])
    let (k, v) = (random.normals(shape: [2, 601, 80]), random.normals(shape: [2, 601, 80]))
    let found = attention(queries: q, keys: k, values: v, heads: 2, precision: .bfloat16)
    #expect(relativeError(found, attention(queries: q, keys: k, values: v, heads: 2)) < 8e-3)
  }

  /// An odd number of inputs, or a few, stays single precision.
  @Test(arguments: [33, 30]) func othersStayFloat32(_ k: Int) {
    var random = Philox(seed: 9)
    let (x, w) = (random.normals(shape: [4, k]), random.normals(shape: [7, k]))
    #expect(
      Linear(weight: w, bias: nil, execution: execution)(x) == Linear(weight: w, bias: nil)(x))
  }

  @Test func smallMemoryGivesTheSameBits() {
    var random = Philox(seed: 10)
    let (x, w) = (random.normals(shape: [1, 6, 6, 40]), random.normals(shape: [24, 40, 3, 3]))
    let small = Convolution2D(weight: w, bias: nil, execution: Execution(memory: .small))
    let fast = Convolution2D(weight: w, bias: nil)
    for _ in 0..<3 { #expect(small(x) == fast(x)) }
  }
}
