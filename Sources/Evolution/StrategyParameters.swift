import Tensors

/// The shape of the covariance matrix that a search adapts.
public enum CovarianceKind: String, Sendable, Codable, CaseIterable {
  /// Every pair of coordinates: O(d²) memory and O(d³) now and then.
  case full
  /// The diagonal alone (sep-CMA-ES): O(d) of both, learning rates about d/3 times larger.
  case separable
}

/// How often the eigen-decomposition of a full covariance matrix is renewed.
public enum EigenSchedule: Sendable, Codable, Equatable {
  /// When 0.5·N·λ/(c_1 + c_µ)/N² evaluations have passed, as in Hansen's purecma: the matrix has
  /// hardly changed before. The default.
  case lazy
  /// When 1/(c_1 + c_µ)/N/10 generations have passed, as in pycma and in the tutorial (B.2).
  case eager
  /// Every so many generations.
  case every(Double)
}

/// The constants of one CMA-ES run, all of them functions of dimension and population.
///
/// Default values of Hansen's tutorial (arXiv 1604.00772), table 1, with the refinements that
/// pycma 4.5 makes (named at each). `sep` values after Ros & Hansen 2008 as pycma has them.
public struct StrategyParameters: Sendable, Equatable, Codable {
  public let dimension: Int
  /// λ, candidates a generation.
  public let population: Int
  public let covariance: CovarianceKind
  public let weights: RecombinationWeights
  /// c_σ, decay of the path of the step size (equation 55).
  public let cSigma: Double
  /// d_σ, damping of the step size (equation 55).
  public let dSigma: Double
  /// c_c, decay of the path of the covariance (equation 56).
  public let cc: Double
  /// c_1, learning rate of the rank-one update (equation 57).
  public let c1: Double
  /// c_µ, learning rate of the rank-µ update (equation 58).
  public let cMu: Double
  /// E‖N(0, I)‖ (below equation 44).
  public let chiN: Double
  /// Generations between eigen-decompositions.
  public let eigenGap: Double

  /// - Throws: `EvokeError` for a dimension below 1 or a population below 3.
  public init(
    dimension: Int, population: Int, covariance: CovarianceKind = .full, active: Bool = true,
    eigenSchedule: EigenSchedule = .lazy
  ) throws {
    guard dimension >= 1 else {
      throw EvokeError(.value, "a search needs at least 1 dimension, not \(dimension)")
    }
    guard population >= 3 else {
      throw EvokeError(
        .value, "a population of \(population) is too small for CMA-ES",
        hint: "use at least 3; the default is 4 + 3 ln d")
    }
    let n = Double(dimension)
    let raw = RecombinationWeights(population: population)
    let mu = raw.effectiveParents
    self.dimension = dimension
    self.population = population
    self.covariance = covariance
    cSigma = min(0.5, (mu + 2) / (n + mu + 3))
    dSigma = Self.damping(dimension: n, effectiveParents: mu) + cSigma
    chiN = Self.expectedNorm(dimension)
    // The learning rates of the full matrix, c_1 reduced for populations below six (pycma).
    let full1 = min(1, Double(population) / 6) * 2 / ((n + 1.3) * (n + 1.3) + mu)
    let fullMu = min(1 - full1, 2 * (0.25 + mu + 1 / mu - 2) / ((n + 2) * (n + 2) + mu))
    switch covariance {
    case .full:
      cc = (4 + mu / n) / (n + 4 + 2 * mu / n)
      c1 = full1
      cMu = fullMu
    case .separable:
      // pycma's `cc_sep`, `conedf` and `cmudf` with N degrees of freedom.
      cc = (1 + 1 / n + mu / n) / (n.squareRoot() + 1 / n + 2 * mu / n)
      c1 = 1 / (n + 2 * n.squareRoot() + mu / n)
      cMu = min(1 - c1, (0.25 + mu + 1 / mu - 2) / (n + 4 * n.squareRoot() + mu / 2))
    }
    weights =
      active
      ? raw.finalised(dimension: dimension, c1: c1, cmu: cMu, keepsDefinite: covariance == .full)
      : raw.withoutNegative()
    switch eigenSchedule {
    case .lazy: eigenGap = 0.5 / (full1 + fullMu) / n
    case .eager: eigenGap = 0.1 / (full1 + fullMu) / n
    case .every(let generations): eigenGap = generations
    }
    check()
  }

  /// d_σ without its c_σ: 1 + 2 max(0, a·√((µ_eff − 1)/(N + 1)) − 1), where the tutorial has
  /// a = 1 and pycma 4.5 lets a grow from 1 to 3 with the dimension (`compute_damps`).
  private static func damping(dimension n: Double, effectiveParents mu: Double) -> Double {
    let inner = max(1, 3 * (1 - Elementary.pow(0.5, n / 9)))
    return 1 + 2 * max(0, inner * ((mu - 1) / (n + 1)).squareRoot() - 1)
  }

  /// E‖N(0, I)‖: by its recurrence where the series is not good enough, else as pycma has it.
  private static func expectedNorm(_ dimension: Int) -> Double {
    if dimension > 100 {
      let n = Double(dimension)
      return n.squareRoot() * (1 - 1 / (4 * n) + 1 / (32 * n * n))
    }
    var value = dimension % 2 == 1 ? (2 / Double.pi).squareRoot() : (Double.pi / 2).squareRoot()
    for k in stride(from: dimension % 2 == 1 ? 1 : 2, to: dimension, by: 2) {
      value *= Double(k + 1) / Double(k)
    }
    return value
  }

  private func check() {
    precondition(0 < cSigma && cSigma <= 0.5)
    precondition(dSigma >= 1)
    precondition(0 < cc && cc <= 1)
    precondition(0 < c1 && 0 <= cMu && c1 + cMu <= 1)
    precondition(abs(weights.values[..<weights.parents].reduce(0, +) - 1) < 1e-9)
    precondition(weights.values.count == population)
  }

  /// The population that CMA-ES takes by itself, 4 + ⌊3 ln d⌋ (equation 48).
  public static func defaultPopulation(dimension: Int) -> Int {
    max(4, Int(4 + 3 * Elementary.log(Double(max(dimension, 1)))))
  }
}
