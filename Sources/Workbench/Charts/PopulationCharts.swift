import Evolution
import Inversion
import Language
import Pictures
import Tensors

/// A search's generations in the plane: its candidates, the distribution that they were drawn from,
/// and the way of its mean.
struct PopulationCharts {
  private let generations: [RetracedGeneration]
  private let view: SearchView
  private let path: [(x: Double, y: Double)]
  private let end: (mean: [Double], covariance: Matrix)

  /// The most generations that a moving picture has; of more, every second, third … is taken.
  private static let mostFrames = 60

  /// - Throws: `EvokeError` (value) for a search without generations.
  init(_ run: EvolutionRun) throws {
    guard !run.history.isEmpty else {
      throw EvokeError(
        .value, "this search has no generations to look at yet",
        hint: "es = evolve(es, loss, generations: 10)")
    }
    let generations = try run.retraced()
    let view = SearchView(generations, towards: run.search.mean)
    self.generations = generations
    self.view = view
    path = (generations.map(\.mean) + [run.search.mean]).map(view.place)
    let scale = run.search.sigma * run.search.sigma
    let covariance = run.search.covarianceMatrix
    end = (
      run.search.mean,
      Matrix(
        rows: covariance.rows, columns: covariance.columns,
        values: covariance.values.map { scale * $0 })
    )
  }

  /// One chart a generation, and what to say of each.
  var moving: [(chart: Chart, label: String)] {
    let every = (generations.count + Self.mostFrames - 1) / Self.mostFrames
    return generations.indices.filter { ($0 + 1) % every == 0 || $0 == generations.count - 1 }
      .map { index in
        let generation = generations[index]
        let losses = generation.losses.filter(\.isFinite)
        let mean = losses.reduce(0, +) / Double(max(1, losses.count))
        let label =
          "generation \(generation.generation) of \(generations.count) · "
          + "best \(Format.number(losses.min() ?? .nan)) · mean \(Format.number(mean))"
        return (chart(index), label)
      }
  }

  /// The same for a page.
  var steps: Depiction.Steps {
    get throws {
      let moving = moving
      return Depiction.Steps(
        svg: try Chart.steps(moving.map(\.chart)), labels: moving.map(\.label),
        still: try still.svg())
    }
  }

  private func chart(_ index: Int) -> Chart {
    let generation = generations[index]
    let places = generation.candidates.map(view.place)
    return base([
      pathSeries(path[...index]),
      ellipse(generation.mean, generation.covariance, name: "1 σ and 2 σ"),
      .points(
        "candidates", x: places.map(\.x), y: places.map(\.y), color: Color.palette[1]),
      start,
    ])
  }

  /// All generations in one chart, from dark to light.
  var still: Chart {
    let shown = 12
    let chosen = Set((0..<shown).map { $0 * (generations.count - 1) / (shown - 1) })
    let points = chosen.sorted().flatMap { index in
      generations[index].candidates.map {
        (
          place: view.place($0), shade: Double(index) / Double(max(1, generations.count - 1))
        )
      }
    }
    return base([
      .points(
        "candidates, first to last generation", x: points.map(\.place.x), y: points.map(\.place.y),
        shades: points.map(\.shade)),
      pathSeries(path[...]),
      ellipse(end.mean, end.covariance, name: "1 σ and 2 σ at the end"),
      start,
    ])
  }

  private func base(_ series: [Chart.Series]) -> Chart {
    Chart(
      title: "population", x: .init("from the start towards the answer"),
      y: .init("across, where it is widest"), series: series, hasEqualUnits: true,
      width: 440, height: 420)
  }

  private var start: Chart.Series {
    .points("start", x: [path[0].x], y: [path[0].y], color: .black)
  }

  private func pathSeries(_ path: ArraySlice<(x: Double, y: Double)>) -> Chart.Series {
    .line(
      "way of the mean", x: path.map(\.x), y: path.map(\.y), markers: false,
      color: Color(0x333333))
  }

  private func ellipse(_ mean: [Double], _ covariance: Matrix, name: String) -> Chart.Series {
    let (place, seen) = (view.place(mean), view.covariance(covariance))
    return .ellipse(
      name, x: place.x, y: place.y, xx: seen.xx, xy: seen.xy, yy: seen.yy,
      color: Color.palette[0])
  }
}
