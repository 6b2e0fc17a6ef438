import Tensors

/// The smallest ranges that hold a chart's data.
struct ChartExtent {
  private(set) var x: ClosedRange<Double>?
  private(set) var y: ClosedRange<Double>?
  /// Bars and histograms begin at zero.
  private(set) var startsAtZero = false

  init(_ chart: Chart) {
    var xs: [Double] = []
    var ys: [Double] = []
    for series in chart.series {
      switch series.mark {
      case .line(let x, let y, _, _), .labels(let x, let y, _):
        xs += x
        ys += y
      case .band(let x, let lower, let upper):
        xs += x
        ys += lower + upper
      case .points(let x, let y, let errors, _):
        xs += x
        ys += errors.isEmpty ? y : zip(y, errors).flatMap { [$0 - $1, $0 + $1] }
      case .bars(let x, let heights):
        let half = barSpacing(x) / 2
        xs += x.flatMap { [$0 - half, $0 + half] }
        ys += heights
        startsAtZero = true
      case .histogram(let edges, let counts):
        xs += edges
        ys += counts
        startsAtZero = true
      case .ellipse(let x, let y, let covariance, let sigmas):
        let largest = sigmas.max() ?? 0
        let (dx, dy) = (covariance.xx.squareRoot() * largest, covariance.yy.squareRoot() * largest)
        xs += [x - dx, x + dx]
        ys += [y - dy, y + dy]
      case .level(let value, let isVertical):
        if isVertical { xs.append(value) } else { ys.append(value) }
      case .cells(let rows):
        xs += [-0.5, Double(rows.first?.count ?? 0) - 0.5]
        ys += [-0.5, Double(rows.count) - 0.5]
      }
    }
    x = Self.range(xs, chart.x.scale)
    y = Self.range(ys, chart.y.scale)
  }

  static func union(_ ranges: [ClosedRange<Double>?]) -> ClosedRange<Double>? {
    let present = ranges.compactMap { $0 }
    guard let low = present.map(\.lowerBound).min(), let high = present.map(\.upperBound).max()
    else { return nil }
    return low...high
  }

  private static func range(_ values: [Double], _ scale: Chart.Axis.Scale) -> ClosedRange<Double>? {
    let shown = values.filter { $0.isFinite && (scale == .linear || $0 > 0) }
    guard let low = shown.min(), let high = shown.max() else { return nil }
    return low...high
  }
}

/// The distance of neighbouring bars.
func barSpacing(_ x: [Double]) -> Double {
  let sorted = x.filter(\.isFinite).sorted()
  let gaps = zip(sorted.dropFirst(), sorted).map { $0 - $1 }.filter { $0 > 0 }
  return gaps.min() ?? 1
}

/// How an axis' values lie on the drawing.
struct ChartScale {
  let range: ClosedRange<Double>
  let scale: Chart.Axis.Scale
  /// Where the range's ends lie.
  var from: Double
  var to: Double

  private let low: Double
  private let high: Double

  /// `margin` is the share of the length that is left free at each end of a range that is not given.
  init(
    _ axis: Chart.Axis, extent: ClosedRange<Double>?, margin: Double, keepsZero: Bool = false
  ) {
    let data = axis.range ?? extent
    // A logarithmic axis needs positive ends; without any, the axis is linear.
    let isLogarithmic = axis.scale == .logarithmic && data.map { $0.lowerBound > 0 } ?? false
    scale = isLogarithmic ? .logarithmic : .linear
    let transform = { isLogarithmic ? Self.log10($0) : $0 }
    var (low, high) = data.map { (transform($0.lowerBound), transform($0.upperBound)) } ?? (0, 1)
    if keepsZero, !isLogarithmic, axis.range == nil { (low, high) = (min(low, 0), max(high, 0)) }
    if low == high {
      // One value: a range around it.
      let half = isLogarithmic ? 0.5 : low == 0 ? 1 : abs(low) * 0.1
      (low, high) = (low - half, high + half)
    } else if axis.range == nil {
      let free = (high - low) * margin
      let isBottomZero = keepsZero && low == 0
      let isTopZero = keepsZero && high == 0
      (low, high) = (isBottomZero ? 0 : low - free, isTopZero ? 0 : high + free)
    }
    self.low = low
    self.high = high
    range =
      isLogarithmic
      ? Elementary.pow(10, low)...max(Elementary.pow(10, low), Elementary.pow(10, high))
      : low...high
    (from, to) = (0, 1)
  }

  private static func log10(_ value: Double) -> Double {
    Elementary.log(value) / 2.302_585_092_994_045_7
  }

  /// Where a value lies; NaN where it cannot be shown.
  func position(_ value: Double) -> Double {
    guard value.isFinite, scale == .linear || value > 0 else { return .nan }
    let shown = scale == .logarithmic ? Self.log10(value) : value
    return from + (shown - low) / (high - low) * (to - from)
  }

  /// Points of the drawing a unit of the axis takes.
  var pointsPerUnit: Double { abs(to - from) / (high - low) }

  /// The scale with as much more range, on both sides alike, as `pointsPerUnit` asks for.
  func widened(toPointsPerUnit target: Double) -> ChartScale {
    let length = abs(to - from) / target
    let middle = low + (high - low) / 2
    guard length.isFinite, middle.isFinite else { return self }
    let axis = Chart.Axis(scale: scale, range: middle - length / 2...middle + length / 2)
    var result = ChartScale(axis, extent: nil, margin: 0)
    (result.from, result.to) = (from, to)
    return result
  }

  func ticks(count: Int) -> [Tick] {
    scale == .logarithmic
      ? Ticks.logarithmic(range, count: count) : Ticks.linear(range, count: count)
  }
}
