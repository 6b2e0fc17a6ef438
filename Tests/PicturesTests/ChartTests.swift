import Foundation
import Tensors
import Testing

@testable import Pictures

@Suite struct ChartTests {
  /// Charts of every kind, as the notebook draws them.
  static let samples: [(name: String, chart: Chart)] = [
    ("convergence", convergence), ("spectrum", spectrum), ("population", population(9)),
    ("histogram", histogram), ("categories", categories), ("errors", errors), ("cells", cells),
    ("tiny", tiny), ("negative", negative),
  ]

  static func noise(_ count: Int, seed: UInt64) -> [Double] {
    var random = TestRandom(seed)
    return (0..<count).map { _ in
      (0..<12).reduce(-6.0) { sum, _ in sum + Double(random.next(below: 10_000)) / 10_000 }
    }
  }

  static var convergence: Chart {
    let generations = (0...50).map(Double.init)
    let decay = generations.map { 0.08 + 0.9 / (1 + $0 * $0 / 20) }
    let best = zip(decay, noise(51, seed: 1)).map { $0 * (1 + 0.02 * $1) }
    return Chart(
      title: "Denoising loss of the population", subtitle: "CMA-ES in 32 dimensions, 20 candidates",
      x: .init("generation"), y: .init("loss (mean squared error)", scale: .logarithmic),
      series: [
        .band(x: generations, lower: best, upper: best.map { $0 * 1.5 }),
        .line("mean", x: generations, y: best.map { $0 * 1.25 }, markers: false),
        .line("best", x: generations, y: best, markers: false),
        .line(
          "held out", x: stride(from: 0, through: 50, by: 5).map { Double($0) },
          y: stride(from: 0, through: 50, by: 5).map { decay[$0] * 1.1 }),
        .level("the nearest word", y: 0.21),
      ])
  }

  static var spectrum: Chart {
    Chart(
      title: "Spectrum of the subspace", x: .init("component"), y: .init("standard deviation"),
      series: [.bars(heights: (0..<32).map { 1.4 / (1 + Double($0) * 0.3) })])
  }

  static func population(_ generation: Int) -> Chart {
    let spread = 1.5 / (1 + Double(generation) * 0.3)
    let a = noise(40, seed: UInt64(generation + 3)).map { $0 * spread }
    let b = noise(40, seed: UInt64(generation + 103)).map { $0 * spread }
    return Chart(
      title: "Generation \(generation)", x: .init("first component (σ)"),
      y: .init("second component (σ)"),
      series: [
        .points(
          "candidates", x: a.map { $0 * spread },
          y: zip(a, b).map { ($0 * 0.6 + $1 * 0.5) * spread },
          shades: a.indices.map { Double($0) / 39 }),
        .ellipse(
          "1 σ and 2 σ", x: 0, y: 0, xx: spread * spread, xy: 0.6 * spread * spread,
          yy: 0.61 * spread * spread, color: .black),
        .labels(x: [0.1], y: [0.1], ["mean"]),
      ], hasEqualUnits: true, width: 480, height: 480)
  }

  static var histogram: Chart {
    Chart(
      title: "Norms of the token table", x: .init("norm"), y: .init("tokens"),
      series: [
        .histogram("words", values: noise(2000, seed: 5).map { 0.4 + 0.02 * $0 }),
        .histogram("sub-words", values: noise(900, seed: 6).map { 0.42 + 0.03 * $0 }),
      ])
  }

  static var categories: Chart {
    Chart(
      title: "CLIP alignment with the given pictures",
      x: .init(categories: ["nearest word", "caption", "forward only", "gradient"]),
      y: .init("cosine"),
      series: [
        .bars("demo", heights: [0.54, 0.61, 0.83, 0.79]),
        .bars("stable diffusion", heights: [0.5, 0.58, 0.76, 0.78]),
      ])
  }

  static var errors: Chart {
    Chart(
      title: "Sensitivity to the condition", x: .init("timestep"), y: .init("‖∇ loss‖"),
      series: [
        .points(
          "measured", x: [10, 200, 400, 600, 800, 990],
          y: [1e-5, 3e-5, 4.1e-5, 2.8e-5, 1.2e-5, 4e-6],
          errors: [2e-6, 4e-6, 5e-6, 4e-6, 3e-6, 1e-6]),
        .line("fit", x: [10, 300, 600, 990], y: [1e-5, 4e-5, 2.7e-5, 4e-6], dashed: true),
      ])
  }

