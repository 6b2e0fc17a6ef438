import Language
import Pictures

/// A chart: numbers that can be looked at, as a picture or as SVG.
public struct PlotValue: Object {
  public static let typeName = "Plot"
  public static let memberNames = ["title", "svg", "picture"]

  public let chart: Chart
  /// The chart as a self-contained SVG document; the same bytes for the same data.
  public let svg: String

  /// - Throws: `EvokeError` for a chart that cannot be drawn (no finite number, unequal lengths).
  public init(_ chart: Chart) throws {
    self.chart = chart
    svg = try chart.svg()
  }

  public var summary: String {
    let names = chart.series.map(\.name).filter { !$0.isEmpty }
    return ([chart.title] + (names.count > 1 ? [names.joined(separator: ", ")] : []))
      .filter { !$0.isEmpty }.joined(separator: ": ")
  }

  public func hash(into digest: inout Digest) { digest.string(svg) }

  public func member(_ name: String) throws -> Value? {
    switch name {
    case "title": .string(chart.title)
    case "svg": .string(svg)
    case "picture": .object(ImagesValue([try chart.picture()], names: [chart.title]))
    default: nil
    }
  }
}
