/// A picture being painted: areas with smooth edges, laid over what is there.
///
/// Coverage is computed in integers (coordinates in 1/256 pixel, 16 lines of samples a pixel, exact
/// along each), so that the same drawing gives the same bytes on every machine.
struct Canvas {
  let width: Int
  let height: Int
  /// Where painting shows.
  var clip: CanvasArea
  private var pixels: [UInt8]

  private static let unit = 256  // coordinates per pixel
  private static let lines = 16  // sample lines per pixel
  private static let spacing = unit / lines
  private static let full = unit * lines  // the coverage of a whole pixel

  init(width: Int, height: Int, background: Color) {
    self.width = width
    self.height = height
    clip = CanvasArea(columns: 0..<width, rows: 0..<height)
    pixels =
      Picture(
        width: width, height: height, red: background.red, green: background.green,
        blue: background.blue
      ).pixels
  }

  var picture: Picture { Picture(width: width, height: height, pixels: pixels) }

  /// Lays a picture with its top left corner at (`x`, `y`); what lies outside is cut off.
  mutating func draw(_ picture: Picture, x left: Int, y top: Int) {
    let area = CanvasArea(
      columns: left..<left + picture.width, rows: top..<top + picture.height
    ).clamped(to: clip)
    let count = area.columns.count * 3
    for row in area.rows {
      let from = ((row - top) * picture.width + area.columns.lowerBound - left) * 3
      let to = (row * width + area.columns.lowerBound) * 3
      pixels.replaceSubrange(to..<to + count, with: picture.pixels[from..<from + count])
    }
  }

  /// Fills the union of polygons (non-zero rule).
  mutating func fill(_ polygons: [[Point]], color: Color, opacity: Double = 1) {
    let edges = polygons.flatMap { Edge.edges(of: $0, unit: Self.unit) }
    guard let crossings = Crossings(edges, lineCount: height * Self.lines, spacing: Self.spacing)
    else { return }
    let strength = Int((min(max(opacity, 0), 1) * 256).rounded())
    var part = [Int](repeating: 0, count: width + 2)  // coverage of pixels partly in a span
    var steps = [Int](repeating: 0, count: width + 2)  // where whole pixels begin and end
    let rows = crossings.firstLine / Self.lines..<crossings.lastLine / Self.lines + 1
    for row in rows.clamped(to: clip.rows) {
      var touched = (first: width, last: -1)
      for line in row * Self.lines..<(row + 1) * Self.lines {
        crossings.forEachSpan(on: line) { start, end in
          let start = min(max(start, 0), width * Self.unit)
          let end = min(max(end, 0), width * Self.unit)
          if start == end { return }
          let (first, last) = (start / Self.unit, end / Self.unit)
          touched = (min(touched.first, first), max(touched.last, last))
          if first == last {
            part[first] += end - start
          } else {
            part[first] += Self.unit - start % Self.unit
            part[last] += end % Self.unit
            steps[first + 1] += Self.unit
            steps[last] -= Self.unit
          }
        }
      }
      if touched.last < 0 { continue }
      var running = 0
      for x in touched.first...touched.last {
        running += steps[x]
        let coverage = running + part[x]
        if coverage > 0, clip.columns.contains(x) {
          blend(color, coverage * strength, x: x, y: row)
        }
        part[x] = 0
        steps[x] = 0
      }
    }
  }

  /// Lays `share` of `full` · 256 of a colour over a pixel.
  private mutating func blend(_ color: Color, _ share: Int, x: Int, y: Int) {
    let whole = Self.full * 256
    let index = (y * width + x) * 3
    func mixed(_ old: UInt8, _ new: UInt8) -> UInt8 {
      UInt8((Int(old) * (whole - share) + Int(new) * share + whole / 2) / whole)
    }
    pixels[index] = mixed(pixels[index], color.red)
    pixels[index + 1] = mixed(pixels[index + 1], color.green)
    pixels[index + 2] = mixed(pixels[index + 2], color.blue)
  }
}

