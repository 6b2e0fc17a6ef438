/// Where everything of a chart stands.
struct ChartLayout {
  let chart: Chart
  private(set) var drawing: Drawing
  private(set) var x: ChartScale
  private(set) var y: ChartScale
  /// Where the data are drawn.
  private(set) var plot: Rectangle
  private let hasBars: Bool

  static let tickSize = 12.0
  static let labelSize = 13.0
  static let ink = Color(0x222222)
  static let quiet = Color(0x555555)
  private static let margin = 16.0
  private static let gridColor = Color(0xe7e7e7)
  private static let axisColor = Color(0x8a8a8a)

  init(_ chart: Chart) {
    self.chart = chart
    drawing = Drawing(width: chart.width, height: chart.height)
    drawing.title = chart.title
    let extent = ChartExtent(chart)
    let hasCells = chart.series.contains { if case .cells = $0.mark { true } else { false } }
    hasBars = extent.startsAtZero
    x = ChartScale(chart.x, extent: extent.x, margin: hasCells ? 0 : hasBars ? 0.01 : 0.03)
    y = ChartScale(chart.y, extent: extent.y, margin: hasCells ? 0 : 0.06, keepsZero: hasBars)
    plot = Rectangle(x: 0, y: Self.margin, width: 0, height: 0)
    placeTitle()
    placeLegend()
    placePlot(colorBar: hasCells ? colorRange : nil)
    drawAxes(overData: false)
    drawing.items.append(.clipped(clip, drawnSeries()))
    drawAxes(overData: true)
  }

  // MARK: - Title and legend

  private mutating func placeTitle() {
    let width = chart.width - 2 * Self.margin
    let parts = [
      (chart.title, 16.0, 20.0, Font.medium, Self.ink),
      (chart.subtitle, 12.0, 16.0, Font.regular, Self.quiet),
    ]
    for (text, size, leading, font, color) in parts where !text.isEmpty {
      for line in font.wrapped(text, size: size, width: width, most: 2) {
        plot.y += leading
        write(line, Point(Self.margin, plot.y - leading * 0.25), size, color, font: font)
      }
    }
    if plot.y > Self.margin { plot.y += 6 }
  }

  /// The named series in lines below the title, so that nothing is ever covered.
  private mutating func placeLegend() {
    let keyWidth = 22.0
    let between = 18.0
    var position = Point(Self.margin, plot.y)
    var isEmpty = true
    for (series, style) in styled where !series.name.isEmpty {
      let most = chart.width - 2 * Self.margin - keyWidth - 6
      let name = Font.regular.elided(series.name, size: Self.tickSize, width: most)
      let width = keyWidth + 6 + Font.regular.width(of: name, size: Self.tickSize)
      if !isEmpty, position.x + width > chart.width - Self.margin {
        position = Point(Self.margin, position.y + 18)
      }
      let key = Rectangle(x: position.x, y: position.y + 3, width: keyWidth, height: 12)
      drawing.items += legendKey(series.mark, style, in: key)
      write(
        name, Point(position.x + keyWidth + 6, position.y + 13), Self.tickSize, Self.ink)
      position.x += width + between
      isEmpty = false
    }
    if !isEmpty { plot.y = position.y + 26 }
  }

  // MARK: - The plot's place

  private mutating func placePlot(colorBar: ClosedRange<Double>?) {
    let below = (chart.x.label.isEmpty ? 26.0 : 46.0) + (chart.x.categories.isEmpty ? 0 : 2)
    plot.height = max(20, chart.height - below - plot.y - 4)
    (y.from, y.to) = (plot.y + plot.height, plot.y)
    let labelWidth = yTicks.map { Font.regular.width(of: $0.label, size: Self.tickSize) }.max() ?? 0
    plot.x = (labelWidth + 14 + (chart.y.label.isEmpty ? 8 : 26)).rounded(.up)
    plot.width = max(20, chart.width - plot.x - Self.margin - 4)
    if let colorBar {
      let ticks = Ticks.linear(colorBar, count: max(2, Int(plot.height / 60)))
      let width = ticks.map { Font.regular.width(of: $0.label, size: Self.tickSize) }.max() ?? 0
      plot.width -= width + 34
      drawColorBar(colorBar, ticks)
    }
    (x.from, x.to) = (plot.x, plot.x + plot.width)
    if chart.hasEqualUnits, x.scale == .linear, y.scale == .linear {
      let points = min(x.pointsPerUnit, y.pointsPerUnit)
      x = x.widened(toPointsPerUnit: points)
      y = y.widened(toPointsPerUnit: points)
    }
  }

  /// A little more than the plot, so that markers on its edge are whole.
  private var clip: Rectangle {
    let isGiven = chart.x.range != nil || chart.y.range != nil
    let free = isGiven ? 0.0 : 4.0
    return Rectangle(
      x: plot.x - free, y: plot.y - free, width: plot.width + 2 * free,
      height: plot.height + 2 * free)
  }

