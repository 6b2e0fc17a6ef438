import Tensors

/// A box for the candidates: a piecewise linear and quadratic map, periodic and continuously
/// differentiable, from all of space onto the box, the identity away from its faces.
///
/// The search itself stays unbounded. As pycma's `BoundTransform` (Hansen et al. 2009's
/// alternative to penalties): near a face at b the margin is min((u − l)/2, max(1, |b|)/20).
public struct Bounds: Sendable, Equatable, Codable {
  /// One a coordinate; nil where there is no bound.
  public let lower: [Double?]
  public let upper: [Double?]

  /// - Throws: `EvokeError` when the counts differ or a lower bound is not below its upper one.
  public init(lower: [Double?], upper: [Double?]) throws {
    guard lower.count == upper.count else {
      throw EvokeError(
        .shape, "\(lower.count) lower bounds beside \(upper.count) upper ones")
    }
    for (i, (l, u)) in zip(lower, upper).enumerated() {
      if let l, let u, !(l < u) {
        throw EvokeError(.value, "the lower bound \(l) of coordinate \(i) is not below \(u)")
      }
      if (l.map { !$0.isFinite } ?? false) || (u.map { !$0.isFinite } ?? false) {
        throw EvokeError(.value, "a bound of coordinate \(i) is not finite", hint: "use nil")
      }
    }
    self.lower = lower
    self.upper = upper
  }

  /// The same interval for all `dimension` coordinates.
  public init(dimension: Int, _ interval: ClosedRange<Double>) throws {
    try self.init(
      lower: .init(repeating: interval.lowerBound, count: dimension),
      upper: .init(repeating: interval.upperBound, count: dimension))
  }

  private func margins(_ i: Int) -> (lower: Double, upper: Double) {
    func width(_ bound: Double) -> Double { max(1, abs(bound)) / 20 }
    switch (lower[i], upper[i]) {
    case (let l?, let u?): return (min((u - l) / 2, width(l)), min((u - l) / 2, width(u)))
    case (let l?, nil): return (width(l), 1)
    case (nil, let u?): return (1, width(u))
    case (nil, nil): return (1, 1)
    }
  }

  /// The point of the box that an unbounded point stands for.
  public func inside(_ point: [Double]) -> [Double] {
    point.indices.map { i in
      let (al, au) = margins(i)
      var x = point[i]
      if let l = lower[i], let u = upper[i] {
        let start = l - 2 * al - (u - l) / 2
        if x < start || x > u + 2 * au + (u - l) / 2 {
          let period = 2 * (u - l + al + au)
          x -= period * ((x - start) / period).rounded(.down)
        }
      }
      if let u = upper[i], x > u + au { x -= 2 * (x - u - au) }
      if let l = lower[i], x < l - al { x += 2 * (l - al - x) }
      if let l = lower[i], x < l + al { return l + (x - (l - al)) * (x - (l - al)) / (4 * al) }
      if let u = upper[i], x > u - au { return u - (x - (u + au)) * (x - (u + au)) / (4 * au) }
      return x
    }
  }

  /// The unbounded point nearest the middle that stands for a point of the box; points outside
  /// are moved to the nearest face first.
  public func preimage(_ point: [Double]) -> [Double] {
    point.indices.map { i in
      let (al, au) = margins(i)
      var x = point[i]
      if let l = lower[i] { x = max(x, l) }
      if let u = upper[i] { x = min(x, u) }
      if let l = lower[i], x < l + al { return (l - al) + 2 * (al * (x - l)).squareRoot() }
      if let u = upper[i], x > u - au { return (u + au) - 2 * (au * (u - x)).squareRoot() }
      return x
    }
  }
}
