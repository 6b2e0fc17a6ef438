/// How a series is told from the others: by colour, and by the form of its points.
struct SeriesStyle {
  var color: Color
  var marker: Marker

  enum Marker: CaseIterable { case circle, square, triangle, diamond }
}

extension ChartLayout {
  /// The series with their styles. A band without a name belongs to the next series and takes its
  /// colour; levels and words are grey.
  var styled: [(Chart.Series, SeriesStyle)] {
    var next = 0
    return chart.series.map { series in
      let palette = Color.palette
      let markers = SeriesStyle.Marker.allCases
      let style = SeriesStyle(
        color: series.color ?? palette[next % palette.count],
        marker: markers[next % markers.count])
      switch series.mark {
      case .band where series.name.isEmpty, .cells: return (series, style)
      case .level, .labels:
        return (series, SeriesStyle(color: series.color ?? Self.quiet, marker: .circle))
      case .ellipse where series.name.isEmpty:
        // It shows the spread of the points before it.
        let last = SeriesStyle(
          color: series.color ?? palette[(next + palette.count - 1) % palette.count],
          marker: .circle)
        return (series, last)
      default:
        next += 1
        return (series, style)
      }
    }
  }

  /// Everything inside the axes: areas first, so that they hide no lines.
  func drawnSeries() -> [Drawing.Item] {
    let isArea = { (series: Chart.Series) in
      switch series.mark {
      case .band, .bars, .histogram, .cells: true
      default: false
      }
    }
    let all = styled
    let order = all.indices.filter { isArea(all[$0].0) } + all.indices.filter { !isArea(all[$0].0) }
    return order.flatMap { drawn(all[$0].0.mark, all[$0].1, index: $0) }
  }

  private func drawn(_ mark: Chart.Series.Mark, _ style: SeriesStyle, index: Int)
    -> [Drawing.Item]
  {
    switch mark {
    case .line(let x, let y, let markers, let dashed):
      return line(places(x, y), markers: markers, dashed: dashed, style)
    case .band(let x, let lower, let upper):
      return band(places(x, lower), places(x, upper), style)
    case .points(let x, let y, let errors, let shades):
      return points(places(x, y), y: y, errors: errors, shades: shades, style)
    case .bars(let x, let heights): return bars(x, heights, style, index: index)
    case .histogram(let edges, let counts): return histogram(edges, counts, style)
    case .ellipse(let x, let y, let covariance, let sigmas):
      return ellipses(at: Point(x, y), covariance, sigmas, style)
    case .level(let value, let isVertical): return [level(value, isVertical, style)]
    case .labels(let x, let y, let texts):
      return zip(places(x, y), texts).filter { $0.0.isFinite }.map { place, text in
        .text(
          Drawing.Text(
            text: text, position: place + Point(7, 4), size: Self.tickSize, color: style.color))
      }
    case .cells(let rows): return cells(rows)
    }
  }

  private func places(_ x: [Double], _ y: [Double]) -> [Point] {
    zip(x, y).map { Point(self.x.position($0), self.y.position($1)) }
  }

  // MARK: - Lines and points

  private func line(_ points: [Point], markers: Bool, dashed: Bool, _ style: SeriesStyle)
    -> [Drawing.Item]
  {
    let pen = Pen(color: style.color, width: 2, dashes: dashed ? [6, 4] : [])
    let runs = points.split(whereSeparator: { !$0.isFinite }).map(Array.init)
    let lines = runs.map { Drawing.Item.line(thinned($0), closed: false, pen) }
    // A point without neighbours would not be seen.
    let dots = markers ? points.filter(\.isFinite) : runs.filter { $0.count == 1 }.flatMap { $0 }
    return lines + dots.flatMap { marker(style.marker, at: $0, style.color) }
  }

  /// Of many points above one place of the drawing, the first, the last, the lowest and highest.
  private func thinned(_ points: [Point]) -> [Point] {
    guard points.count > 4000 else { return points }
    var result: [Point] = []
    var index = 0
    while index < points.count {
      let column = (points[index].x * 4).rounded(.down)
      var end = index + 1
      while end < points.count, (points[end].x * 4).rounded(.down) == column { end += 1 }
      let run = index..<end
      let lowest = run.min { points[$0].y < points[$1].y } ?? index
      let highest = run.max { points[$0].y < points[$1].y } ?? index
      result += Set([index, lowest, highest, end - 1]).sorted().map { points[$0] }
      index = end
    }
    return result
  }

