import Tensors

/// A plot of one or several series over two axes, to be painted or written as SVG: the same bytes
/// for the same data on every machine.
public struct Chart: Sendable, Equatable {
  public struct Axis: Sendable, Equatable {
    public enum Scale: String, Sendable, CaseIterable {
      case linear
      /// Values that are not positive are left out.
      case logarithmic
    }

    /// What is measured, with its unit: "loss (MSE)".
    public var label: String
    public var scale: Scale
    /// What is shown; the data's extent by default.
    public var range: ClosedRange<Double>?
    /// Names of the positions 0, 1, 2, … in place of numbers.
    public var categories: [String]

    public init(
      _ label: String = "", scale: Scale = .linear, range: ClosedRange<Double>? = nil,
      categories: [String] = []
    ) {
      self.label = label
      self.scale = scale
      self.range = range
      self.categories = categories
    }
  }

  public var title: String
  public var subtitle: String
  public var x: Axis
  public var y: Axis
  /// Drawn in this order; those that have a name are in the legend.
  public var series: [Series]
  /// One unit is as long on both axes, as maps and projections need it.
  public var hasEqualUnits: Bool
  /// In points.
  public var width: Double
  public var height: Double

  public init(
    title: String = "", subtitle: String = "", x: Axis = Axis(), y: Axis = Axis(),
    series: [Series] = [], hasEqualUnits: Bool = false, width: Double = 640, height: Double = 400
  ) {
    self.title = title
    self.subtitle = subtitle
    self.x = x
    self.y = y
    self.series = series
    self.hasEqualUnits = hasEqualUnits
    self.width = width
    self.height = height
  }

  /// The chart painted with `scale` pixels a point.
  ///
  /// Throws `EvokeError` where a series' lists differ in length, nothing is there to be drawn, or
  /// the picture would be too large.
  public func picture(scale: Double = 2) throws -> Picture {
    try layout().checkedPicture(scale: scale, name: "chart")
  }

  /// The chart as a self-contained SVG document.
  public func svg() throws -> String { try layout().svg() }

  func layout() throws -> Drawing {
    for series in series { try series.check() }
    guard width >= 160, height >= 120 else {
      throw EvokeError(
        .value, "a chart of \(decimal(width)) × \(decimal(height)) points has no room for its data",
        hint: "use at least 160 × 120")
    }
    for axis in [x, y] {
      if let range = axis.range, !range.lowerBound.isFinite || !range.upperBound.isFinite {
        throw EvokeError(.value, "an axis needs finite ends, not \(range)")
      }
    }
    return ChartLayout(self).drawing
  }

  /// Charts of the same thing as an animation: all of them show the same ranges.
  public static func animation(
    _ charts: [Chart], milliseconds: Int = 200, last: Int? = nil, scale: Double = 2
  ) throws -> Animation {
    let frames = try withSharedRanges(charts).map { try $0.picture(scale: scale) }
    return try Animation(frames: frames, milliseconds: milliseconds, last: last)
  }

  /// Charts of the same thing as one SVG document, over the same ranges: elements of the class `step`
  /// belong to the chart whose number, from 0, is their `data-step`; the others to all charts.
  public static func steps(_ charts: [Chart]) throws -> String {
    try Drawing.svg(steps: withSharedRanges(charts).map { try $0.layout() })
  }

  /// The charts with axes that hold the data of all of them.
  private static func withSharedRanges(_ charts: [Chart]) throws -> [Chart] {
    for series in charts.flatMap(\.series) { try series.check() }
    let extents = charts.map { ChartExtent($0) }
    let keepsZero = extents.contains { $0.startsAtZero }
    func common(_ axis: Axis, _ ranges: [ClosedRange<Double>?]) -> ClosedRange<Double>? {
      guard let range = ChartExtent.union(ranges) else { return axis.range }
      return ChartScale(axis, extent: range, margin: 0.05, keepsZero: keepsZero).range
    }
    return charts.map { chart in
      var chart = chart
      chart.x.range = common(chart.x, extents.map(\.x))
      chart.y.range = common(chart.y, extents.map(\.y))
      return chart
    }
  }
}
