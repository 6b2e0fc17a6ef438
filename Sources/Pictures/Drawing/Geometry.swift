/// A point of a drawing: x to the right, y downwards.
struct Point: Sendable, Equatable {
  var x: Double
  var y: Double

  init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }

  static func + (a: Point, b: Point) -> Point { Point(a.x + b.x, a.y + b.y) }
  static func - (a: Point, b: Point) -> Point { Point(a.x - b.x, a.y - b.y) }
  static func * (a: Point, scale: Double) -> Point { Point(a.x * scale, a.y * scale) }

  var length: Double { (x * x + y * y).squareRoot() }
  var isFinite: Bool { x.isFinite && y.isFinite }
}

/// An axis-parallel rectangle of a drawing.
struct Rectangle: Sendable, Equatable {
  var x: Double
  var y: Double
  var width: Double
  var height: Double

  var right: Double { x + width }
  var bottom: Double { y + height }
  var corners: [Point] { [Point(x, y), Point(right, y), Point(right, bottom), Point(x, bottom)] }

  func contains(_ point: Point) -> Bool {
    point.x >= x && point.x <= right && point.y >= y && point.y <= bottom
  }
}

/// Straight lines and Bézier curves, as SVG has them.
struct Path: Sendable, Equatable {
  enum Element: Sendable, Equatable {
    case move(Point)
    case line(Point)
    case quadratic(Point, Point)
    case cubic(Point, Point, Point)
    case close
  }

  var elements: [Element] = []

  init(_ elements: [Element] = []) { self.elements = elements }

  init(polygon points: [Point]) {
    elements = points.enumerated().map { $0 == 0 ? .move($1) : .line($1) } + [.close]
  }

  /// An ellipse whose conjugate half-axes are `first` and `second`, which need not be
  /// perpendicular: four cubics, off by less than 0.03 % of the radius.
  init(ellipseAt centre: Point, _ first: Point, _ second: Point) {
    let arc = 0.552_284_749_830_793_4  // 4/3 · (√2 − 1)
    let axes = [first, second, first * -1, second * -1]
    elements = [.move(centre + first)]
    for quarter in 0..<4 {
      let (from, to) = (axes[quarter], axes[(quarter + 1) % 4])
      elements.append(
        .cubic(centre + from + to * arc, centre + to + from * arc, centre + to))
    }
    elements.append(.close)
  }

  init(circleAt centre: Point, radius: Double) {
    self.init(ellipseAt: centre, Point(radius, 0), Point(0, radius))
  }

  /// The path with every point moved by `transform`.
  func mapped(_ transform: (Point) -> Point) -> Path {
    Path(
      elements.map { element in
        switch element {
        case .move(let p): .move(transform(p))
        case .line(let p): .line(transform(p))
        case .quadratic(let a, let p): .quadratic(transform(a), transform(p))
        case .cubic(let a, let b, let p): .cubic(transform(a), transform(b), transform(p))
        case .close: .close
        }
      })
  }

  /// Polygons that stay within 1/20 of a unit of the curves; open ends count as closed.
  func flattened() -> [[Point]] {
    var polygons: [[Point]] = []
    var current: [Point] = []
    func finish() {
      if current.count > 1 { polygons.append(current) }
      current = []
    }
    for element in elements {
      let from = current.last ?? Point(0, 0)
      switch element {
      case .move(let p):
        finish()
        current = [p]
      case .line(let p):
        current.append(p)
      case .quadratic(let a, let p):
        let pieces = pieceCount(bend: (from - a * 2 + p).length / 4)
        for i in 1...pieces {
          let t = Double(i) / Double(pieces)
          let s = 1 - t
          current.append(from * (s * s) + a * (2 * s * t) + p * (t * t))
        }
      case .cubic(let a, let b, let p):
        let bend = max((from - a * 2 + b).length, (a - b * 2 + p).length) * 0.75
        let pieces = pieceCount(bend: bend)
        for i in 1...pieces {
          let t = Double(i) / Double(pieces)
          let s = 1 - t
          let start = from * (s * s * s) + a * (3 * s * s * t)
          current.append(start + b * (3 * s * t * t) + p * (t * t * t))
        }
      case .close:
        let start = current.first
        finish()
        if let start { current = [start] }
      }
    }
    finish()
    return polygons
  }
}

/// How many chords keep a curve that bends by `bend` units within 1/20 of a unit.
private func pieceCount(bend: Double) -> Int {
  bend.isFinite ? min(max(Int((bend * 20).squareRoot().rounded(.up)), 1), 100) : 1
}
