/// What is to be drawn, in points from the top left corner, independent of how: `picture(scale:)`
/// paints it, `svg()` writes it.
struct Drawing: Sendable {
  /// Which point of a text its position gives.
  enum Anchor: Sendable { case start, middle, end }

  struct Text: Sendable {
    var text: String
    /// On the baseline.
    var position: Point
    var size: Double
    var color = Color(0x222222)
    var anchor = Anchor.start
    var font = Font.regular
    /// Reads upwards instead of to the right.
    var isUpright = false

    var width: Double { font.width(of: text, size: size) }

    /// Where the first glyph's origin lies.
    var start: Point {
      let back =
        switch anchor {
        case .start: 0.0
        case .middle: width / 2
        case .end: width
        }
      return isUpright ? position + Point(0, back) : position - Point(back, 0)
    }
  }

  enum Item: Sendable {
    case area(Path, Color, opacity: Double)
    case line([Point], closed: Bool, Pen)
    /// A horizontal or vertical line, put on whole pixels when painted.
    case rule(Point, Point, Pen)
    /// A filled rectangle, put on whole pixels when painted.
    case box(Rectangle, Color)
    case text(Text)
    case picture(Picture, Rectangle, ResamplingFilter)
    /// Items of which only what lies inside the rectangle is seen.
    case clipped(Rectangle, [Item])
  }

  var width: Double
  var height: Double
  var background = Color.white
  var items: [Item] = []
  /// What a reader who cannot see the drawing is told.
  var title = ""

  init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  /// The drawing moved by an offset.
  func moved(x: Double, y: Double) -> [Item] {
    let offset = Point(x, y)
    return items.map { $0.moved(by: offset) }
  }
}

extension Drawing.Item {
  func moved(by offset: Point) -> Drawing.Item {
    func moved(_ box: Rectangle) -> Rectangle {
      Rectangle(x: box.x + offset.x, y: box.y + offset.y, width: box.width, height: box.height)
    }
    switch self {
    case .area(let path, let color, let opacity):
      return .area(path.mapped { $0 + offset }, color, opacity: opacity)
    case .line(let points, let closed, let pen):
      return .line(points.map { $0 + offset }, closed: closed, pen)
    case .rule(let a, let b, let pen): return .rule(a + offset, b + offset, pen)
    case .box(let box, let color): return .box(moved(box), color)
    case .text(var text):
      text.position = text.position + offset
      return .text(text)
    case .picture(let picture, let box, let filter): return .picture(picture, moved(box), filter)
    case .clipped(let box, let items):
      return .clipped(moved(box), items.map { $0.moved(by: offset) })
    }
  }
}
