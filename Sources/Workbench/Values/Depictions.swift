import Language
import Pictures

extension ImagesValue: Depictable {
  public func depictions() throws -> [Depiction] {
    if pictures.isEmpty { return [] }
    return [
      .images(
        try zip(pictures, names).map { picture, name in
          Depiction.Image(
            try picture.pngData(), width: picture.width, height: picture.height, caption: name)
        })
    ]
  }
}

extension PlotValue: Depictable {
  public func depictions() throws -> [Depiction] {
    [.drawing(svg: svg, narrow: try chart.narrow.svg())]
  }
}

extension SearchValue: Depictable {
  /// The population by generation; nothing before the first.
  public func depictions() throws -> [Depiction] {
    if run.history.isEmpty { return [] }
    // As wide as the population's, to stand beside it.
    var progress = Chart(progressOf: run)
    (progress.width, progress.height) = (440, 420)
    return [
      .drawing(svg: try progress.svg()),
      .steps(try PopulationCharts(run).steps),
    ]
  }
}

extension Chart {
  /// The same chart for the width of a phone.
  var narrow: Chart {
    var chart = self
    chart.width = min(width, 400)
    chart.height = min(height, 340)
    return chart
  }
}
