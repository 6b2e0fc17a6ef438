import Tensors

extension Chart {
  /// Something drawn in a chart, with its name in the legend.
  public struct Series: Sendable, Equatable {
    enum Mark: Sendable, Equatable {
      case line(x: [Double], y: [Double], markers: Bool, dashed: Bool)
      case band(x: [Double], lower: [Double], upper: [Double])
      case points(x: [Double], y: [Double], errors: [Double], shades: [Double])
      case bars(x: [Double], heights: [Double])
      case histogram(edges: [Double], counts: [Double])
      case ellipse(x: Double, y: Double, Covariance, sigmas: [Double])
      case level(Double, isVertical: Bool)
      case labels(x: [Double], y: [Double], [String])
      case cells(rows: [[Double]])
    }

    struct Covariance: Sendable, Equatable {
      var xx: Double
      var xy: Double
      var yy: Double
    }

    public var name: String
    /// By default the palette's colours in turn.
    public var color: Color?
    var mark: Mark

    init(_ name: String, _ mark: Mark, color: Color?) {
      self.name = name
      self.mark = mark
      self.color = color
    }

    /// A curve through points; NaN interrupts it. Markers are set where there are few points,
    /// unless `markers` says otherwise; without `x`, points are numbered from 0.
    public static func line(
      _ name: String, x: [Double]? = nil, y: [Double], markers: Bool? = nil, dashed: Bool = false,
      color: Color? = nil
    ) -> Series {
      let markers = markers ?? (y.count <= 25)
      return Series(
        name, .line(x: x ?? numbered(y), y: y, markers: markers, dashed: dashed), color: color)
    }

    /// The area between two curves: a spread, a confidence interval.
    public static func band(
      _ name: String = "", x: [Double]? = nil, lower: [Double], upper: [Double],
      color: Color? = nil
    ) -> Series {
      Series(name, .band(x: x ?? numbered(lower), lower: lower, upper: upper), color: color)
    }

    /// Single points, with a symmetric error each where `errors` has them. `shades` 0…1 colour the
    /// points along `Color.ramp` (by generation, by loss).
    public static func points(
      _ name: String, x: [Double]? = nil, y: [Double], errors: [Double] = [],
      shades: [Double] = [], color: Color? = nil
    ) -> Series {
      Series(
        name, .points(x: x ?? numbered(y), y: y, errors: errors, shades: shades), color: color)
    }

    /// Bars from zero: a spectrum, a count for each category.
    public static func bars(
      _ name: String = "", x: [Double]? = nil, heights: [Double], color: Color? = nil
    ) -> Series {
      Series(name, .bars(x: x ?? numbered(heights), heights: heights), color: color)
    }

    /// How often values fall into each of `bins` intervals of a round width; without `bins` the
    /// width follows Freedman and Diaconis (1981). What is not finite is left out.
    public static func histogram(
      _ name: String = "", values: [Double], bins: Int? = nil, color: Color? = nil
    ) -> Series {
      let histogram = Histogram(values, bins: bins)
      return Series(
        name, .histogram(edges: histogram.edges, counts: histogram.counts), color: color)
    }

    /// Curves at `sigmas` standard deviations of a normal distribution in the plane.
    public static func ellipse(
      _ name: String = "", x: Double, y: Double, xx: Double, xy: Double, yy: Double,
      sigmas: [Double] = [1, 2], color: Color? = nil
    ) -> Series {
      Series(
        name, .ellipse(x: x, y: y, Covariance(xx: xx, xy: xy, yy: yy), sigmas: sigmas), color: color
      )
    }

    /// A dashed line across the chart at a height, such as a baseline's loss.
    public static func level(_ name: String, y: Double, color: Color? = nil) -> Series {
      Series(name, .level(y, isVertical: false), color: color)
    }

    /// A dashed line from bottom to top.
    public static func level(_ name: String, x: Double, color: Color? = nil) -> Series {
      Series(name, .level(x, isVertical: true), color: color)
    }

    /// Words beside points.
    public static func labels(x: [Double], y: [Double], _ texts: [String], color: Color? = nil)
      -> Series
    {
      Series("", .labels(x: x, y: y, texts), color: color)
    }

    /// A matrix as coloured cells: column j of row i is centred at (j, i), row 0 at the bottom.
    public static func cells(rows: [[Double]]) -> Series {
      Series("", .cells(rows: rows), color: nil)
    }

    private static func numbered(_ values: [Double]) -> [Double] { values.indices.map(Double.init) }

    /// Throws where lists that belong together differ in length.
    func check() throws {
      let counts: [(String, Int)]
      switch mark {
      case .line(let x, let y, _, _): counts = [("x", x.count), ("y", y.count)]
      case .band(let x, let lower, let upper):
        counts = [("x", x.count), ("lower", lower.count), ("upper", upper.count)]
      case .points(let x, let y, let errors, let shades):
        counts =
          [("x", x.count), ("y", y.count)] + (errors.isEmpty ? [] : [("errors", errors.count)])
          + (shades.isEmpty ? [] : [("shades", shades.count)])
      case .bars(let x, let heights): counts = [("x", x.count), ("heights", heights.count)]
      case .labels(let x, let y, let texts):
        counts = [("x", x.count), ("y", y.count), ("texts", texts.count)]
      case .cells(let rows):
        counts = rows.enumerated().map { ("row \($0)", $1.count) }
      case .histogram, .ellipse, .level: counts = []
      }
      guard let first = counts.first, let other = counts.first(where: { $0.1 != first.1 }) else {
        return
      }
      let what = name.isEmpty ? "a series" : "the series \(quoted(name))"
      throw EvokeError(
        .shape, "\(what) has \(first.1) values for \(first.0) and \(other.1) for \(other.0)")
    }
  }
}

/// Counts of values in intervals of equal, round width.
struct Histogram: Equatable {
  var edges: [Double] = []
  var counts: [Double] = []

  init(_ values: [Double], bins: Int?) {
    let sorted = values.filter(\.isFinite).sorted()
    guard let low = sorted.first, let high = sorted.last else { return }
    guard (high - low).isFinite else {
      edges = [low, high]
      counts = [Double(sorted.count)]
      return
    }
    if low == high {
      edges = [low - 0.5, low + 0.5]
      counts = [Double(sorted.count)]
      return
    }
    let count = min(max(bins ?? Self.freedmanDiaconis(sorted), 1), 200)
    let step = RoundStep(atLeast: (high - low) / Double(count))
    let ends = [(low / step.value).rounded(.down), (high / step.value).rounded(.up)]
    // Where doubles are coarser than the step, or end, there is no round one.
    guard ends.allSatisfy({ abs($0) < 1e15 }) else {
      edges = [low, high]
      counts = [Double(sorted.count)]
      return
    }
    let first = Int(ends[0])
    let last = max(Int(ends[1]), first + 1)
    edges = (first...last).map { step.multiple($0) }
    counts = [Double](repeating: 0, count: last - first)
    for value in sorted {
      let bin = Int((value / step.value).rounded(.down)) - first
      counts[min(max(bin, 0), counts.count - 1)] += 1
    }
  }

  private static func freedmanDiaconis(_ sorted: [Double]) -> Int {
    let spread = sorted[sorted.count * 3 / 4] - sorted[sorted.count / 4]
    let range = sorted[sorted.count - 1] - sorted[0]
    guard spread > 0 else { return 20 }
    let width = 2 * spread / Elementary.pow(Double(sorted.count), 1 / 3)
    return Int(min(range / width, 200).rounded(.up))
  }
}
