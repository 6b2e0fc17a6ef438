import Evolution
import Foundation
import Tensors
import Testing

@testable import Inversion

@Suite(.serialized) struct EvolveTests {
  private func coded(_ run: EvolutionRun) throws -> EvolutionRun {
    try JSONDecoder().decode(EvolutionRun.self, from: JSONEncoder().encode(run))
  }

  @Test func goesOnAsIfItHadNeverStopped() throws {
    let objective = try smallObjective()
    let straight = try smallRun().evolved(on: objective, generations: 6, checkEvery: 2)
    for cut in [1, 2, 5] {
      let first = try smallRun().evolved(on: objective, generations: cut, checkEvery: 2)
      let resumed = try coded(first).evolved(on: objective, generations: 6 - cut, checkEvery: 2)
      #expect(resumed == straight)
    }
    #expect(straight.generation == 6 && straight.history.map(\.generation) == Array(1...6))
  }

  @Test func reportsWhatItSpends() throws {
    let objective = try smallObjective()
    var reports: [GenerationReport] = []
    let run = try smallRun().evolved(on: objective, generations: 4, checkEvery: 2) {
      reports.append($0)
    }
    #expect(reports == run.history)
    // The start, five candidates of five draws, and twice the mean and the best.
    #expect(run.forwardPasses == 6 + 4 * 25 + 2 * 2 * 6)
    #expect(reports.map { $0.heldOutMean != nil } == [false, true, false, true])
    #expect(reports.allSatisfy { $0.best <= $0.mean && $0.sigma > 0 })
    let (start, answer) = (try #require(run.start), try #require(run.answer))
    #expect(answer.loss <= start.loss && answer.loss <= run.mean!.loss)
    #expect(run.improvement == 1 - answer.loss / start.loss)
    #expect(run.bestEmbedding == run.subspace.embedding(answer.point))
    #expect(try objective.heldOutLoss(run.bestEmbedding) == answer.loss)
    #expect(run.meanEmbedding == run.subspace.embedding(run.search.mean))
  }

  @Test func endsEarlyWithWhatItHas() throws {
    let objective = try smallObjective()
    let stop = EvokeError(.interrupted, "stopped")
    let afterTwo = try smallRun().evolved(on: objective, generations: 6, checkEvery: 2) {
      if $0.generation == 2 { throw stop }
    }
    #expect(afterTwo.isInterrupted && afterTwo.generation == 2)
    let rest = try afterTwo.evolved(on: objective, generations: 4, checkEvery: 2)
    #expect(try rest == smallRun().evolved(on: objective, generations: 6, checkEvery: 2))

    var calls = 0
    let midway = try smallRun().evolved(on: objective, generations: 6, batch: 5, checkEvery: 2) {
      _ in
    } checkpoint: {
      calls += 1
      // Two batches for the start's held-out set, then five a generation.
      if calls == 2 + 5 + 3 { throw stop }
    }
    #expect(midway.isInterrupted && midway.generation == 1 && midway.history.count == 1)

    let unbegun = try smallRun().evolved(on: objective, generations: 2, checkpoint: { throw stop })
    #expect(unbegun.isInterrupted && unbegun.start == nil && unbegun.answer == nil)
    #expect(unbegun.bestEmbedding == unbegun.subspace.embedding([0, 0, 0, 0]))
    #expect(unbegun.improvement == 0)

    struct Other: Error {}
    #expect(throws: Other.self) {
      _ = try smallRun().evolved(on: objective, generations: 1) { _ in throw Other() }
    }
  }

  @Test func stopsWhenTheSearchHasAReason() throws {
    let space = try smallRun().subspace
    var search = try CMAES(dimension: 4, sigma: 1, population: 5, random: Philox(seed: 1))
    search.criteria.maxGenerations = 2
    let done = try EvolutionRun(search: search, subspace: space).evolved(
      on: smallObjective(), generations: 5)
    #expect(done.generation == 2 && done.search.stoppingReasons == [.maxGenerations])
    #expect(done.answer != nil && !done.isInterrupted)
  }

  @Test func sameBitsWithAnyThreadsAndBatch() throws {
    let threads = Compute.threads
    defer { Compute.threads = threads }
    let expected = try smallRun().evolved(on: smallObjective(), generations: 2)
    for (count, batch) in [(1, 1), (2, 4), (4, 20)] {
      Compute.threads = count
      let run = try smallRun().evolved(on: smallObjective(), generations: 2, batch: batch)
      #expect(run == expected)
    }
  }

  @Test func refusesWhatDoesNotFit() throws {
    let space = try smallRun().subspace
    #expect(
      isRefused(.shape, "dimensions") {
        let search = try CMAES(dimension: 3, sigma: 1, random: Philox(seed: 1))
        _ = try EvolutionRun(search: search, subspace: space)
      })
    let narrow = try Subspace.random(
      ambient: 7, dimension: 4, around: Tensor(zeros: [7]), random: Philox(seed: 1))
    #expect(
      isRefused(.shape, "7 numbers") {
        let run = try EvolutionRun(search: smallRun().search, subspace: narrow)
        _ = try run.evolved(on: smallObjective(), generations: 1)
      })
  }
}
