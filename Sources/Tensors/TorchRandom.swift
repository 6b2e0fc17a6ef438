/// Draws as torch's CPU generator gives them for a seed (MT19937 with ATen's distributions), so
/// that a seed here and in diffusers starts from the same latents.
///
/// Uniform draws and integers are the same bits; normal draws agree within 2 ulp or 1.2e-7, since
/// torch's own logarithm, sine and cosine depend on the processor.
public struct TorchRandom: Sendable {
  private var engine: MersenneTwister
  /// The second half of the last pair of the scalar path; torch keeps it from call to call.
  private var spareNormal: Double?

  public init(seed: UInt64) { engine = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed)) }

  /// `torch.randn(shape)`. Below 16 elements torch draws pairs in double, from 16 on it fills the
  /// array with uniforms and transforms 8 + 8 at a time, the last 16 afresh if 16 does not divide.
  public mutating func normals(shape: [Int]) -> Tensor {
    Tensor(shape: shape) { to in
      guard to.count >= 16 else {
        for i in to.indices { to[i] = Float(normal()) }
        return
      }
      for i in to.indices { to[i] = uniform() }
      for start in stride(from: 0, through: to.count - 16, by: 16) { transform(to, start) }
      if to.count % 16 != 0 {
        for i in (to.count - 16)..<to.count { to[i] = uniform() }
        transform(to, to.count - 16)
      }
    }
  }

  /// `torch.rand(shape)`
  public mutating func uniforms(shape: [Int]) -> Tensor {
    Tensor(shape: shape) { to in
      for i in to.indices { to[i] = uniform() }
    }
  }

  /// `torch.randint(bound, (count,))`
  public mutating func integers(_ count: Int, below bound: Int) -> [Int] {
    precondition(bound > 0)
    return (0..<count).map { _ in
      bound >= 1 << 32 ? Int(next64() % UInt64(bound)) : Int(engine.next() % UInt32(bound))
    }
  }

  /// Box–Muller on 16 uniforms in place (ATen's normal_fill).
  private func transform(_ values: UnsafeMutableBufferPointer<Float>, _ start: Int) {
    for i in start..<(start + 8) {
      let radius = (-2 * Elementary.log(1 - values[i])).squareRoot()
      let angle = Float(2 * Double.pi) * values[i + 8]
      values[i] = radius * Elementary.cos(angle)
      values[i + 8] = radius * Elementary.sin(angle)
    }
  }

  private mutating func normal() -> Double {
    if let spare = spareNormal {
      spareNormal = nil
      return spare
    }
    let first = uniformDouble()
    let second = uniformDouble()
    let radius = (-2 * Elementary.log(1 - second)).squareRoot()
    let angle = 2 * Double.pi * first
    spareNormal = radius * Elementary.sin(angle)
    return radius * Elementary.cos(angle)
  }

  private mutating func uniform() -> Float { Float(engine.next() & 0xFF_FFFF) * 0x1p-24 }
  private mutating func uniformDouble() -> Double {
    Double(next64() & 0x1F_FFFF_FFFF_FFFF) * 0x1p-53
  }
  private mutating func next64() -> UInt64 {
    let high = UInt64(engine.next())
    return high << 32 | UInt64(engine.next())
  }
}

/// MT19937 (Matsumoto & Nishimura 1998).
struct MersenneTwister: Sendable {
  private var state: [UInt32]
  private var position = 624

  init(seed: UInt32) {
    state = [seed]
    for i in 1..<624 {
      let previous = state[i - 1]
      state.append(1_812_433_253 &* (previous ^ previous >> 30) &+ UInt32(i))
    }
  }

  mutating func next() -> UInt32 {
    if position == 624 { twist() }
    var y = state[position]
    position += 1
    y ^= y >> 11
    y ^= y << 7 & 0x9D2C_5680
    y ^= y << 15 & 0xEFC6_0000
    return y ^ y >> 18
  }

  private mutating func twist() {
    for i in 0..<624 {
      let y = state[i] & 0x8000_0000 | state[(i + 1) % 624] & 0x7FFF_FFFF
      state[i] = state[(i + 397) % 624] ^ y >> 1 ^ (y & 1 == 1 ? 0x9908_B0DF : 0)
    }
    position = 0
  }
}
