import Diffusion
import Evolution
import Foundation
import Tensors
import Testing

@testable import Inversion

@Suite(.serialized) struct DescentTests {
  private func run(_ change: (inout AdamSettings) -> Void = { _ in }) throws -> DescentRun {
    var settings = AdamSettings(rate: 0.02)
    change(&settings)
    return try DescentRun(
      settings, start: wordEmbedding(demo.get(), "star"), batch: 2, accumulation: 2)
  }

  /// The gradient of the loss against central differences of it along random directions.
  @Test(arguments: [1, 2]) func slopesAreDifferences(_ vectors: Int) throws {
    let objective = try smallObjective(weighting: .relative, vectors: vectors)
    var random = Philox(seed: 3)
    let width = objective.model.textEncoder.width
    let word = random.normals(shape: [vectors, width]).scaled(by: 0.05)
    let slope = try objective.slope(at: word, generation: 0, draws: 5)
    #expect(abs(try objective.losses([word], generation: 0)[0] - slope.loss) < 1e-12)
    for _ in 0..<3 {
      let move = random.normals(shape: [vectors, width])
      let step: Float = 2e-3
      let sides = try objective.losses(
        [
          word.scaled(by: 1, plus: move, scaledBy: step),
          word.scaled(by: 1, plus: move, scaledBy: -step),
        ],
        generation: 0)
      let expected = zip(slope.gradient, move.values).reduce(0) { $0 + $1.0 * Double($1.1) }
      #expect(
        abs((sides[0] - sides[1]) / (2 * Double(step)) - expected) < 0.02 * abs(expected) + 2e-5)
    }
  }

  @Test func goesOnAsIfItHadNeverStopped() throws {
    let objective = try smallObjective()
    let straight = try run().descended(on: objective, steps: 5, checkEvery: 2)
    for cut in [1, 4] {
      let first = try run().descended(on: objective, steps: cut, checkEvery: 2)
      let stored = try JSONDecoder().decode(
        DescentRun.self, from: JSONEncoder().encode(first))
      #expect(try stored.descended(on: objective, steps: 5 - cut, checkEvery: 2) == straight)
    }
    let stopped = try run().descended(on: objective, steps: 5, checkEvery: 2) {
      if $0.step == 3 { throw EvokeError(.interrupted, "stopped") }
    }
    #expect(stopped.isInterrupted && stopped.step == 3)
    #expect(try stopped.descended(on: objective, steps: 2, checkEvery: 2) == straight)
    #expect(straight.history.map(\.heldOut).map { $0 != nil } == [false, true, false, true, false])
    #expect(straight.forwardPasses == 6 + 5 * 3 * 4 + 2 * 6)
  }

  @Test func sameBitsWithAnyThreadsBatchAndRecomputing() throws {
    let threads = Compute.threads
    defer { Compute.threads = threads }
    let expected = try run().descended(on: smallObjective(), steps: 2)
    for (count, samples, recomputing) in [(1, 1, false), (2, 3, true), (4, 20, true)] {
      Compute.threads = count
      let other = try run().descended(
        on: smallObjective(), steps: 2, samples: samples, recomputing: recomputing)
      #expect(other == expected)
    }
  }

  /// Nothing but the word moves, and it moves downhill.
  @Test func movesTheWordAlone() throws {
    let objective = try smallObjective(draws: 8)
    let before = try demo.get().textEncoder.tokenTable.values
    let done = try run().descended(on: objective, steps: 12, checkEvery: 4)
    #expect(try demo.get().textEncoder.tokenTable.values == before)
    #expect(done.improvement > 0 && done.answer!.loss < done.start!.loss, "\(done.history)")
    #expect(try objective.heldOutLoss(done.bestEmbedding) == done.answer!.loss)
  }

  @Test func adaptiveTimestepsFollowTheSensitivity() throws {
    let objective = try DenoisingObjective(
      demo.get(), discs, timesteps: 0..<1000, adaptive: true, draws: 4, heldOutDraws: 4,
      random: Philox(seed: 1))
    let done = try run().descended(on: objective, steps: 4)
    let profile = try #require(done.profile)
    #expect(profile.distribution.weights.allSatisfy { $0 >= 0.9 * SensitivityProfile.floor / 20 })
    #expect(Set(profile.means).count > 4)
    let evolved = try smallRun().evolved(on: objective, generations: 2)
    #expect(evolved.profile != nil)
  }

  @Test func distributionsAreProportional() {
    let weighted = TimestepDistribution(100..<200, weights: [1, 0, 3])
    let drawn = (0..<400).map { weighted.timestep(at: Double($0) + 0.5, of: 400) }
    #expect(drawn == drawn.sorted() && drawn.allSatisfy((100..<200).contains))
    #expect(drawn.filter { $0 < 134 }.count == 100 && drawn.filter { $0 >= 166 }.count == 300)
  }

  @Test func levelsAreNoticed() {
    let stopping = FixedSetStopping(window: 3, threshold: 0.15)
    #expect(stopping.reason([9, 8, 7, 6, 5, 4]) == nil)
    #expect(stopping.reason([9, 6, 4, 3, 3, 3]) != nil)
    #expect(stopping.reason([3, 3, 3]) == nil)
  }

  @Test func refusals() throws {
    let start = try wordEmbedding(demo.get(), "star")
    #expect(isRefused(.value, "AdamW") { _ = try DescentRun(AdamSettings(rate: 0), start: start) })
    #expect(
      isRefused(.value, "batch") {
        _ = try DescentRun(AdamSettings(rate: 1), start: start, batch: 0)
      })
    #expect(
      isRefused(.shape, "word") {
        _ = try DescentRun(AdamSettings(rate: 1), start: Tensor(zeros: [3]))
          .descended(on: smallObjective(), steps: 1)
      })
  }
}
