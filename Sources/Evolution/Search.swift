import Tensors

/// The candidates of one generation, as `ask` hands them out and `tell` takes them back.
public struct Population: Sendable, Equatable {
  /// The points to evaluate, within the bounds.
  public let candidates: [[Double]]
  /// The generation they were drawn for, counted from 0.
  public let generation: Int
  /// The steps y = (x − m)/σ before the bounds, row by row.
  let steps: [Double]
  /// The standard normal draws z behind them, row by row.
  let normals: [Double]

  public var count: Int { candidates.count }
}

/// A point and its loss.
public struct Evaluated: Sendable, Equatable, Codable {
  public let point: [Double]
  public let loss: Double
  /// Evaluations made up to and with this one.
  public let evaluation: Int
}

/// A search that knows its objective only by ranked losses: an immutable value, ask and tell.
public protocol Search: Sendable, Codable {
  var dimension: Int { get }
  /// Candidates a generation.
  var population: Int { get }
  /// Generations told so far.
  var generation: Int { get }
  /// Losses told so far.
  var evaluations: Int { get }
  /// The middle of the distribution, within the bounds: the answer under noise.
  var mean: [Double] { get }
  /// Step size; the standard deviation of coordinate i is `sigma` · √(covariance)_ii.
  var sigma: Double { get }
  /// The best candidate told so far, by its own loss.
  var best: Evaluated? { get }
  /// Why the search should stop; empty while it should go on.
  var stoppingReasons: [StoppingReason] { get }
  /// The covariance of the candidates in units of σ².
  var covarianceMatrix: Matrix { get }

  /// The same search as it was before its first generation: told the same losses again, it takes the
  /// same way to the last bit.
  func restarted() -> Self

  /// The candidates of this generation, the same at each call.
  func ask() -> Population
  /// Learns from the losses of `asked`, one a candidate in the same order, in place.
  ///
  /// Losses are ranked ascending; equal ones by the candidates' order; those that are not
  /// numbers come last.
  mutating func update(_ asked: Population, losses: [Double]) throws
}

extension Search {
  /// The search that has learnt from the losses of `asked` (see ``update(_:losses:)``).
  public func tell(_ asked: Population, losses: [Double]) throws -> Self {
    var next = self
    try next.update(asked, losses: losses)
    return next
  }
}

/// The order of `losses` from best to worst: stable, and what is not a number last.
func ranking(of losses: [Double]) -> [Int] {
  losses.indices.sorted { a, b in
    let x = losses[a]
    let y = losses[b]
    if x.isNaN || y.isNaN { return x.isNaN == y.isNaN ? a < b : y.isNaN }
    return x == y ? a < b : x < y
  }
}

extension Search {
  /// Losses that belong to these candidates, at least one of them finite.
  func check(_ asked: Population, _ losses: [Double]) throws {
    guard asked.generation == generation, asked.count == population else {
      throw EvokeError(
        .value,
        "these candidates were asked for generation \(asked.generation), "
          + "the search is at \(generation)")
    }
    guard losses.count == population else {
      throw EvokeError(.shape, "\(losses.count) losses for \(population) candidates")
    }
    guard losses.contains(where: \.isFinite) else {
      throw EvokeError(
        .numeric, "no candidate of generation \(generation) has a finite loss",
        hint: "start closer to the words, or with a smaller sigma")
    }
  }

  /// The best candidate so far, these included.
  func bestOf(_ asked: Population, _ losses: [Double], _ order: [Int]) -> Evaluated? {
    let first = order[0]
    guard losses[first].isFinite, losses[first] < (best?.loss ?? .infinity) else { return best }
    return Evaluated(
      point: asked.candidates[first], loss: losses[first], evaluation: evaluations + first + 1)
  }
}

/// What every search asks of its settings.
func checkSearch(dimension: Int, sigma: Double, population: Int) throws {
  guard dimension >= 1, population >= 2 else {
    throw EvokeError(.value, "a search needs a dimension and two candidates or more")
  }
  guard sigma > 0, sigma.isFinite else {
    throw EvokeError(.value, "sigma must be a positive number, not \(sigma)")
  }
}

/// Any of the searches, as a value that can be stored.
public enum AnySearch: Search, Equatable {
  case cma(CMAES)
  case restarted(RestartedCMAES)
  case natural(NaturalEvolution)
  case antithetic(AntitheticSearch)
  case random(RandomSearch)

  /// The search itself.
  public var base: any Search {
    switch self {
    case .cma(let search): search
    case .restarted(let search): search
    case .natural(let search): search
    case .antithetic(let search): search
    case .random(let search): search
    }
  }

  public var dimension: Int { base.dimension }
  public var population: Int { base.population }
  public var generation: Int { base.generation }
  public var evaluations: Int { base.evaluations }
  public var mean: [Double] { base.mean }
  public var sigma: Double { base.sigma }
  public var best: Evaluated? { base.best }
  public var stoppingReasons: [StoppingReason] { base.stoppingReasons }
  public var covarianceMatrix: Matrix { base.covarianceMatrix }
  public func ask() -> Population { base.ask() }

  public func restarted() -> AnySearch {
    switch self {
    case .cma(let search): .cma(search.restarted())
    case .restarted(let search): .restarted(search.restarted())
    case .natural(let search): .natural(search.restarted())
    case .antithetic(let search): .antithetic(search.restarted())
    case .random(let search): .random(search.restarted())
    }
  }

  public mutating func update(_ asked: Population, losses: [Double]) throws {
    switch self {
    case .cma(let search): self = .cma(try search.tell(asked, losses: losses))
    case .restarted(let search): self = .restarted(try search.tell(asked, losses: losses))
    case .natural(let search): self = .natural(try search.tell(asked, losses: losses))
    case .antithetic(let search): self = .antithetic(try search.tell(asked, losses: losses))
    case .random(let search): self = .random(try search.tell(asked, losses: losses))
    }
  }
}
