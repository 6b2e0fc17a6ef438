import Tensors

/// Re-evaluation: whether the ranks of a generation can be trusted, and how much more (or less) to
/// spend on a loss for it.
///
/// Some candidates are judged again on other draws. If their ranks change by more than chance would
/// let them, losses are taken over more draws; if not, over fewer again (Hansen, Niederberger, Guzzella
/// & Koumoutsakos, IEEE TEC 13(1), 2009: UH-CMA-ES, with the evaluation time as its treatment).
public struct NoiseHandling: Sendable, Equatable, Codable {
  /// Draws a loss in units of the objective's own.
  public private(set) var effort = 1.0
  /// The last measured strength; positive: too noisy.
  public private(set) var strength = 0.0
  public let mostEffort: Double

  static let growth = 1.5
  static let tolerance = 0.2

  public init(mostEffort: Double = 16) { self.mostEffort = max(1, mostEffort) }

  /// How many candidates to judge again: a tenth and two more, at most all.
  public func reevaluations(of population: Int) -> Int { min(population, 2 + population / 10) }

  /// Takes in the losses of the first candidates on other draws.
  public mutating func observe(_ losses: [Double], again: [Double]) {
    strength = Self.strength(losses, again)
    effort =
      strength > 0
      ? min(mostEffort, effort * Self.growth)
      : max(1, effort / Elementary.pow(Self.growth, 0.25))
  }

  /// s: the mean change of rank, twice, less what is tolerated (equation 8 of the paper).
  static func strength(_ losses: [Double], _ again: [Double]) -> Double {
    let all = losses + again
    func rank(_ loss: Double) -> Double { 1 + Double(all.count { $0 < loss }) }
    let changes = again.indices.map { i -> Double in
      let (old, new) = (rank(losses[i]), rank(again[i]))
      let change = abs(new - old - (new > old ? 1 : new < old ? -1 : 0))
      return 2 * change - limit(new - (new > old ? 1 : 0), all.count)
        - limit(old - (old > new ? 1 : 0), all.count)
    }
    return changes.reduce(0, +) / Double(max(1, again.count))
  }

  /// The tolerance's share of the distances |1 − R| … |n − 1 − R|.
  private static func limit(_ rank: Double, _ count: Int) -> Double {
    let distances = (1..<max(2, count)).map { abs(Double($0) - rank) }.sorted()
    let place = tolerance * 0.5 * Double(distances.count)
    return distances[min(distances.count - 1, Int(place))]
  }
}