/// Some columns and rows of a canvas.
struct CanvasArea: Equatable {
  var columns: Range<Int>
  var rows: Range<Int>

  func clamped(to other: CanvasArea) -> CanvasArea {
    CanvasArea(columns: columns.clamped(to: other.columns), rows: rows.clamped(to: other.rows))
  }
}

/// A side of a polygon from its upper to its lower end, in fractions of a pixel.
private struct Edge {
  var top: (x: Int, y: Int)
  var bottom: (x: Int, y: Int)
  /// +1 where the polygon runs downwards along it, −1 upwards.
  var winding: Int

  static func edges(of polygon: [Point], unit: Int) -> [Edge] {
    // Far outside any canvas, so that sums and products of coordinates stay exact.
    let limit = 1e6
    let points = polygon.filter(\.isFinite).map { point in
      (
        x: Int((min(max(point.x, -limit), limit) * Double(unit)).rounded()),
        y: Int((min(max(point.y, -limit), limit) * Double(unit)).rounded())
      )
    }
    guard points.count > 2 else { return [] }
    return points.indices.compactMap { i in
      let (a, b) = (points[i], points[(i + 1) % points.count])
      if a.y == b.y { return nil }
      return a.y < b.y
        ? Edge(top: a, bottom: b, winding: 1) : Edge(top: b, bottom: a, winding: -1)
    }
  }
}

/// Where the sample lines cross the edges, sorted along each line.
private struct Crossings {
  let firstLine: Int
  let lastLine: Int
  private var starts: [Int]
  private var positions: [Int]
  private var windings: [Int]

  /// Nil where no line within 0..<lineCount meets an edge. Line k lies at (k + 1/2) · spacing.
  init?(_ edges: [Edge], lineCount: Int, spacing: Int) {
    // The first line at or below y.
    func line(_ y: Int) -> Int { min(max(-floorDivide(spacing / 2 - y, spacing), 0), lineCount) }
    let ranges = edges.map { line($0.top.y)..<line($0.bottom.y) }
    let occupied = ranges.filter { !$0.isEmpty }
    guard let first = occupied.map(\.lowerBound).min(),
      let end = occupied.map(\.upperBound).max()
    else { return nil }
    firstLine = first
    lastLine = end - 1
    var counts = [Int](repeating: 0, count: end - first + 1)
    for range in ranges { for line in range { counts[line - first + 1] += 1 } }
    for i in 1..<counts.count { counts[i] += counts[i - 1] }
    starts = counts
    positions = [Int](repeating: 0, count: counts[counts.count - 1])
    windings = positions
    var filled = counts
    for (edge, range) in zip(edges, ranges) {
      let (dx, dy) = (edge.bottom.x - edge.top.x, edge.bottom.y - edge.top.y)
      for line in range {
        let y = line * spacing + spacing / 2
        let x = edge.top.x + floorDivide(dx * (y - edge.top.y), dy)
        // Insertion keeps each line's few crossings in order.
        var slot = filled[line - first]
        filled[line - first] += 1
        while slot > starts[line - first], positions[slot - 1] > x {
          positions[slot] = positions[slot - 1]
          windings[slot] = windings[slot - 1]
          slot -= 1
        }
        positions[slot] = x
        windings[slot] = edge.winding
      }
    }
  }

  func forEachSpan(on line: Int, _ body: (Int, Int) -> Void) {
    guard line >= firstLine, line <= lastLine else { return }
    var winding = 0
    var start = 0
    for i in starts[line - firstLine]..<starts[line - firstLine + 1] {
      if winding == 0 { start = positions[i] }
      winding += windings[i]
      if winding == 0 { body(start, positions[i]) }
    }
  }
}

private func floorDivide(_ a: Int, _ b: Int) -> Int {
  let quotient = a / b
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient
}
