import Tensors

/// Random search: the floor under every other. Normal draws around the start (`global`), or around
/// the best point so far (`local`).
public struct RandomSearch: Search, Equatable {
  public enum Kind: String, Sendable, Codable, CaseIterable {
    case global, local
  }

  public let kind: Kind
  public let dimension: Int
  public let population: Int
  public let sigma: Double
  let random: Philox
  public private(set) var generation = 0
  public private(set) var evaluations = 0
  public private(set) var best: Evaluated?

  public var stoppingReasons: [StoppingReason] { [] }
  /// The best point so far.
  public var mean: [Double] { best?.point ?? .init(repeating: 0, count: dimension) }

  public init(
    _ kind: Kind = .global, dimension: Int, sigma: Double, population: Int, random: Philox
  ) throws {
    try checkSearch(dimension: dimension, sigma: sigma, population: population)
    self.kind = kind
    self.dimension = dimension
    self.population = population
    self.sigma = sigma
    self.random = random
  }

  public var covarianceMatrix: Matrix { Matrix(identity: dimension) }

  public func restarted() -> RandomSearch {
    var first = self
    first.generation = 0
    first.evaluations = 0
    first.best = nil
    return first
  }

  public func ask() -> Population {
    var draws = random.derived(generation)
    let centre = kind == .local ? mean : .init(repeating: 0, count: dimension)
    let normals = draws.normals(population * dimension)
    return Population(
      candidates: (0..<population).map { k in
        (0..<dimension).map { centre[$0] + sigma * normals[k * dimension + $0] }
      }, generation: generation, steps: normals, normals: normals)
  }

  public mutating func update(_ asked: Population, losses: [Double]) throws {
    try check(asked, losses)
    best = bestOf(asked, losses, ranking(of: losses))
    evaluations += population
    generation += 1
  }
}
