/// How a line is drawn.
struct Pen: Sendable, Equatable {
  var color: Color
  var width: Double
  /// Lengths of dashes and gaps in turn; empty is a solid line.
  var dashes: [Double] = []
  var opacity = 1.0
}

/// The area that a pen covers along a polyline, with round joins and ends: polygons that all turn
/// the same way, so that their union is what the non-zero rule fills.
func strokedArea(_ points: [Point], closed: Bool = false, pen: Pen) -> [[Point]] {
  var line = points.filter(\.isFinite)
  if closed, let first = line.first { line.append(first) }
  guard pen.width > 0, let first = line.first else { return [] }
  let runs = pen.dashes.isEmpty ? [line] : dashed(line, pen.dashes)
  let radius = pen.width / 2
  var area: [[Point]] = []
  for run in runs {
    for (a, b) in zip(run, run.dropFirst()) where a != b {
      let along = b - a
      let across = Point(along.y, -along.x) * (radius / along.length)
      area.append([a + across, b + across, b - across, a - across])
    }
    // Dashes end bluntly; a circle at each vertex rounds the joins, and the ends of solid lines.
    for vertex in pen.dashes.isEmpty ? run[...] : run.dropFirst().dropLast() {
      area += Path(circleAt: vertex, radius: radius).flattened()
    }
  }
  if line.count == 1 { area += Path(circleAt: first, radius: radius).flattened() }
  return area
}

/// The drawn pieces of a polyline under a dash pattern.
func dashed(_ line: [Point], _ pattern: [Double]) -> [[Point]] {
  guard pattern.allSatisfy({ $0 > 0 }), let first = line.first else { return [line] }
  let whole = zip(line, line.dropFirst()).reduce(0) { $0 + ($1.1 - $1.0).length }
  // Lines that reach far beyond what is seen would have dashes without end.
  guard whole / pattern.reduce(0, +) < 20_000 else { return [line] }
  var pieces: [[Point]] = []
  var piece = [first]
  var (index, left) = (0, pattern[0])
  for (a, b) in zip(line, line.dropFirst()) {
    let length = (b - a).length
    var done = 0.0
    while length - done > left {
      done += left
      let point = a + (b - a) * (done / length)
      if index.isMultiple(of: 2) { pieces.append(piece + [point]) }
      piece = [point]
      index += 1
      left = pattern[index % pattern.count]
    }
    left -= length - done
    piece.append(b)
  }
  if index.isMultiple(of: 2), piece.count > 1 { pieces.append(piece) }
  return pieces
}