  private func band(_ lower: [Point], _ upper: [Point], _ style: SeriesStyle) -> [Drawing.Item] {
    let pairs = zip(lower, upper).filter { $0.isFinite && $1.isFinite }
    guard pairs.count > 1 else { return [] }
    let outline = pairs.map(\.0) + pairs.map(\.1).reversed()
    return [.area(Path(polygon: outline), style.color, opacity: 0.18)]
  }

  private func points(
    _ places: [Point], y values: [Double], errors: [Double], shades: [Double], _ style: SeriesStyle
  ) -> [Drawing.Item] {
    var items: [Drawing.Item] = []
    for (index, place) in places.enumerated() where place.isFinite {
      let color = shades.isEmpty ? style.color : Color.ramp(shades[index])
      if !errors.isEmpty {
        items += errorBar(place, values[index], errors[index], color)
      }
      items += marker(style.marker, at: place, color)
    }
    return items
  }

  private func errorBar(_ place: Point, _ value: Double, _ error: Double, _ color: Color)
    -> [Drawing.Item]
  {
    let ends = [value - error, value + error].map { end in
      let height = y.position(end)
      return Point(place.x, height.isNaN ? plot.bottom : height)
    }
    let pen = Pen(color: color, width: 1.25)
    let caps = ends.map {
      Drawing.Item.rule($0 - Point(3, 0), $0 + Point(3, 0), pen)
    }
    return [.rule(ends[0], ends[1], pen)] + caps
  }

  /// A point's form, ringed in white so that neighbours stay apart.
  func marker(_ marker: SeriesStyle.Marker, at p: Point, _ color: Color) -> [Drawing.Item] {
    func shape(_ size: Double) -> Path {
      let offsets =
        switch marker {
        case .circle: [Point]()
        case .square: [Point(-0.9, -0.9), Point(0.9, -0.9), Point(0.9, 0.9), Point(-0.9, 0.9)]
        case .triangle: [Point(0, -1.25), Point(1.2, 0.85), Point(-1.2, 0.85)]
        case .diamond: [Point(0, -1.3), Point(1.3, 0), Point(0, 1.3), Point(-1.3, 0)]
        }
      return offsets.isEmpty
        ? Path(circleAt: p, radius: size) : Path(polygon: offsets.map { p + $0 * size })
    }
    return [.area(shape(4.2), .white, opacity: 0.8), .area(shape(3.2), color, opacity: 1)]
  }

  // MARK: - Bars, cells, levels, ellipses

  /// Several series of bars stand side by side.
  private func bars(_ x: [Double], _ heights: [Double], _ style: SeriesStyle, index: Int)
    -> [Drawing.Item]
  {
    let base = y.scale == .linear ? y.position(0) : plot.bottom
    let group = chart.series.indices.filter {
      if case .bars = chart.series[$0].mark { true } else { false }
    }
    let turn = group.firstIndex(of: index) ?? 0
    let spacing = barSpacing(x) * 0.84
    let width = spacing / Double(group.count)
    return zip(x, heights).compactMap { x, height in
      let left = x - spacing / 2 + Double(turn) * width
      let (from, to) = (self.x.position(left), self.x.position(left + width))
      let top = y.position(height)
      guard from.isFinite, to.isFinite, top.isFinite, base.isFinite else { return nil }
      return .box(
        Rectangle(x: from, y: min(top, base), width: max(to - from, 0.5), height: abs(base - top)),
        style.color)
    }
  }

  /// Neighbouring bars without gaps; several histograms shine through each other.
  private func histogram(_ edges: [Double], _ counts: [Double], _ style: SeriesStyle)
    -> [Drawing.Item]
  {
    guard let first = edges.first, let last = edges.last else { return [] }
    let base = y.scale == .linear ? y.position(0) : plot.bottom
    var outline = [Point(x.position(first), base)]
    for (index, count) in counts.enumerated() {
      let top = y.position(count)
      let height = top.isNaN ? base : top
      outline.append(Point(x.position(edges[index]), height))
      outline.append(Point(x.position(edges[index + 1]), height))
    }
    outline.append(Point(x.position(last), base))
    guard outline.allSatisfy(\.isFinite) else { return [] }
    return [
      .area(Path(polygon: outline), style.color, opacity: 0.3),
      .line(outline, closed: false, Pen(color: style.color, width: 1.5)),
    ]
  }

