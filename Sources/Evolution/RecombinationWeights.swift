import Tensors

/// The recombination weights of CMA-ES: positive ones for the better half of a population, which
/// sum to one, and negative ones for the rest, which the covariance update unlearns from.
///
/// Hansen, *The CMA Evolution Strategy: A Tutorial* (arXiv 1604.00772), equations 49–53; the
/// order and the limits of the negative weights as in pycma 4.5 (`recombination_weights.py`).
public struct RecombinationWeights: Sendable, Equatable, Codable {
  /// One weight a rank, best first, decreasing.
  public let values: [Double]
  /// Number of positive weights, µ.
  public let parents: Int
  /// Variance-effective selection mass µ_eff of the positive weights (equation 8).
  public let effectiveParents: Double
  /// The same of the negative weights, µ_eff⁻ (table 1).
  public let effectiveNegative: Double

  /// Weights ln((λ + 1)/2) − ln i before the negative ones are scaled (equation 49).
  ///
  /// - Parameter population: λ, at least 2.
  init(population: Int) {
    precondition(population >= 2)
    let half = Elementary.log((Double(population) + 1) / 2)
    let raw = (1...population).map { half - Elementary.log(Double($0)) }
    parents = raw.count { $0 > 0 }
    let positive = raw[..<parents].reduce(0, +)
    let negative = -raw[parents...].reduce(0, +)
    values = raw.enumerated().map { rank, weight in
      rank < raw.count { $0 > 0 } ? weight / positive : negative > 0 ? weight / negative : 0
    }
    effectiveParents = 1 / values[..<parents].reduce(0) { $0 + $1 * $1 }
    let squares = values[parents...].reduce(0) { $0 + $1 * $1 }
    effectiveNegative = squares > 0 ? 1 / squares : 0
  }

  private init(_ base: RecombinationWeights, negativeSum: Double) {
    let sum = -base.values[base.parents...].reduce(0, +)
    values = base.values.enumerated().map { rank, weight in
      rank < base.parents ? weight : sum > 0 ? weight * (negativeSum / sum) : 0
    }
    parents = base.parents
    effectiveParents = base.effectiveParents
    effectiveNegative = negativeSum > 0 ? base.effectiveNegative : 0
  }

  /// The negative weights scaled so that the covariance matrix does not decay by itself
  /// (α⁻ = 1 + c_1/c_µ, equation 50), learns no faster than their mass allows (equation 51), and,
  /// for a full matrix, stays positive definite (equation 52).
  func finalised(dimension: Int, c1: Double, cmu: Double, keepsDefinite: Bool)
    -> RecombinationWeights
  {
    guard cmu > 0, effectiveNegative > 0 else { return withoutNegative() }
    var sum = 1 + c1 / cmu
    if keepsDefinite { sum = min(sum, (1 - c1 - cmu) / cmu / Double(dimension)) }
    sum = min(sum, 1 + 2 * effectiveNegative / (effectiveParents + 2))
    return RecombinationWeights(self, negativeSum: max(sum, 0))
  }

  /// The negative weights set to zero: CMA-ES without active update.
  func withoutNegative() -> RecombinationWeights {
    RecombinationWeights(self, negativeSum: 0)
  }
}
