import Tensors

/// The covariance matrix adaptation evolution strategy, (µ/µ_w, λ)-CMA-ES with active update and
/// cumulative step-size adaptation, as an immutable value.
///
/// After Hansen, *The CMA Evolution Strategy: A Tutorial* (arXiv 1604.00772); equation numbers are
/// that paper's. Given the same normal draws it follows pycma 4.5 (scripts/conformance/search.py).
/// The draws of a generation are a function of `random` and of the generation's number, so that a
/// search that was stored and read again goes on as if it had never stopped.
public struct CMAES: Search, Equatable {
  public let parameters: StrategyParameters
  public let bounds: Bounds?
  /// When to stop; may be changed at any time.
  public var criteria: StoppingCriteria
  public let initialSigma: Double
  let initialDeviations: [Double]
  let initialCenter: [Double]
  let random: Philox

  public internal(set) var sigma: Double
  public internal(set) var generation = 0
  public internal(set) var evaluations = 0
  public internal(set) var best: Evaluated?
  /// m before the bounds are applied.
  var center: [Double]
  /// p_σ, the evolution path of the step size (equation 43).
  public internal(set) var sigmaPath: [Double]
  /// p_c, the evolution path of the covariance (equation 45).
  public internal(set) var covariancePath: [Double]
  /// The covariance matrix, where it is a full one.
  var full: FullCovariance?
  /// Standard deviations of the coordinates, where the covariance is diagonal.
  var scales: [Double]
  var history: LossHistory

  public var dimension: Int { parameters.dimension }
  public var population: Int { parameters.population }

  /// A search about to draw its first generation.
  ///
  /// - Parameters:
  ///   - dimension: coordinates of a candidate, at least 1.
  ///   - mean: where to start; the origin by default.
  ///   - sigma: initial step size, in units of the coordinates.
  ///   - population: candidates a generation; 4 + ⌊3 ln d⌋ by default (equation 48).
  ///   - covariance: a full matrix or its diagonal alone.
  ///   - deviations: initial standard deviation of each coordinate in units of `sigma`; ones.
  ///   - bounds: a box for the candidates, or none.
  ///   - active: whether bad candidates are unlearnt (negative weights).
  ///   - eigenSchedule: how often the full matrix is decomposed.
  ///   - criteria: when to stop; pycma's values for this dimension by default.
  ///   - random: where the draws come from.
  /// - Throws: `EvokeError` for counts that do not match, or values out of range.
  public init(
    dimension: Int, mean: [Double]? = nil, sigma: Double, population: Int? = nil,
    covariance: CovarianceKind = .full, deviations: [Double]? = nil, bounds: Bounds? = nil,
    active: Bool = true, eigenSchedule: EigenSchedule = .lazy,
    criteria: StoppingCriteria? = nil, random: Philox
  ) throws {
    parameters = try StrategyParameters(
      dimension: dimension,
      population: population ?? StrategyParameters.defaultPopulation(dimension: dimension),
      covariance: covariance, active: active, eigenSchedule: eigenSchedule)
    let start = mean ?? .init(repeating: 0, count: dimension)
    let spread = deviations ?? .init(repeating: 1, count: dimension)
    guard start.count == dimension, start.allSatisfy(\.isFinite) else {
      throw EvokeError(
        .shape, "the mean of the search must be \(dimension) finite numbers, not \(start.count)")
    }
    guard sigma > 0, sigma.isFinite else {
      throw EvokeError(.value, "sigma must be a positive number, not \(sigma)")
    }
    guard spread.count == dimension, spread.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw EvokeError(.shape, "the deviations must be \(dimension) positive numbers")
    }
    guard bounds.map({ $0.lower.count == dimension }) ?? true else {
      throw EvokeError(.shape, "the bounds do not have \(dimension) coordinates")
    }
    self.bounds = bounds
    self.criteria =
      criteria ?? StoppingCriteria(dimension: dimension, population: parameters.population)
    self.random = random
    self.sigma = sigma
    initialSigma = sigma
    initialDeviations = spread
    center = bounds?.preimage(start) ?? start
    sigmaPath = .init(repeating: 0, count: dimension)
    covariancePath = .init(repeating: 0, count: dimension)
    full = covariance == .full ? FullCovariance(deviations: spread) : nil
    scales = spread
    initialCenter = center
    history = LossHistory(mean: center)
  }

  /// The same search as it was before its first generation: told the same losses again, it takes
  /// the same way to the last bit.
  public func restarted() -> CMAES {
    var first = self
    first.sigma = initialSigma
    first.generation = 0
    first.evaluations = 0
    first.best = nil
    first.center = initialCenter
    first.sigmaPath = .init(repeating: 0, count: dimension)
    first.covariancePath = .init(repeating: 0, count: dimension)
    first.full = full == nil ? nil : FullCovariance(deviations: initialDeviations)
    first.scales = initialDeviations
    first.history = LossHistory(mean: initialCenter)
    return first
  }

  public var mean: [Double] { bounds?.inside(center) ?? center }

  /// The diagonal of the covariance matrix (without σ²).
  public var variances: [Double] { full?.variances ?? scales.map { $0 * $0 } }

  /// The covariance matrix (without σ²), dense whatever its kind.
  public var covarianceMatrix: Matrix {
    if let full { return full.symmetric }
    var values = [Double](repeating: 0, count: dimension * dimension)
    for i in 0..<dimension { values[i * dimension + i] = scales[i] * scales[i] }
    return Matrix(rows: dimension, columns: dimension, values: values)
  }

  /// Lengths of the principal axes of the distribution (without σ), ascending; of a full
  /// matrix as of its last decomposition.
  public var axisLengths: [Double] { full?.deviations ?? scales.sorted() }

  /// Condition number of the covariance matrix, as of its last decomposition.
  public var condition: Double {
    let lengths = axisLengths
    let ratio = lengths[lengths.count - 1] / lengths[0]
    return ratio * ratio
  }

  public var stoppingReasons: [StoppingReason] { criteria.reasons(of: self) }

  // MARK: Ask

  public func ask() -> Population {
    var draws = random.derived(generation)
    return ask(normals: draws.normals(population * dimension))
  }

  /// The candidates that given standard normal draws lead to, λ·d of them, a candidate at a
  /// time: for replaying another program's run (equations 39–40).
  public func ask(normals: [Double]) -> Population {
    let n = dimension
    precondition(normals.count == population * n)
    let steps: [Double]
    if let full {
      steps = full.steps(normals, rows: population)
    } else {
      steps = normals.indices.map { scales[$0 % n] * normals[$0] }
    }
    let candidates = (0..<population).map { k in
      let point = (0..<n).map { center[$0] + sigma * steps[k * n + $0] }
      return bounds?.inside(point) ?? point
    }
    return Population(
      candidates: candidates, generation: generation, steps: steps, normals: normals)
  }
}
