/// What timesteps are drawn from: a range, all alike or in proportion to the weights of its parts.
public struct TimestepDistribution: Sendable, Equatable {
  public let range: Range<Int>
  /// Weights of equal parts of the range; empty: all timesteps alike.
  public let weights: [Double]

  public init(_ range: Range<Int>, weights: [Double] = []) {
    self.range = range
    self.weights = weights
  }

  /// The timestep below which a share `place` / `count` of the draws lies.
  func timestep(at place: Double, of count: Int) -> Int {
    guard !weights.isEmpty else {
      let width = Double(range.count) / Double(count)
      return range.lowerBound + min(range.count - 1, Int(place * width))
    }
    var rest = place / Double(count) * weights.reduce(0, +)
    var part = 0
    while part < weights.count - 1, rest >= weights[part] {
      rest -= weights[part]
      part += 1
    }
    let share = weights[part] > 0 ? min(max(rest / weights[part], 0), 1) : 0
    let position = (Double(part) + share) / Double(weights.count) * Double(range.count)
    return range.lowerBound + min(range.count - 1, Int(position))
  }
}

/// g(t) as it is collected while a word is learned, and the distribution that follows it.
///
/// Source: Wang & Kalogeiton, hal-04713286, equation 5: timesteps are drawn in proportion to
/// g(t). Here in 20 parts, smoothed over neighbours, and a tenth of the draws stays uniform so that
/// no timestep starves.
public struct SensitivityProfile: Sendable, Equatable, Codable {
  public let range: Range<Int>
  private var sums: [Double]
  private var counts: [Int]

  static let floor = 0.1

  public init(_ range: Range<Int>) {
    self.range = range
    let parts = min(20, range.count)
    sums = .init(repeating: 0, count: parts)
    counts = .init(repeating: 0, count: parts)
  }

  /// Takes in one measurement of g.
  public mutating func observe(_ value: Double, at timestep: Int) {
    guard value.isFinite, range.contains(timestep) else { return }
    let part = (timestep - range.lowerBound) * sums.count / range.count
    sums[part] += value
    counts[part] += 1
  }

  /// The mean of g in every part; where nothing was seen, the mean of the parts that were.
  public var means: [Double] {
    let seen = sums.indices.filter { counts[$0] > 0 }.map { sums[$0] / Double(counts[$0]) }
    let overall = seen.isEmpty ? 1 : seen.reduce(0, +) / Double(seen.count)
    return sums.indices.map { counts[$0] > 0 ? sums[$0] / Double(counts[$0]) : overall }
  }

  public var distribution: TimestepDistribution {
    let means = means
    let smooth = means.indices.map { i in
      let (left, right) = (means[max(i - 1, 0)], means[min(i + 1, means.count - 1)])
      return 0.25 * left + 0.5 * means[i] + 0.25 * right
    }
    let total = smooth.reduce(0, +)
    guard total > 0 else { return TimestepDistribution(range) }
    let even = Self.floor / Double(smooth.count)
    return TimestepDistribution(
      range, weights: smooth.map { (1 - Self.floor) * $0 / total + even })
  }
}