  static var cells: Chart {
    let rows: [[Double]] = (0..<5).map { (row: Int) -> [Double] in
      (0..<7).map { (column: Int) -> Double in
        let turn: Int = (column * 3 + row * 5) % 11
        return Double(turn) / 10
      }
    }
    return Chart(
      title: "Attention of the prompt's tokens",
      x: .init(categories: ["<s>", "a", "photo", "of", "a", "<star>", "</s>"]),
      y: .init("head"), series: [.cells(rows: rows)], height: 320)
  }

  static var tiny: Chart {
    Chart(
      x: .init("t"), y: .init("v"),
      series: [.line("a", y: [3]), .line("b", y: [.nan, 3, .infinity])],
      width: 220, height: 160)
  }

  static var negative: Chart {
    let steps = (0..<200).map(Double.init)
    let sine = Chart.Series.line(
      "sine", x: steps.map { $0 * 1e4 }, y: steps.map { Elementary.sin($0 / 20) })
    return Chart(
      title: "A title that is much too long for the width that it is given and so has to be "
        + "wrapped into several lines",
      x: .init("x (µm)"), y: .init("y (10⁻³ °C)"),
      series: [sine, .bars("bars", x: [0, 5e5, 1e6, 1.5e6], heights: [-0.5, 0.5, -0.25, 0.75])])
  }

  @Test("Charts are painted and written", arguments: samples.map(\.name))
  func samplesAreDrawn(name: String) throws {
    let chart = try #require(Self.samples.first { $0.name == name }?.chart)
    let picture = try chart.picture(scale: 1)
    #expect(picture.width == Int(chart.width) && picture.height == Int(chart.height))
    try keepForTheEye(try chart.picture(), "chart-\(name)")
    let svg = try chart.svg()
    let check = XMLCheck(svg)
    #expect(check.error == nil)
    #expect(try chart.svg() == svg)
    for label in [chart.title, chart.x.label, chart.y.label] where label.count < 60 {
      #expect(label.isEmpty || svg.contains("aria-label=\"\(escaped(label))\""))
    }
    if let folder = ProcessInfo.processInfo.environment["EVOKE_TEST_PICTURES"] {
      try svg.write(toFile: "\(folder)/chart-\(name).svg", atomically: true, encoding: .utf8)
    }
  }

  @Test func figuresHoldTheirCharts() throws {
    let figure = Figure(
      title: "A search", charts: [Self.convergence, Self.spectrum, Self.histogram], columns: 2)
    let picture = try figure.picture(scale: 1)
    try keepForTheEye(try figure.picture(scale: 1.5), "figure")
    #expect(picture.width == 1280 && picture.height == 844)
    #expect(XMLCheck(try figure.svg()).error == nil)
  }

  @Test func animationsKeepTheirRanges() throws {
    let animation = try Chart.animation(
      (0..<4).map { Self.population($0) }, milliseconds: 300, last: 1000, scale: 1)
    #expect(animation.frames.count == 4)
    // The axes stay where they are: below the plot nothing changes but what is in it.
    let strips = animation.frames.map { $0.cropped(x: 0, y: 440, width: 480, height: 40) }
    #expect(strips.allSatisfy { $0 == strips[0] })
    if let folder = ProcessInfo.processInfo.environment["EVOKE_TEST_PICTURES"] {
      try animation.write(to: URL(fileURLWithPath: "\(folder)/animation.png"))
    }
  }

  @Test func nothingToDraw() throws {
    for series: [Chart.Series] in [
      [], [.line("nothing", y: [])], [.line("nothing", y: [.nan, .infinity])],
      [.points("", x: [], y: [])], [.histogram(values: [])], [.bars(heights: [])],
      [.cells(rows: [])], [.cells(rows: [[.nan]])], [.band(lower: [1], upper: [2])],
      [.ellipse(x: .nan, y: 0, xx: 1, xy: 0, yy: 1)], [.ellipse(x: 0, y: 0, xx: 0, xy: 0, yy: 0)],
      [.line("huge", y: [-1e300, 1e300])], [.line("tiny", y: [.leastNonzeroMagnitude, 1e-300])],
      [.line("widest", y: [-1.7e308, 1.7e308])], [.histogram(values: [-1.7e308, 1.7e308])],
      [.histogram(values: [.leastNonzeroMagnitude, 0, 1e-300])],
      [.histogram(values: [1e300, 1e300 * (1 + 1e-15)], bins: 200)],
      [.histogram(values: [1e17, 1e17 + 16, 1e17 + 32])],
      [.line("far", y: [1e15, 1e15 + 1])], [.line("one", y: [7])],
    ] {
      for scale in Chart.Axis.Scale.allCases {
        var chart = Chart(y: .init(scale: scale), series: series)
        #expect(try chart.picture(scale: 0.5).width == 320)
        chart.hasEqualUnits = true
        #expect(XMLCheck(try chart.svg()).error == nil)
      }
    }
  }

