import Kernels
import Tensors

/// Natural evolution strategies: a normal distribution that follows the natural gradient of its
/// expected, rank-shaped loss.
///
/// `exponential` is xNES (Glasmachers et al., GECCO 2010), with a full matrix; `separable` is SNES
/// (Schaul, Glasmachers & Schmidhuber, GECCO 2011), with one deviation a coordinate. Default
/// population and learning rates are those papers'.
public struct NaturalEvolution: Search, Equatable {
  public enum Kind: String, Sendable, Codable, CaseIterable {
    case exponential, separable
  }

  public let kind: Kind
  public let population: Int
  public let initialSigma: Double
  let random: Philox
  public private(set) var mean: [Double]
  public private(set) var sigma: Double
  public private(set) var generation = 0
  public private(set) var evaluations = 0
  public private(set) var best: Evaluated?
  /// B of xNES (row by row, determinant 1), or the relative deviations of SNES.
  public private(set) var shape: [Double]

  public var dimension: Int { mean.count }
  /// Steps are z B: BᵀB, or the squares of the deviations.
  public var covarianceMatrix: Matrix {
    guard kind == .exponential else { return Matrix(diagonal: shape.map { $0 * $0 }) }
    let matrix = Matrix(rows: dimension, columns: dimension, values: shape)
    return Matrix(
      rows: dimension, columns: dimension,
      values: product(matrix.transposed.values, shape, rows: dimension))
  }
  public var stoppingReasons: [StoppingReason] {
    sigma.isFinite && sigma > 1e-300 ? [] : [.tolX]
  }

  /// - Throws: `EvokeError(.value)` for a dimension below 1, a population below 2 or a sigma that is
  ///   not positive.
  public init(
    _ kind: Kind = .separable, dimension: Int, sigma: Double, population: Int? = nil,
    random: Philox
  ) throws {
    let population = population ?? StrategyParameters.defaultPopulation(dimension: dimension)
    try checkSearch(dimension: dimension, sigma: sigma, population: population)
    self.kind = kind
    self.population = population
    self.random = random
    self.sigma = sigma
    initialSigma = sigma
    mean = .init(repeating: 0, count: dimension)
    shape = Self.round(kind, dimension)
  }

  private static func round(_ kind: Kind, _ dimension: Int) -> [Double] {
    kind == .exponential
      ? Matrix(identity: dimension).values : .init(repeating: 1, count: dimension)
  }

  public func restarted() -> NaturalEvolution {
    var first = self
    first.mean = .init(repeating: 0, count: dimension)
    first.sigma = initialSigma
    first.generation = 0
    first.evaluations = 0
    first.best = nil
    first.shape = Self.round(kind, dimension)
    return first
  }

  public func ask() -> Population {
    var draws = random.derived(generation)
    let n = dimension
    let normals = draws.normals(population * n)
    let steps = kind == .exponential ? product(normals, shape, rows: population) : scaled(normals)
    return Population(
      candidates: (0..<population).map { k in (0..<n).map { mean[$0] + sigma * steps[k * n + $0] }
      },
      generation: generation, steps: steps, normals: normals)
  }

  private func scaled(_ rows: [Double]) -> [Double] {
    rows.indices.map { rows[$0] * shape[$0 % dimension] }
  }

  public mutating func update(_ asked: Population, losses: [Double]) throws {
    try check(asked, losses)
    let order = ranking(of: losses)
    best = bestOf(asked, losses, order)
    evaluations += population
    generation += 1
    let n = dimension
    let utilities = utilities(order)
    let step = weightedSum(asked.steps, utilities)
    for i in 0..<n { mean[i] += sigma * step[i] }
    switch kind {
    case .separable: updateDeviations(asked.normals, utilities)
    case .exponential: updateMatrix(asked.normals, utilities)
    }
  }

  /// u_k = max(0, ln(λ/2 + 1) − ln k), normalised, less 1/λ, in the candidates' order.
  private func utilities(_ order: [Int]) -> [Double] {
    let lambda = Double(population)
    let raw = (1...population).map {
      max(0, Elementary.log(lambda / 2 + 1) - Elementary.log(Double($0)))
    }
    let total = raw.reduce(0, +)
    var result = [Double](repeating: 0, count: population)
    for (rank, k) in order.enumerated() { result[k] = raw[rank] / total - 1 / lambda }
    return result
  }

  private func weightedSum(_ rows: [Double], _ weights: [Double]) -> [Double] {
    (0..<dimension).map { i in
      weights.indices.reduce(0) { $0 + weights[$1] * rows[$1 * dimension + i] }
    }
  }

  /// SNES: σ_i ← σ_i exp(η/2 Σ u (z_i² − 1)), η = (3 + ln d) / (5 √d).
  private mutating func updateDeviations(_ normals: [Double], _ utilities: [Double]) {
    let n = Double(dimension)
    let rate = (3 + Elementary.log(n)) / (5 * n.squareRoot())
    let gradient = weightedSum(normals.map { $0 * $0 - 1 }, utilities)
    let mean = gradient.reduce(0, +) / n
    sigma *= Elementary.exp(rate / 2 * mean)
    for i in shape.indices { shape[i] *= Elementary.exp(rate / 2 * (gradient[i] - mean)) }
  }

  /// xNES: G = Σ u (z zᵀ − 1); σ ← σ exp(η/2 tr G/d), B ← B exp(η/2 (G − tr G/d)),
  /// η = (9 + 3 ln d) / (5 d √d).
  private mutating func updateMatrix(_ normals: [Double], _ utilities: [Double]) {
    let n = dimension
    let d = Double(n)
    let rate = (9 + 3 * Elementary.log(d)) / (5 * d * d.squareRoot())
    var gradient = [Double](repeating: 0, count: n * n)
    gradient.withUnsafeMutableBufferPointer { buffer in
      let base = buffer.baseAddress
      kernel_double_rank_update(n, population, 0, base, base, normals, utilities)
    }
    // The utilities sum to 0, so that the identity drops out.
    let trace = (0..<n).reduce(0) { $0 + gradient[$1 * n + $1] } / d
    for i in 0..<n { gradient[i * n + i] -= trace }
    guard let (values, axes) = symmetricAxes(of: gradient, dimension: n) else { return }
    sigma *= Elementary.exp(rate / 2 * trace)
    // B exp(M) = ((B Vᵀ) diag(e^v)) V with the eigenvectors as rows of V.
    let transposed = Matrix(rows: n, columns: n, values: axes).transposed.values
    var turned = product(shape, transposed, rows: n)
    let factors = values.map { Elementary.exp(rate / 2 * $0) }
    for i in turned.indices { turned[i] *= factors[i % n] }
    shape = product(turned, axes, rows: n)
  }

  private func product(_ rows: [Double], _ matrix: [Double], rows count: Int) -> [Double] {
    let n = dimension
    return [Double](unsafeUninitializedCapacity: count * n) { buffer, initialised in
      kernel_double_product(count, n, n, rows, matrix, buffer.baseAddress)
      initialised = count * n
    }
  }
}
