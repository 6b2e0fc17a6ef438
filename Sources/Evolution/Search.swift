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
