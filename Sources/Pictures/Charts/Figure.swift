import Tensors

/// Several charts side by side under a common title.
public struct Figure: Sendable, Equatable {
  public var title: String
  public var charts: [Chart]
  public var columns: Int

  public init(title: String = "", charts: [Chart], columns: Int = 2) {
    self.title = title
    self.charts = charts
    self.columns = max(1, columns)
  }

  /// The figure painted with `scale` pixels a point; throws as `Chart.picture` does.
  public func picture(scale: Double = 2) throws -> Picture {
    try layout().checkedPicture(scale: scale, name: "figure")
  }

  /// The figure as a self-contained SVG document.
  public func svg() throws -> String { try layout().svg() }

  func layout() throws -> Drawing {
    guard !charts.isEmpty else { throw EvokeError(.value, "a figure needs at least one chart") }
    let top = title.isEmpty ? 0.0 : 44.0
    var drawing = Drawing(width: 0, height: top)
    drawing.title = title
    if !title.isEmpty {
      drawing.items.append(
        .text(
          Drawing.Text(text: title, position: Point(16, 34), size: 20, font: .medium)))
    }
    for start in stride(from: 0, to: charts.count, by: columns) {
      let row = charts[start..<min(start + columns, charts.count)]
      var x = 0.0
      for chart in row {
        drawing.items += try chart.layout().moved(x: x, y: drawing.height)
        x += chart.width
      }
      drawing.width = max(drawing.width, x)
      drawing.height += row.map(\.height).max() ?? 0
    }
    return drawing
  }
}
