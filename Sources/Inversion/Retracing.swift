import Evolution
import Tensors

/// A generation of a search seen again: the distribution that it was drawn from, and its candidates.
public struct RetracedGeneration: Sendable {
  /// Counted from 1.
  public let generation: Int
  /// The distribution's mean before the generation was judged.
  public let mean: [Double]
  /// σ² C, the distribution's covariance.
  public let covariance: Matrix
  public let candidates: [[Double]]
  public let losses: [Double]
}

extension EvolutionRun {
  /// Every generation again, from the losses that were recorded: the search alone is run, not the
  /// model, and takes the same way to the last bit.
  public func retraced() throws -> [RetracedGeneration] {
    var search = search.restarted()
    return try history.map { report in
      let asked = search.ask()
      let (variance, covariance) = (search.sigma * search.sigma, search.covarianceMatrix)
      let seen = RetracedGeneration(
        generation: report.generation, mean: search.mean,
        covariance: Matrix(
          rows: covariance.rows, columns: covariance.columns,
          values: covariance.values.map { variance * $0 }),
        candidates: asked.candidates, losses: report.losses)
      try search.update(asked, losses: report.losses)
      return seen
    }
  }

  /// The distribution's mean after `generation` generations, [ambient]; e_0 after none.
  public func meanEmbedding(after generation: Int) throws -> Tensor {
    var search = search.restarted()
    for report in history.prefix(max(0, generation)) {
      try search.update(search.ask(), losses: report.losses)
    }
    return subspace.embedding(search.mean)
  }
}

/// Two directions to look at a search from: from the start towards its answer, and, square to that,
/// the one along which its candidates are spread widest.
public struct SearchView: Sendable {
  private let origin: [Double]
  private let axes: [[Double]]

  public init(_ generations: [RetracedGeneration], towards answer: [Double]) {
    let start = generations.first?.mean ?? answer
    origin = start
    let dimension = answer.count
    let way = zip(answer, start).map { $0 - $1 }
    let first = Self.unit(way) ?? (0..<dimension).map { $0 == 0 ? 1 : 0 }
    let offsets = generations.flatMap { generation in
      generation.candidates.map { candidate in
        let offset = zip(candidate, start).map { $0 - $1 }
        let along = Self.dot(offset, first)
        return zip(offset, first).map { $0 - along * $1 }
      }
    }
    axes = [first, Self.widest(offsets) ?? Self.square(to: first)]
  }

  /// Where a point lies, along the way and across it.
  public func place(_ point: [Double]) -> (x: Double, y: Double) {
    let offset = zip(point, origin).map { $0 - $1 }
    return (Self.dot(offset, axes[0]), Self.dot(offset, axes[1]))
  }

  /// The covariance of what is seen.
  public func covariance(_ matrix: Matrix) -> (xx: Double, xy: Double, yy: Double) {
    let products = axes.map { axis in
      (0..<matrix.rows).map { row in
        Self.dot((0..<matrix.columns).map { matrix.values[row * matrix.columns + $0] }, axis)
      }
    }
    return (
      Self.dot(axes[0], products[0]), Self.dot(axes[0], products[1]),
      Self.dot(axes[1], products[1])
    )
  }

  private static func dot(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for (x, y) in zip(a, b) { sum += x * y }
    return sum
  }

  private static func unit(_ vector: [Double]) -> [Double]? {
    let length = dot(vector, vector).squareRoot()
    return length > 0 && length.isFinite ? vector.map { $0 / length } : nil
  }

  /// The leading principal direction of some offsets, by power iteration from the longest of them.
  private static func widest(_ offsets: [[Double]]) -> [Double]? {
    guard let longest = offsets.max(by: { dot($0, $0) < dot($1, $1) }),
      var direction = unit(longest)
    else { return nil }
    for _ in 0..<30 {
      var next = [Double](repeating: 0, count: direction.count)
      for offset in offsets {
        let share = dot(offset, direction)
        for index in next.indices { next[index] += share * offset[index] }
      }
      guard let found = unit(next) else { break }
      direction = found
    }
    return direction
  }

  /// Some direction at a right angle to a unit vector; zero where there is only one dimension.
  private static func square(to axis: [Double]) -> [Double] {
    guard axis.count > 1 else { return [0] }
    let smallest = axis.indices.min { abs(axis[$0]) < abs(axis[$1]) } ?? 0
    let other = axis.indices.map { ($0 == smallest ? 1 : 0) - axis[smallest] * axis[$0] }
    return unit(other) ?? other
  }
}
