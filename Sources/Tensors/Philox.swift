/// Philox4x32-10, the counter-based generator of Salmon et al. (SC 2011, "Parallel random numbers:
/// as easy as 1, 2, 3"), keyed and splittable.
///
/// A generator is a value: 64 bits of key, 64 bits of stream (the upper half of the counter) and
/// the number of 64-bit words drawn. Derived generators have another key and stream, so that no
/// child ever repeats its parent's or its sibling's draws.
public struct Philox: Sendable {
  private var key: UInt64
  private var stream: UInt64
  private var drawn: UInt64 = 0
  /// The second half of the last block.
  private var spare: UInt64 = 0

  /// The generator of a seed, and of a named stream below it.
  public init(seed: UInt64, stream: String = "") {
    key = seed
    self.stream = 0
    if !stream.isEmpty { self = derived(stream) }
  }

  /// The child named by a label; it does not depend on how much was drawn.
  public func derived(_ label: String) -> Philox {
    var bytes = Array(label.utf8)
    var child = absorbed(UInt64(bytes.count), domain: 1)
    while bytes.count % 8 != 0 { bytes.append(0) }
    for start in stride(from: 0, to: bytes.count, by: 8) {
      let word = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[start + $1]) << (8 * UInt64($1)) }
      child = child.absorbed(word, domain: 2)
    }
    return child
  }

  /// The child of a number; it does not depend on how much was drawn.
  public func derived(_ index: Int) -> Philox {
    absorbed(UInt64(bitPattern: Int64(index)), domain: 3)
  }

  /// Mixes 64 bits into key and stream by one block under a key that no draw uses.
  private func absorbed(_ word: UInt64, domain: UInt64) -> Philox {
    let mixed = Philox.block(
      counter: words(word, stream),
      key: halves(key ^ (0x9E37_79B9_7F4A_7C15 &* domain)))
    var child = self
    child.key = UInt64(mixed.x) | UInt64(mixed.y) << 32
    child.stream = UInt64(mixed.z) | UInt64(mixed.w) << 32
    child.drawn = 0
    child.spare = 0
    return child
  }

  /// The bijection itself: ten rounds over a counter of 128 bits under a key of 64.
  public static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var (a, b, c, d) = (counter.x, counter.y, counter.z, counter.w)
    var (k0, k1) = (key.x, key.y)
    for _ in 0..<10 {
      let p = UInt64(a) &* 0xD251_1F53
      let q = UInt64(c) &* 0xCD9E_8D57
      (a, b, c, d) = (
        UInt32(truncatingIfNeeded: q >> 32) ^ b ^ k0, UInt32(truncatingIfNeeded: q),
        UInt32(truncatingIfNeeded: p >> 32) ^ d ^ k1, UInt32(truncatingIfNeeded: p)
      )
      k0 = k0 &+ 0x9E37_79B9
      k1 = k1 &+ 0xBB67_AE85
    }
    return SIMD4(a, b, c, d)
  }

  private func block(_ index: UInt64) -> (first: UInt64, second: UInt64) {
    let bits = Philox.block(counter: words(index, stream), key: halves(key))
    return (UInt64(bits.x) | UInt64(bits.y) << 32, UInt64(bits.z) | UInt64(bits.w) << 32)
  }

  public mutating func nextUInt64() -> UInt64 {
    defer { drawn &+= 1 }
    if drawn & 1 == 1 { return spare }
    let (first, second) = block(drawn >> 1)
    spare = second
    return first
  }
}

private func halves(_ x: UInt64) -> SIMD2<UInt32> {
  SIMD2(UInt32(truncatingIfNeeded: x), UInt32(truncatingIfNeeded: x >> 32))
}
private func words(_ low: UInt64, _ high: UInt64) -> SIMD4<UInt32> {
  SIMD4(lowHalf: halves(low), highHalf: halves(high))
}

extension Philox: RandomNumberGenerator {
  public mutating func next() -> UInt64 { nextUInt64() }
}

extension Philox: Hashable {
  public static func == (a: Philox, b: Philox) -> Bool {
    a.key == b.key && a.stream == b.stream && a.drawn == b.drawn
  }
  public func hash(into hasher: inout Hasher) {
    hasher.combine(key)
    hasher.combine(stream)
    hasher.combine(drawn)
  }
}

extension Philox: Codable {
  private enum CodingKeys: String, CodingKey { case key, stream, drawn }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    key = try container.decode(UInt64.self, forKey: .key)
    stream = try container.decode(UInt64.self, forKey: .stream)
    drawn = try container.decode(UInt64.self, forKey: .drawn)
    if drawn & 1 == 1 { spare = block(drawn >> 1).second }
  }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(key, forKey: .key)
    try container.encode(stream, forKey: .stream)
    try container.encode(drawn, forKey: .drawn)
  }
}
