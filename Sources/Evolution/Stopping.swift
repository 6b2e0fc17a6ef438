import Tensors

/// Why a search should stop. Names and meanings are pycma's.
public enum StoppingReason: String, Sendable, Codable, CaseIterable {
  case target, maxEvaluations, maxGenerations
  case tolX, tolFun, tolFunRelative, tolFunHistory, tolStagnation, tolXStagnation
  case tolXUp, tolSigmaUp, tolFlat
  case noEffectCoordinate, noEffectAxis, conditionCovariance

  /// One sentence for a person.
  public var explanation: String {
    switch self {
    case .target: "the target loss is reached"
    case .maxEvaluations: "the evaluations are used up"
    case .maxGenerations: "the generations are used up"
    case .tolX: "all coordinates' standard deviations are below tolX"
    case .tolFun:
      "the losses of this generation and of the last best ones differ by less than tolFun"
    case .tolFunRelative: "the losses differ by less than tolFunRelative of all progress made"
    case .tolFunHistory: "the best losses of the last generations differ by less than tolFunHistory"
    case .tolStagnation: "best and median losses have not improved for a long time"
    case .tolXStagnation: "the mean has not moved for a long time"
    case .tolXUp:
      "a standard deviation has grown too much: sigma was far too small, or the loss has no minimum"
    case .tolSigmaUp: "the step size has grown out of proportion to the covariance"
    case .tolFlat: "most candidates have the same loss"
    case .noEffectCoordinate: "a fifth of a standard deviation no longer changes a coordinate"
    case .noEffectAxis: "a tenth of a principal axis no longer changes the mean"
    case .conditionCovariance: "the condition number of the covariance is too large"
    }
  }
}

/// Thresholds of the stopping criteria; nil or zero switches one off.
public struct StoppingCriteria: Sendable, Equatable, Codable {
  public var target: Double?
  public var maxEvaluations: Int?
  public var maxGenerations: Int?
  public var tolX = 1e-11
  public var tolFun = 1e-11
  public var tolFunRelative = 0.0
  public var tolFunHistory = 1e-12
  /// Generations over which medians are compared.
  public var tolStagnation: Int
  /// Distance that the mean must leave within 20 generations and a tenth of those done.
  public var tolXStagnation = 1e-9
  public var tolXUp = 1e3
  public var tolSigmaUp = 1e20
  /// Generations in a row that may be flat.
  public var tolFlat = 1
  public var condition = 1e14

  /// pycma 4.5's values.
  public init(dimension: Int, population: Int) {
    let n = Double(dimension)
    let lambda = Double(population)
    tolStagnation = Int(100 + 100 * n * n.squareRoot() / lambda)
    maxGenerations = Int(100 + (150 * (n + 3) * (n + 3) / lambda.squareRoot()).rounded(.down))
  }

  /// Every criterion off, for a budget alone.
  public static var off: StoppingCriteria {
    var criteria = StoppingCriteria(dimension: 1, population: 4)
    criteria.maxGenerations = nil
    criteria.tolX = 0
    criteria.tolFun = 0
    criteria.tolFunHistory = 0
    criteria.tolStagnation = 0
    criteria.tolXStagnation = 0
    criteria.tolXUp = 0
    criteria.tolSigmaUp = 0
    criteria.tolFlat = 0
    criteria.condition = 0
    return criteria
  }

  func reasons(of search: CMAES) -> [StoppingReason] {
    guard search.generation > 0 else { return [] }
    return StoppingReason.allCases.filter { holds($0, for: search) }
  }

  private func holds(_ reason: StoppingReason, for s: CMAES) -> Bool {
    let h = s.history
    switch reason {
    case .target: return target.map { (s.best?.loss ?? .infinity) <= $0 } ?? false
    case .maxEvaluations: return maxEvaluations.map { s.evaluations >= $0 } ?? false
    case .maxGenerations: return maxGenerations.map { s.generation >= $0 } ?? false
    case .tolX:
      return zip(s.variances, s.covariancePath).allSatisfy {
        s.sigma * $0.squareRoot() < tolX && s.sigma * abs($1) < tolX
      }
    case .tolFun: return h.currentRange < tolFun && h.recentRange < tolFun
    case .tolFunRelative:
      return h.currentRange < tolFunRelative * (h.firstMedian - h.lowestMedian)
    case .tolFunHistory: return h.recent.count > 9 && h.recentRange < tolFunHistory
    case .tolStagnation: return tolStagnation > 0 && stagnates(s)
    case .tolXStagnation: return tolXStagnation > 0 && h.meanStagnates
    case .tolXUp:
      return tolXUp > 0
        && zip(s.variances, s.initialDeviations).contains {
          s.sigma * $0.squareRoot() > s.initialSigma * $1 * tolXUp
        }
    case .tolSigmaUp:
      let longest = s.axisLengths[s.dimension - 1]
      return tolSigmaUp > 0 && s.sigma / longest > s.initialSigma * tolSigmaUp
    case .tolFlat: return tolFlat > 0 && h.flatGenerations > tolFlat
    case .noEffectCoordinate:
      return tolX > 0
        && zip(s.center, s.variances).contains { $0 == $0 + 0.2 * s.sigma * $1.squareRoot() }
    case .noEffectAxis: return tolX > 0 && axisHasNoEffect(s)
    case .conditionCovariance: return condition > 0 && s.condition > condition
    }
  }