  @Test func dataFarOutsideTheRange() throws {
    let chart = Chart(
      x: .init(range: 0...1), y: .init(range: 0...1),
      series: [
        .line("dashed", x: [0, 1, 1e9], y: [0, 1e30, -1e12], dashed: true),
        .level("level", y: 1e200), .bars(heights: [1e100]),
        .ellipse(x: 0, y: 0, xx: 1e60, xy: 0, yy: 1), .cells(rows: [[1, 2], [3, 4]]),
      ])
    #expect(try chart.picture(scale: 1).width == 640)
    #expect(XMLCheck(try chart.svg()).error == nil)
  }

  @Test func listsOfDifferentLengthsAreErrors() throws {
    for series: Chart.Series in [
      .line("loss", x: [1, 2], y: [1]), .band("loss", lower: [1], upper: [1, 2]),
      .points("loss", y: [1, 2], errors: [1]), .bars("loss", x: [], heights: [1]),
      .labels(x: [1], y: [1], []), .cells(rows: [[1], [1, 2]]),
    ] {
      let error = try thrownError { _ = try Chart(series: [series]).svg() }
      #expect(error.kind == .shape)
    }
    let error = try thrownError {
      _ = try Chart(series: [.line("loss", x: [1, 2], y: [1])]).svg()
    }
    #expect(error.message == "the series “loss” has 2 values for x and 1 for y")
    #expect(try thrownError { _ = try Chart(width: 10).svg() }.kind == .value)
    #expect(try thrownError { _ = try Figure(charts: []).svg() }.kind == .value)
    let endless = Chart(x: .init(range: 0...Double.infinity))
    #expect(try thrownError { _ = try endless.svg() }.kind == .value)
  }

  @Test func manyPointsStayFew() throws {
    let values = Self.noise(100_000, seed: 9)
    let svg = try Chart(series: [.line("many", y: values)]).svg()
    #expect(svg.utf8.count < 300_000)
    // Extremes survive.
    let highest = try #require(values.indices.max { values[$0] < values[$1] })
    var spiked = values
    spiked[highest] = 1000
    #expect(try Chart(series: [.line("many", y: spiked)]).svg() != svg)
  }
}

@Suite struct TicksTests {
  private func labels(_ range: ClosedRange<Double>, _ count: Int) -> [String] {
    Ticks.linear(range, count: count).map(\.label)
  }

  @Test func linear() {
    #expect(labels(0...50, 5) == ["0", "10", "20", "30", "40", "50"])
    #expect(labels(0...1, 4) == ["0", "0.25", "0.50", "0.75", "1.00"])
    #expect(labels(-0.3...0.31, 3) == ["−0.25", "0", "0.25"])
    #expect(labels(0...1e6, 2) == ["0", "5 × 10⁵", "10⁶"])
    #expect(labels(1e-5...5e-5, 2) == ["2 × 10⁻⁵", "4 × 10⁻⁵"])
    #expect(labels(3...3, 4) == [])
    #expect(labels(0.1...0.7, 3) == ["0.2", "0.4", "0.6"])
    #expect(labels(1990...2030, 4) == ["1990", "2000", "2010", "2020", "2030"])
  }

  @Test func logarithmic() {
    func labels(_ range: ClosedRange<Double>) -> [String] {
      Ticks.logarithmic(range, count: 6).map(\.label).filter { !$0.isEmpty }
    }
    #expect(labels(0.01...100) == ["0.01", "0.1", "1", "10", "100"])
    #expect(labels(0.05...2) == ["0.05", "0.1", "0.2", "0.5", "1", "2"])
    #expect(labels(1e-9...1e3) == ["10⁻⁹", "10⁻⁶", "10⁻³", "10⁰", "10³"])
    #expect(labels(3.2...3.9).count >= 2)
  }

  @Test func steps() {
    for length in [1e-300, 3.2e-9, 0.1, 0.25, 0.99, 1, 7, 1e5, 3e200] {
      let step = RoundStep(atLeast: length).value
      #expect(step >= length * 0.999_999 && step <= length * 2.5)
    }
    #expect(RoundStep(atLeast: 0.1).multiple(3) == 0.3)
    #expect(RoundStep(atLeast: 0.21).multiple(1) == 0.25)
  }

  @Test func histograms() {
    let histogram = Histogram([0, 0.1, 0.9, 1, 1.1, .nan, 2], bins: 4)
    #expect(histogram.edges == [0, 0.5, 1, 1.5, 2])
    #expect(histogram.counts == [2, 1, 2, 1])
    #expect(Histogram([3, 3, 3], bins: nil) == Histogram([3, 3, 3], bins: 50))
    #expect(Histogram([.infinity], bins: 3).counts == [])
  }
}