  private mutating func drawColorBar(_ range: ClosedRange<Double>, _ ticks: [Tick]) {
    let bar = Rectangle(x: plot.right + 12, y: plot.y, width: 12, height: plot.height)
    let steps = 64
    for step in 0..<steps {
      let height = bar.height / Double(steps)
      drawing.items.append(
        .box(
          Rectangle(
            x: bar.x, y: bar.bottom - Double(step + 1) * height, width: bar.width, height: height),
          .ramp(Double(step) / Double(steps - 1))))
    }
    for tick in ticks {
      let share = (tick.value - range.lowerBound) / (range.upperBound - range.lowerBound)
      let position = Point(bar.right + 6, bar.bottom - share * bar.height + 4)
      write(tick.label, position, Self.tickSize, Self.quiet)
    }
  }

  /// The values of all cells.
  var colorRange: ClosedRange<Double>? {
    let values = chart.series.flatMap { series -> [Double] in
      if case .cells(let rows) = series.mark { rows.joined().filter(\.isFinite) } else { [] }
    }
    guard let low = values.min(), let high = values.max() else { return nil }
    return low < high ? low...high : low - 0.5...high + 0.5
  }

  // MARK: - Axes

  private var yTicks: [Tick] {
    categoryTicks(chart.y) ?? y.ticks(count: max(2, Int(plot.height / 48)))
  }

  private var xTicks: [Tick] {
    categoryTicks(chart.x) ?? x.ticks(count: max(2, Int(plot.width / 80)))
  }

  private func categoryTicks(_ axis: Chart.Axis) -> [Tick]? {
    if axis.categories.isEmpty { return nil }
    return axis.categories.enumerated().map { Tick(value: Double($0), label: $1) }
  }

  private mutating func drawAxes(overData: Bool) {
    let grid = Pen(color: Self.gridColor, width: 1)
    if overData {
      let pen = Pen(color: Self.axisColor, width: 1)
      drawing.items.append(.rule(Point(plot.x, plot.bottom), Point(plot.right, plot.bottom), pen))
      if let zero = zeroLine { drawing.items.append(zero) }
      return
    }
    for tick in yTicks {
      let height = y.position(tick.value)
      guard height >= plot.y - 0.5, height <= plot.bottom + 0.5 else { continue }
      drawing.items.append(.rule(Point(plot.x, height), Point(plot.right, height), grid))
      write(
        tick.label, Point(plot.x - 8, height + 4), Self.tickSize, Self.quiet, anchor: .end)
    }
    drawXTicks(grid)
    write(
      chart.x.label, Point(plot.x + plot.width / 2, plot.bottom + 39), Self.labelSize, Self.ink,
      anchor: .middle)
    drawing.items.append(
      .text(
        Drawing.Text(
          text: Font.regular.elided(chart.y.label, size: Self.labelSize, width: chart.height - 16),
          position: Point(Self.margin + 8, plot.y + plot.height / 2), size: Self.labelSize,
          color: Self.ink, anchor: .middle, isUpright: true)))
  }

  private mutating func drawXTicks(_ grid: Pen) {
    let isCategorical = !chart.x.categories.isEmpty
    let room = isCategorical ? x.pointsPerUnit - 6 : plot.width
    var free = -Double.infinity  // where the last label ended
    for tick in xTicks {
      let across = x.position(tick.value)
      guard across >= plot.x - 0.5, across <= plot.right + 0.5 else { continue }
      if !isCategorical {
        drawing.items.append(.rule(Point(across, plot.y), Point(across, plot.bottom), grid))
      }
      let label = Font.regular.elided(tick.label, size: Self.tickSize, width: max(room, 24))
      let half = Font.regular.width(of: label, size: Self.tickSize) / 2
      if label.isEmpty || across - half < free { continue }
      free = across + half + 6
      write(
        label, Point(across, plot.bottom + 19), Self.tickSize, Self.quiet, anchor: .middle)
    }
  }

  /// Where bars have negative values too, the line that they start from.
  private var zeroLine: Drawing.Item? {
    guard hasBars, y.scale == .linear, y.range.lowerBound < 0, y.range.upperBound > 0 else {
      return nil
    }
    let height = y.position(0)
    return .rule(
      Point(plot.x, height), Point(plot.right, height), Pen(color: Self.axisColor, width: 1))
  }

  private mutating func write(
    _ text: String, _ position: Point, _ size: Double, _ color: Color,
    anchor: Drawing.Anchor = .start, font: Font = .regular
  ) {
    if text.isEmpty { return }
    drawing.items.append(
      .text(
        Drawing.Text(
          text: text, position: position, size: size, color: color, anchor: anchor, font: font)))
  }
}
