import Testing

@testable import Tensors

/// Numbers as a file holds them, at an odd address.
private final class OddBytes: StoredBytes, @unchecked Sendable {
  let buffer: UnsafeMutableRawBufferPointer

  init(_ halves: [UInt16]) {
    buffer = .allocate(byteCount: 2 * halves.count + 1, alignment: 16)
    for (i, half) in halves.enumerated() {
      buffer.storeBytes(of: half.littleEndian, toByteOffset: 2 * i + 1, as: UInt16.self)
    }
  }

  deinit { buffer.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[1...]) }

  func release(_ bytes: UnsafeRawBufferPointer) {}
}

/// Layers read half-precision weights where they lie, with the bits of the expanded weights.
@Suite(.serialized) struct StoredTensorTests {
  private func stored(_ shape: [Int], seed: Int, _ format: StoredTensor.Format) -> StoredTensor {
    var random = Philox(seed: UInt64(seed), stream: "stored")
    let odd = OddBytes(
      (0..<shape.reduce(1, *)).map { _ in
        // Small exponents, so that no product overflows; subnormal numbers among them.
        UInt16(truncatingIfNeeded: random.nextUInt64()) & (format == .float16 ? 0xBFFF : 0xBFBF)
      })
    return StoredTensor(shape: shape, format: format, bytes: odd.bytes, owner: odd)
  }

  private func everywhere(_ body: () throws -> Void) throws {
    let best = Compute.instructionSet
    defer { try? Compute.setInstructionSet(best) }
    for set in Compute.supported {
      try Compute.setInstructionSet(set)
      try body()
    }
  }

  @Test(arguments: [StoredTensor.Format.float16, .bfloat16])
  func expandsExactly(_ format: StoredTensor.Format) throws {
    let halves = Array(UInt16.min...UInt16.max)
    let odd = OddBytes(halves)
    let all = StoredTensor(shape: [65536], format: format, bytes: odd.bytes, owner: odd)
    let expected = halves.map {
      format == .bfloat16 ? Float(bitPattern: UInt32($0) << 16) : value($0)
    }
    try everywhere {
      let wrong = zip(expected, all.tensor().values).enumerated().filter { _, pair in
        pair.0.bitPattern != pair.1.bitPattern && !(pair.0.isNaN && pair.1.isNaN)
      }
      #expect(wrong.isEmpty, "\(wrong.prefix(3))")
    }
  }

  /// IEEE 754's definition of binary16.
  private func value(_ half: UInt16) -> Float {
    let sign: FloatingPointSign = half & 0x8000 == 0 ? .plus : .minus
    let (exponent, fraction) = (Int(half >> 10 & 31), Float(half & 0x3FF))
    switch exponent {
    case 31: return fraction == 0 ? (sign == .plus ? .infinity : -.infinity) : .nan
    case 0: return Float(sign: sign, exponent: -24, significand: fraction)
    default:
      return Float(sign: sign, exponent: exponent - 15, significand: 1 + fraction / 1024)
    }
  }

  @Test(arguments: [
    [1, 1], [16, 16], [33, 7], [48, 100], [70, 600], [17, 1100],
    [5, 3, 3, 3], [40, 20, 3, 3], [33, 70, 3, 3], [20, 530, 1, 1], [18, 6, 5, 5], [4, 2, 17, 18],
    // Large ones, which may stay as they are.
    [520, 1100], [341, 769], [97, 2800], [170, 1570, 1, 1], [150, 75, 5, 5], [8, 150, 17, 18],
  ])
  func layersReadHalvesInPlace(_ shape: [Int]) throws {
    for (seed, format) in [StoredTensor.Format.float16, .bfloat16].enumerated() {
      let weight = stored(shape, seed: seed, format)
      var execution = Execution()
      execution.keepsHalves = true
      func apply(_ weight: StoredTensor) -> Tensor {
        var random = Philox(seed: 3)
        guard shape.count == 4 else {
          return Linear(weight: weight, bias: nil, execution: execution)(
            random.normals(shape: [3, shape[1]]))
        }
        return Convolution2D(weight: weight, bias: nil, execution: execution)(
          random.normals(shape: [1, 5, 6, shape[1]]))
      }
      let reference = apply(StoredTensor(weight.tensor()))
      try everywhere { #expect(apply(weight) == reference) }
      let last = weight.rows(shape[0] - 1..<shape[0]).tensor()
      #expect(last == weight.tensor().rows(shape[0] - 1..<shape[0]))
    }
  }
}
