import Inversion
import Pictures

extension Chart {
  /// Losses by generation: the best and the mean candidate, and the held-out set.
  init(progressOf run: EvolutionRun) {
    let generations = run.history.map { Double($0.generation) }
    let measured = run.history.filter { $0.heldOutBest != nil }
    var series: [Chart.Series] = [
      .line("best candidate", x: generations, y: run.history.map(\.best), markers: false),
      .line("mean of the population", x: generations, y: run.history.map(\.mean), markers: false),
    ]
    if let start = run.start {
      series.append(
        .line(
          "held-out, best so far", x: [0] + measured.map { Double($0.generation) },
          y: [start.loss] + measured.map { $0.heldOutBest ?? .nan }))
    }
    self.init(
      title: "evolution", x: .init("generation"), y: .init(run.measure ?? "loss"), series: series)
  }
}