  /// Medians over the newer and the older half of a long stretch of best and median losses.
  private func stagnates(_ s: CMAES) -> Bool {
    let h = s.history
    let n = Double(s.dimension)
    let lambda = Double(s.population)
    let half = max(tolStagnation / 10, h.sparseBest.count / 10)
    guard
      Double(s.generation) > n * (5 + 100 / lambda), h.sparseBest.count > 100,
      2 * half < h.sparseBest.count,
      Double(s.evaluations - (s.best?.evaluation ?? 0)) / lambda > Double(tolStagnation) / 2
    else { return false }
    func worsens(_ values: [Double]) -> Bool {
      let newer = values.suffix(half)
      let older = values.dropLast(half).suffix(half)
      return median(Array(newer)) >= median(Array(older))
    }
    return worsens(h.sparseMedian) && worsens(h.sparseBest)
  }

  private func axisHasNoEffect(_ s: CMAES) -> Bool {
    guard let full = s.full else { return false }
    let n = s.dimension
    let axis = s.generation % n
    let length = 0.1 * s.sigma * full.deviations[axis]
    return (0..<n).allSatisfy { s.center[$0] == s.center[$0] + length * full.axes[axis * n + $0] }
  }
}

func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/// What the stopping criteria remember of the losses and of the mean.
struct LossHistory: Sendable, Equatable, Codable {
  /// Best losses of the last 10 + 30 d/λ generations.
  private(set) var recent: [Double] = []
  /// Best and median losses of every fifth generation.
  private(set) var sparseBest: [Double] = []
  private(set) var sparseMedian: [Double] = []
  /// Worst minus best of the last generation.
  private(set) var currentRange = 0.0
  private(set) var firstMedian = 0.0
  private(set) var lowestMedian = 0.0
  private(set) var flatGenerations = 0
  private var anchor: [Double]
  private var anchoredAt = 0
  private var followed = 0

  init(mean: [Double]) { anchor = mean }

  var recentRange: Double { (recent.max() ?? 0) - (recent.min() ?? 0) }

  /// Takes the sorted losses of a generation; what is not finite counts as huge.
  mutating func record(_ losses: [Double], generation: Int, dimension: Int, population: Int) {
    let sorted = losses.map { $0.isFinite ? $0 : 1e300 }
    let middle = median(sorted)
    currentRange = sorted[sorted.count - 1] - sorted[0]
    recent.append(sorted[0])
    if Double(recent.count) > 10 + 30 * Double(dimension) / Double(population) {
      recent.removeFirst()
    }
    if generation % 5 == 0 {
      sparseBest.append(sorted[0])
      sparseMedian.append(middle)
      if sparseBest.count > 20_000 {
        sparseBest.removeFirst()
        sparseMedian.removeFirst()
      }
    }
    if generation == 1 { firstMedian = middle }
    lowestMedian = generation == 1 ? middle : min(lowestMedian, middle)
    let flat = sorted[0] >= sorted[Int(0.75 * Double(sorted.count))]
    flatGenerations = flat ? flatGenerations + 1 : 0
  }

  private var patience: Double { 20 + 0.1 * Double(followed) }

  /// Notes the mean; the anchor moves with it unless it stays within `distance`, which grows once
  /// the patience is over.
  mutating func follow(_ mean: [Double], within distance: Double) {
    followed += 1
    let age = Double(followed - anchoredAt) / patience
    let reach = distance * max(1, age).squareRoot()
    var squared = 0.0
    for i in mean.indices { squared += (mean[i] - anchor[i]) * (mean[i] - anchor[i]) }
    if squared.squareRoot() > reach {
      anchor = mean
      anchoredAt = followed
    }
  }

  var meanStagnates: Bool { Double(followed - anchoredAt) > patience }
}