  private func cells(_ rows: [[Double]]) -> [Drawing.Item] {
    guard let range = colorRange else { return [] }
    return rows.enumerated().flatMap { row, values in
      values.enumerated().compactMap { column, value -> Drawing.Item? in
        guard value.isFinite else { return nil }
        let (left, right) = (x.position(Double(column) - 0.5), x.position(Double(column) + 0.5))
        let (top, bottom) = (y.position(Double(row) + 0.5), y.position(Double(row) - 0.5))
        let share = (value - range.lowerBound) / (range.upperBound - range.lowerBound)
        return .box(
          Rectangle(x: left, y: top, width: right - left, height: bottom - top), .ramp(share))
      }
    }
  }

  private func level(_ value: Double, _ isVertical: Bool, _ style: SeriesStyle) -> Drawing.Item {
    let pen = Pen(color: style.color, width: 1.5, dashes: [5, 4])
    if isVertical {
      let across = x.position(value)
      return .rule(Point(across, plot.y), Point(across, plot.bottom), pen)
    }
    let height = y.position(value)
    return .rule(Point(plot.x, height), Point(plot.right, height), pen)
  }

  private func ellipses(
    at centre: Point, _ covariance: Chart.Series.Covariance, _ sigmas: [Double],
    _ style: SeriesStyle
  ) -> [Drawing.Item] {
    let middle = Point(x.position(centre.x), y.position(centre.y))
    guard middle.isFinite, x.scale == .linear, y.scale == .linear else { return [] }
    // With the Cholesky factor's columns as conjugate half-axes, no angle is needed.
    let (across, up) = (x.pointsPerUnit, y.pointsPerUnit)
    let first = max(covariance.xx, 0).squareRoot()
    let skew = first > 0 ? covariance.xy / first : 0
    let second = max(covariance.yy - skew * skew, 0).squareRoot()
    return sigmas.flatMap { sigma -> [Drawing.Item] in
      let path = Path(
        ellipseAt: middle, Point(first * across, -skew * up) * sigma,
        Point(0, -second * up) * sigma)
      let outline = path.flattened().first ?? []
      return [
        .area(path, style.color, opacity: 0.08),
        .line(outline, closed: true, Pen(color: style.color, width: 1.5)),
      ]
    }
  }

  // MARK: - Legend

  func legendKey(_ mark: Chart.Series.Mark, _ style: SeriesStyle, in box: Rectangle)
    -> [Drawing.Item]
  {
    let middle = Point(box.x + box.width / 2, box.y + box.height / 2)
    let ends = (Point(box.x, middle.y), Point(box.right, middle.y))
    switch mark {
    case .line(_, _, let markers, let dashed):
      let pen = Pen(color: style.color, width: 2, dashes: dashed ? [6, 4] : [])
      return [.rule(ends.0, ends.1, pen)]
        + (markers ? marker(style.marker, at: middle, style.color) : [])
    case .level:
      return [.rule(ends.0, ends.1, Pen(color: style.color, width: 1.5, dashes: [5, 4]))]
    case .points(_, _, _, let shades):
      if shades.isEmpty { return marker(style.marker, at: middle, style.color) }
      return [0, 0.5, 1].flatMap { share in
        marker(style.marker, at: middle + Point((share - 0.5) * 14, 0), .ramp(share))
      }
    case .band:
      return [.area(Path(polygon: box.corners), style.color, opacity: 0.25)]
    case .ellipse:
      let path = Path(ellipseAt: middle, Point(9, 0), Point(0, 5))
      return [
        .line(path.flattened().first ?? [], closed: true, Pen(color: style.color, width: 1.5))
      ]
    case .histogram:
      return [
        .area(Path(polygon: box.corners), style.color, opacity: 0.3),
        .line(box.corners, closed: true, Pen(color: style.color, width: 1.5)),
      ]
    case .bars, .labels, .cells:
      return [.box(Rectangle(x: box.x + 5, y: box.y, width: 12, height: 12), style.color)]
    }
  }
}
