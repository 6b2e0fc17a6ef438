import Testing

@testable import Pictures

@Suite struct TextChartTests {
  private func lines(_ chart: Chart, inColor: Bool = false) throws -> [String] {
    try chart.text(columns: 52, rows: 8, inColor: inColor)
  }

  private func dots(_ line: String) -> [Int] {
    line.unicodeScalars.enumerated().filter { (0x2801...0x28ff).contains($1.value) }.map(\.offset)
  }

  @Test func aRisingLineRises() throws {
    let text = try lines(
      Chart(title: "rise", x: .init("step"), series: [.line("a", y: [0, 1, 2, 3])]))
    #expect(text[0].hasSuffix("rise"))
    #expect(text[1].hasSuffix("━ a"))
    let rows = text.filter { $0.contains("│") || $0.contains("┤") }
    #expect(rows.count == 8)
    let firsts = rows.compactMap { dots($0).first }
    #expect(firsts.count == 8)
    #expect(firsts == firsts.sorted(by: >))
    #expect(rows.contains { $0.hasPrefix("2 ┤") } && rows.contains { $0.hasPrefix("0 ┤") })
    #expect(text.contains { $0.contains("└") && $0.contains("┬") })
    #expect(text.last?.trimmingPrefix { $0 == " " } == "step")
  }

  @Test func linesKeepTheWidth() throws {
    let chart = Chart(
      y: .init(scale: .logarithmic),
      series: [.line("a", y: (0..<500).map { 1e-7 * Double($0 * $0) })])
    for line in try lines(chart) { #expect(line.count <= 52) }
  }

  @Test func barsStandOnZero() throws {
    let rows = try lines(Chart(series: [.bars(heights: [1, -1])])).filter {
      $0.contains("│") || $0.contains("┤")
    }
    let (left, right) = (dots(rows[1]), dots(rows[6]))
    #expect(!left.isEmpty && !right.isEmpty)
    #expect(try #require(left.last) < #require(right.first))
  }

  @Test func coloursAreTheSeries() throws {
    let chart = Chart(series: [.line("a", y: [0, 1]), .line("b", y: [1, 2])])
    let text = try lines(chart, inColor: true).joined()
    #expect(text.contains("\u{1b}[38;5;33m━\u{1b}[0m a"))
    #expect(text.contains("\u{1b}[38;5;166m━\u{1b}[0m b"))
    #expect(try !lines(chart).joined().contains("\u{1b}"))
  }

  @Test func ellipsesAreRound() throws {
    let chart = Chart(
      series: [.ellipse(x: 0, y: 0, xx: 1, xy: 0, yy: 1, sigmas: [1])], hasEqualUnits: true)
    let rows = try lines(chart).filter { $0.contains("│") || $0.contains("┤") }
    let widths = rows.map { row in dots(row).last.map { $0 - (dots(row).first ?? 0) } ?? 0 }
    // A cell is two dots wide and four high.
    #expect(abs((widths.max() ?? 0) * 2 - 8 * 4) <= 6)
  }

  @Test func whatIsNotFiniteIsLeftOut() throws {
    let text = try lines(Chart(series: [.line("a", y: [.nan, 1, .infinity, 2])]))
    #expect(text.contains { !dots($0).isEmpty })
    #expect(throws: (any Error).self) {
      try Chart(series: [.line("a", x: [1], y: [1, 2])]).text(
        columns: 40, rows: 5, inColor: false)
    }
  }
}
