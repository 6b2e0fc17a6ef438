import Tensors

/// CMA-ES that begins anew whenever it has a reason to stop.
///
/// `ipop` doubles the population each time (Auger & Hansen, CEC 2005). `bipop` alternates between that
/// and small populations with smaller steps, whichever has used fewer evaluations (Hansen, GECCO
/// 2009).
public struct RestartedCMAES: Search, Equatable {
  public enum Policy: String, Sendable, Codable, CaseIterable {
    case ipop, bipop
  }

  public let policy: Policy
  /// The run under way.
  public private(set) var current: CMAES
  /// Restarts so far.
  public private(set) var restarts = 0
  public let mostRestarts: Int
  private let first: CMAES
  private var finishedGenerations = 0
  private var finishedEvaluations = 0
  private var doublings = 0
  private var isSmall = false
  private var spentLarge = 0
  private var spentSmall = 0
  private var bestBefore: Evaluated?

  public init(_ first: CMAES, policy: Policy, mostRestarts: Int = 9) {
    self.policy = policy
    self.first = first
    self.mostRestarts = mostRestarts
    current = first
  }

  public var dimension: Int { current.dimension }
  public var population: Int { current.population }
  public var generation: Int { finishedGenerations + current.generation }
  public var evaluations: Int { finishedEvaluations + current.evaluations }
  public var mean: [Double] { current.mean }
  public var sigma: Double { current.sigma }
  public var best: Evaluated? {
    guard let now = current.best else { return bestBefore }
    guard let bestBefore, bestBefore.loss <= now.loss else {
      return Evaluated(
        point: now.point, loss: now.loss, evaluation: finishedEvaluations + now.evaluation)
    }
    return bestBefore
  }
  public var stoppingReasons: [StoppingReason] {
    restarts < mostRestarts ? [] : current.stoppingReasons
  }

  public var covarianceMatrix: Matrix { current.covarianceMatrix }

  public func restarted() -> RestartedCMAES {
    RestartedCMAES(first, policy: policy, mostRestarts: mostRestarts)
  }

  public func ask() -> Population {
    let asked = current.ask()
    return Population(
      candidates: asked.candidates, generation: generation, steps: asked.steps,
      normals: asked.normals)
  }

  public mutating func update(_ asked: Population, losses: [Double]) throws {
    try check(asked, losses)
    try current.update(
      Population(
        candidates: asked.candidates, generation: current.generation, steps: asked.steps,
        normals: asked.normals), losses: losses)
    if !current.stoppingReasons.isEmpty, restarts < mostRestarts { try restart() }
  }

  private mutating func restart() throws {
    bestBefore = best
    finishedGenerations += current.generation
    finishedEvaluations += current.evaluations
    if isSmall { spentSmall += current.evaluations } else { spentLarge += current.evaluations }
    restarts += 1
    var random = first.random.derived("restart").derived(restarts)
    let base = Double(first.population)
    isSmall = policy == .bipop && spentSmall < spentLarge
    if !isSmall { doublings += 1 }
    var (population, sigma) = (first.population << doublings, first.initialSigma)
    if isSmall {
      let u = random.uniform()
      // λ_s = λ (λ_large / 2λ)^(u²), σ_s = σ · 10^(−2u')
      population = Int(base * Elementary.pow(0.5 * Double(1 << doublings), u * u))
      sigma *= Elementary.pow(10, -2 * random.uniform())
    }
    var criteria = StoppingCriteria(dimension: dimension, population: population)
    criteria.target = first.criteria.target
    current = try CMAES(
      dimension: dimension, sigma: sigma, population: max(2, population),
      covariance: first.parameters.covariance, bounds: first.bounds, criteria: criteria,
      random: random.derived("draws"))
  }
}
