extension Drawing {
  /// The drawing as pixels, `scale` of them a point.
  func picture(scale: Double) -> Picture {
    var painter = Painter(
      canvas: Canvas(
        width: max(1, Int((width * scale).rounded())),
        height: max(1, Int((height * scale).rounded())), background: background),
      scale: scale)
    for item in items { painter.paint(item) }
    return painter.canvas.picture
  }
}

private struct Painter {
  var canvas: Canvas
  let scale: Double

  mutating func paint(_ item: Drawing.Item) {
    switch item {
    case .area(let path, let color, let opacity):
      canvas.fill(path.mapped { $0 * scale }.flattened(), color: color, opacity: opacity)
    case .line(let points, let closed, var pen):
      pen.width = max(pen.width * scale, 1)
      pen.dashes = pen.dashes.map { $0 * scale }
      let area = strokedArea(points.map { $0 * scale }, closed: closed, pen: pen)
      canvas.fill(area, color: pen.color, opacity: pen.opacity)
    case .rule(let a, let b, let pen): rule(a * scale, b * scale, pen)
    case .box(let box, let color): fillSnapped(box, color)
    case .text(let text): paint(text)
    case .picture(let picture, let box, let filter):
      let (x, y) = (pixel(box.x), pixel(box.y))
      let (width, height) = (pixel(box.right) - x, pixel(box.bottom) - y)
      guard width > 0, height > 0 else { return }
      canvas.draw(picture.resized(width: width, height: height, filter: filter), x: x, y: y)
    case .clipped(let box, let items):
      let outer = canvas.clip
      canvas.clip = CanvasArea(
        columns: pixel(box.x)..<max(pixel(box.x), pixel(box.right)),
        rows: pixel(box.y)..<max(pixel(box.y), pixel(box.bottom))
      ).clamped(to: outer)
      for item in items { paint(item) }
      canvas.clip = outer
    }
  }

  private func pixel(_ position: Double) -> Int { Int((position * scale).rounded()) }

  private mutating func fillSnapped(_ box: Rectangle, _ color: Color) {
    let corners = [Point(box.x, box.y), Point(box.right, box.bottom)].map {
      Point(($0.x * scale).rounded(), ($0.y * scale).rounded())
    }
    fill(from: corners[0], to: corners[1], color)
  }

  private mutating func fill(from a: Point, to b: Point, _ color: Color, opacity: Double = 1) {
    let box = Rectangle(x: a.x, y: a.y, width: b.x - a.x, height: b.y - a.y)
    canvas.fill([box.corners], color: color, opacity: opacity)
  }

  /// Centres a whole number of pixels on the line, in pixels already.
  private mutating func rule(_ a: Point, _ b: Point, _ pen: Pen) {
    let thickness = max(1, (pen.width * scale).rounded())
    let isHorizontal = a.y == b.y
    let side = ((isHorizontal ? a.y : a.x) - thickness / 2).rounded()
    let dashes = pen.dashes.map { max(1, ($0 * scale).rounded()) }
    for piece in dashes.isEmpty ? [[a, b]] : dashed([a, b], dashes) {
      guard let start = piece.first, let end = piece.last else { continue }
      let (from, to) =
        isHorizontal
        ? (Point(start.x.rounded(), side), Point(end.x.rounded(), side + thickness))
        : (Point(side, start.y.rounded()), Point(side + thickness, end.y.rounded()))
      fill(from: from, to: to, pen.color, opacity: pen.opacity)
    }
  }

  private mutating func paint(_ text: Drawing.Text) {
    let unit = text.size * scale / Font.unitsPerEm
    var origin = text.start * scale
    // A baseline on a whole pixel makes small text sharper.
    if text.isUpright { origin.x = origin.x.rounded() } else { origin.y = origin.y.rounded() }
    for (_, glyph) in text.font.glyphs(of: text.text) {
      let path = Path(outline: glyph.outline).mapped { point in
        text.isUpright
          ? Point(origin.x + point.y * unit, origin.y - point.x * unit) : origin + point * unit
      }
      canvas.fill(path.flattened(), color: text.color)
      let step = glyph.advance * unit
      if text.isUpright { origin.y -= step } else { origin.x += step }
    }
  }
}
