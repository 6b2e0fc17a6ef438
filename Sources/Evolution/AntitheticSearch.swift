import Tensors

/// Gradient estimates from antithetic pairs θ ± σ Δ, followed by Adam.
///
/// `spsa`: simultaneous perturbation (Spall 1992), Δ = ±1, the differences of the losses; with Adam's
/// scaling and the projection of steps onto where θ has moved it is ZOODiP's (Seo et al., CVPR 2025,
/// arXiv 2503.14868). `openai`: evolution strategies (Salimans et al., arXiv 1703.03864), normal Δ,
/// centred ranks in the losses' place.
public struct AntitheticSearch: Search, Equatable {
  public enum Kind: String, Sendable, Codable, CaseIterable {
    case spsa, openai
  }

  public let kind: Kind
  /// Candidates a generation, two a pair.
  public let population: Int
  /// How far candidates are from the mean: the differences' step.
  public let sigma: Double
  let random: Philox
  private var adam: AdamW
  private var trail: Trail?
  public private(set) var evaluations = 0
  public private(set) var best: Evaluated?

  public var mean: [Double] { adam.point }
  public var dimension: Int { adam.point.count }
  public var generation: Int { adam.step }
  public var stoppingReasons: [StoppingReason] {
    adam.point.allSatisfy(\.isFinite) ? [] : [.tolXUp]
  }

  /// - Parameters:
  ///   - pairs: antithetic pairs a generation.
  ///   - rate: Adam's.
  ///   - window: generations that the projection looks back on; nil: none.
  ///   - threshold: the share of the variance below which a direction is projected out.
  public init(
    _ kind: Kind = .spsa, dimension: Int, sigma: Double, pairs: Int, rate: Double,
    window: Int? = nil, threshold: Double = 1e-3, random: Philox
  ) throws {
    try checkSearch(dimension: dimension, sigma: sigma, population: 2 * pairs)
    guard rate > 0, rate.isFinite, window.map({ $0 > 1 }) ?? true else {
      throw EvokeError(.value, "the rate must be positive, the window 2 generations or more")
    }
    self.kind = kind
    self.random = random
    self.sigma = sigma
    population = 2 * pairs
    var settings = AdamSettings(rate: rate)
    settings.weightDecay = 0
    adam = AdamW(settings, start: .init(repeating: 0, count: dimension))
    trail = window.map { Trail(window: $0, threshold: threshold) }
  }

  public var covarianceMatrix: Matrix { Matrix(identity: dimension) }

  public func restarted() -> AntitheticSearch {
    var first = self
    first.adam = AdamW(adam.settings, start: .init(repeating: 0, count: dimension))
    first.trail = trail.map { Trail(window: $0.window, threshold: $0.threshold) }
    first.evaluations = 0
    first.best = nil
    return first
  }

  public func ask() -> Population {
    var draws = random.derived(generation)
    let n = dimension
    let steps = (0..<population / 2).flatMap { _ in
      let delta = (0..<n).map { _ in
        kind == .spsa ? (draws.nextUInt64() >> 63 == 0 ? 1.0 : -1) : draws.normal()
      }
      return delta + delta.map { -$0 }
    }
    return Population(
      candidates: (0..<population).map { k in (0..<n).map { mean[$0] + sigma * steps[k * n + $0] }
      },
      generation: generation, steps: steps, normals: [])
  }

  public mutating func update(_ asked: Population, losses: [Double]) throws {
    try check(asked, losses)
    let order = ranking(of: losses)
    best = bestOf(asked, losses, order)
    evaluations += population
    let values = kind == .spsa ? losses : centredRanks(order)
    var gradient = [Double](repeating: 0, count: dimension)
    for pair in 0..<population / 2 {
      let slope = (values[2 * pair] - values[2 * pair + 1]) / (Double(population) * sigma)
      guard slope.isFinite else { continue }
      for i in gradient.indices { gradient[i] += slope * asked.steps[2 * pair * dimension + i] }
    }
    adam.descend(trail?.projected(gradient) ?? gradient)
    trail?.follow(adam.point)
  }

  /// The ranks from −½, the best, to ½.
  private func centredRanks(_ order: [Int]) -> [Double] {
    var result = [Double](repeating: 0, count: order.count)
    for (rank, k) in order.enumerated() {
      result[k] = Double(rank) / Double(order.count - 1) - 0.5
    }
    return result
  }
}

/// Where θ has been, and the directions in which it has hardly moved.
///
/// Every `window` generations the points of the last window are decomposed; directions with less than
/// `threshold` of their variance are taken out of the gradients that follow (ZOODiP, §4.2).
struct Trail: Sendable, Equatable, Codable {
  let window: Int
  let threshold: Double
  private var points: [[Double]] = []
  private var idle: [[Double]] = []

  init(window: Int, threshold: Double) {
    self.window = window
    self.threshold = threshold
  }

  func projected(_ gradient: [Double]) -> [Double] {
    idle.reduce(gradient) { gradient, axis in
      let share = zip(gradient, axis).reduce(0) { $0 + $1.0 * $1.1 }
      return zip(gradient, axis).map { $0 - share * $1 }
    }
  }

  mutating func follow(_ point: [Double]) {
    points.append(point)
    guard points.count == window else { return }
    let n = point.count
    let mean = (0..<n).map { i in points.reduce(0) { $0 + $1[i] } / Double(window) }
    let centred = points.map { zip($0, mean).map { $0 - $1 } }
    points = []
    let covariance = (0..<n * n).map { place in
      centred.reduce(0) { $0 + $1[place / n] * $1[place % n] }
    }
    guard let (values, axes) = symmetricAxes(of: covariance, dimension: n) else { return }
    let total = values.reduce(0, +)
    idle = values.indices.filter { values[$0] < threshold * total }.map {
      Array(axes[$0 * n..<($0 + 1) * n])
    }
  }
}
