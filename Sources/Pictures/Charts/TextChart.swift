/// A chart in letters, for terminals: braille dots inside labelled axes.
struct TextChart {
  private let columns: Int
  private let rows: Int
  private let inColor: Bool
  private var x: ChartScale
  private var y: ChartScale
  /// The dots of each cell, eight bits in braille's order, and the series drawn there last.
  private var dots: [UInt8]
  private var owner: [Int]

  /// The palette's colours among a terminal's 256, in its order.
  private static let colors = [33, 166, 35, 175, 214, 74, 244, 220]
  private static let bits: [[UInt8]] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]]

  init(_ chart: Chart, columns: Int, rows: Int, inColor: Bool) {
    self.columns = columns
    self.rows = rows
    self.inColor = inColor
    let extent = ChartExtent(chart)
    x = ChartScale(chart.x, extent: extent.x, margin: 0.02)
    y = ChartScale(chart.y, extent: extent.y, margin: 0.04, keepsZero: extent.startsAtZero)
    (x.from, x.to) = (0, Double(columns * 2 - 1))
    (y.from, y.to) = (Double(rows * 4 - 1), 0)
    if chart.hasEqualUnits, x.scale == .linear, y.scale == .linear {
      let points = min(x.pointsPerUnit, y.pointsPerUnit)
      x = x.widened(toPointsPerUnit: points)
      y = y.widened(toPointsPerUnit: points)
    }
    dots = .init(repeating: 0, count: columns * rows)
    owner = .init(repeating: 0, count: columns * rows)
    for (index, series) in chart.series.enumerated() { draw(series.mark, index) }
  }

  // MARK: - Dots

  private mutating func set(_ across: Double, _ down: Double, _ series: Int) {
    guard across.isFinite, down.isFinite else { return }
    let (i, j) = (Int(across.rounded()), Int(down.rounded()))
    guard (0..<columns * 2).contains(i), (0..<rows * 4).contains(j) else { return }
    let cell = j / 4 * columns + i / 2
    dots[cell] |= Self.bits[i % 2][j % 4]
    owner[cell] = series
  }

  private mutating func line(_ a: Point, _ b: Point, _ series: Int) {
    guard a.isFinite, b.isFinite else { return }
    let far = 4.0 * Double(columns * 2 + rows * 4)
    let steps = max(1, min(far, max(abs(b.x - a.x), abs(b.y - a.y)).rounded(.up)))
    for step in 0...Int(steps) {
      let share = Double(step) / steps
      set(a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share, series)
    }
  }

  private mutating func curve(_ xs: [Double], _ ys: [Double], _ series: Int) {
    let points = zip(xs, ys).map { Point(x.position($0), y.position($1)) }
    for (a, b) in zip(points, points.dropFirst()) { line(a, b, series) }
    for point in points { set(point.x, point.y, series) }
  }

  private mutating func bar(_ left: Double, _ right: Double, _ height: Double, _ series: Int) {
    let (from, to) = (x.position(left), x.position(right))
    let base = y.scale == .linear ? y.position(0) : y.from
    guard from.isFinite, to.isFinite, from <= to else { return }
    for across in stride(from: from.rounded(.up), through: to, by: 1) {
      line(Point(across, base), Point(across, y.position(height)), series)
    }
  }

  private mutating func draw(_ mark: Chart.Series.Mark, _ index: Int) {
    switch mark {
    case .line(let xs, let ys, _, _): curve(xs, ys, index)
    case .band(let xs, let lower, let upper):
      curve(xs, lower, index)
      curve(xs, upper, index)
    case .points(let xs, let ys, _, _):
      for (a, b) in zip(xs, ys) { set(x.position(a), y.position(b), index) }
    case .bars(let xs, let heights):
      let half = barSpacing(xs) * 0.42
      for (place, height) in zip(xs, heights) { bar(place - half, place + half, height, index) }
    case .histogram(let edges, let counts):
      for (bin, count) in counts.enumerated() { bar(edges[bin], edges[bin + 1], count, index) }
    case .ellipse(let cx, let cy, let covariance, let sigmas):
      let first = max(covariance.xx, 0).squareRoot()
      let skew = first > 0 ? covariance.xy / first : 0
      let second = max(covariance.yy - skew * skew, 0).squareRoot()
      for sigma in sigmas {
        let path = Path(
          ellipseAt: Point(x.position(cx), y.position(cy)),
          Point(first * x.pointsPerUnit, -skew * y.pointsPerUnit) * sigma,
          Point(0, -second * y.pointsPerUnit) * sigma)
        let outline = path.flattened().first ?? []
        for (a, b) in zip(outline, outline.dropFirst()) { line(a, b, index) }
      }
    case .level(let value, let isVertical):
      let place = isVertical ? x.position(value) : y.position(value)
      let length = isVertical ? rows * 4 : columns * 2
      for step in stride(from: 0, to: length, by: 3) {
        isVertical ? set(place, Double(step), index) : set(Double(step), place, index)
      }
    case .labels, .cells: break
    }
  }

  // MARK: - Lines of text

  /// The chart: title, legend, the dots with the vertical axis' labels, the horizontal axis.
  func lines(_ chart: Chart) -> [String] {
    let ticks = labelledRows(chart)
    let width = max(ticks.values.map(\.count).max() ?? 0, 1)
    let margin = String(repeating: " ", count: width)
    var lines = chart.title.isEmpty ? [] : ["\(margin)  \(chart.title)"]
    let legend = chart.series.enumerated().filter { !$1.name.isEmpty }
      .map { painted("━", $0) + " " + $1.name }
    if !legend.isEmpty { lines.append("\(margin)  " + legend.joined(separator: "   ")) }
    if !chart.y.label.isEmpty { lines.append("\(margin)  \(chart.y.label)") }
    for row in 0..<rows {
      let label = ticks[row] ?? ""
      let pad = String(repeating: " ", count: width - label.count)
      lines.append(pad + label + (label.isEmpty ? " │" : " ┤") + drawn(row))
    }
    let (rule, labels) = horizontalAxis(chart)
    lines += ["\(margin) └\(rule)", "\(margin)  \(labels)"]
    if !chart.x.label.isEmpty {
      let indent = String(repeating: " ", count: max(0, (columns - chart.x.label.count) / 2))
      lines.append("\(margin)  \(indent)\(chart.x.label)")
    }
    return lines
  }

  private func drawn(_ row: Int) -> String {
    var text = ""
    for cell in row * columns..<(row + 1) * columns {
      let letter = dots[cell] == 0 ? " " : String(UnicodeScalar(0x2800 + UInt32(dots[cell])) ?? " ")
      text += dots[cell] == 0 ? letter : painted(letter, owner[cell])
    }
    while text.last == " " { text.removeLast() }
    return text
  }

  private func painted(_ text: String, _ series: Int) -> String {
    guard inColor else { return text }
    return "\u{1b}[38;5;\(Self.colors[series % Self.colors.count])m\(text)\u{1b}[0m"
  }

  private func labelledRows(_ chart: Chart) -> [Int: String] {
    var labels: [Int: String] = [:]
    for tick in y.ticks(count: max(2, rows / 3)) where !tick.label.isEmpty {
      let row = Int(y.position(tick.value).rounded()) / 4
      if (0..<rows).contains(row), labels[row] == nil { labels[row] = tick.label }
    }
    return labels
  }

  private func horizontalAxis(_ chart: Chart) -> (rule: String, labels: String) {
    var rule = Array(repeating: Character("─"), count: columns)
    var labels = Array(repeating: Character(" "), count: columns)
    var free = 0
    let named = chart.x.categories.enumerated().map { Tick(value: Double($0), label: $1) }
    for tick in named.isEmpty ? x.ticks(count: max(2, columns / 14)) : named {
      let place = Int(x.position(tick.value).rounded()) / 2
      guard (0..<columns).contains(place) else { continue }
      rule[place] = "┬"
      let label = Array(tick.label)
      let start = min(max(0, place - label.count / 2), columns - label.count)
      guard start >= free, !label.isEmpty else { continue }
      labels.replaceSubrange(start..<start + label.count, with: label)
      free = start + label.count + 1
    }
    return (String(rule), String(labels))
  }
}

extension Chart {
  /// The chart as lines of text, at most `columns` wide and about `rows` high.
  ///
  /// Throws `EvokeError` where series' lists differ in length.
  public func text(columns: Int, rows: Int, inColor: Bool) throws -> [String] {
    for series in series { try series.check() }
    // Room for the labels of the vertical axis.
    let inner = max(16, columns - 12)
    return TextChart(self, columns: inner, rows: max(4, rows), inColor: inColor).lines(self)
  }
}
