/// What the factors of a layer's products are rounded to; sums are single precision always.
public enum Precision: String, Sendable, CaseIterable {
  case float32
  /// Eight bits of significand. The same bits on every processor, fast where it has AVX512-BF16.
  case bfloat16
}

/// What a model keeps in memory between two forwards.
public enum MemoryUse: String, Sendable, CaseIterable {
  /// Every layer's weights as its product reads them.
  case fast
  /// The checkpoint alone: a layer's weights are prepared anew at every application.
  case small
}

/// How layers compute and what they keep. The memory has no say in the results.
public struct Execution: Sendable, Hashable {
  public var precision: Precision
  public var memory: MemoryUse
  /// Whether large weights of sixteen bits that are not transformed stay so in memory: products
  /// expand them exactly, which costs layers of few rows some per cent.
  public var keepsHalves = false

  public init(precision: Precision = .float32, memory: MemoryUse = .fast) {
    self.precision = precision
    self.memory = memory
  }
}

extension Execution {
  /// What a layer of so many inputs does: products of bfloat16 take them in pairs, and few are not
  /// worth it.
  func suited(inputs: Int, windowSide: Int = 1) -> Execution {
    let suits = inputs % 2 == 0 && inputs >= 32 && windowSide <= 3
    return suits ? self : Execution(precision: .float32, memory: memory)
  }
}
