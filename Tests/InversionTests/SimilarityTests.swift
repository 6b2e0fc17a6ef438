import Diffusion
import Evolution
import Foundation
import Tensors
import Testing

@testable import Inversion

@Suite(.serialized) struct SimilarityTests {
  private func small(
    draws: Int = 2, guidance: Float = 2, vectors: Int = 1
  ) throws -> SimilarityObjective {
    try SimilarityObjective(
      demo.get(), discs, draws: draws, steps: 2, guidance: guidance, heldOutDraws: 2,
      vectors: vectors, random: Philox(seed: 1))
  }

  private func candidates(_ count: Int) throws -> [Tensor] {
    let run = try smallRun()
    var random = Philox(seed: 4)
    return (0..<count).map { _ in run.subspace.embedding(random.normals(4)) }
  }

  @Test("A loss is what drawing the word and aligning the pictures give")
  func isTheAlignmentOfDrawnPictures() throws {
    let (model, objective) = (try demo.get(), try small(draws: 3))
    for candidate in try candidates(1) {
      let drawings = Drawings(
        count: 3, of: objective.templates, random: Philox(seed: 1).derived("train").derived(5))
      var request = GenerationRequest(
        prompts: drawings.templates.map { $0.replacing("{}", with: "<w>") },
        seeds: drawings.seeds)
      request.words = [try LearnedWord("<w>", vectors: candidate.reshaped([1, candidate.count]))]
      (request.steps, request.guidance, request.sampler) = (2, 2, .dpm)
      let alignment = try align(model, model.generate(request), with: discs)
      let loss = try objective.losses([candidate], generation: 5)[0]
      #expect(abs(loss - (1 - alignment)) < 1e-6)
    }
  }

  @Test func neitherThreadsNorCompanyChangeABit() throws {
    let threads = Compute.threads
    defer { Compute.threads = threads }
    let (objective, some) = (try small(), try candidates(2))
    let expected = try objective.losses(some, generation: 3)
    #expect(expected[0] != expected[1])
    for count in [1, 4] {
      Compute.threads = count
      #expect(try objective.losses(some, generation: 3) == expected)
    }
    #expect(try some.map { try objective.losses([$0], generation: 3)[0] } == expected)
    #expect(try objective.losses(some, generation: 4) != expected)
    #expect(try objective.heldOutLosses(some)[1] == objective.heldOutLoss(some[1]))
  }

  @Test func evolvesAndGoesOnAsIfItHadNeverStopped() throws {
    let objective = try small()
    let straight = try smallRun().evolved(on: objective, generations: 2, checkEvery: 2)
    let first = try smallRun().evolved(on: objective, generations: 1, checkEvery: 2)
    let kept = try JSONDecoder().decode(EvolutionRun.self, from: JSONEncoder().encode(first))
    #expect(try kept.evolved(on: objective, generations: 1, checkEvery: 2) == straight)
    // The start, five candidates of two pictures, and once the mean and the best, of four samples.
    #expect(objective.samplesPerDraw == 4)
    #expect(straight.forwardPasses == 4 * (2 + 2 * 5 * 2 + 2 * 2))
    #expect(straight.measure == "1 − CLIP similarity")
    #expect(try small(guidance: 1).samplesPerDraw == 2)
  }

  @Test func stopsBetweenSteps() throws {
    let stop = EvokeError(.interrupted, "stopped")
    var calls = 0
    let run = try smallRun().evolved(
      on: small(), generations: 3,
      checkpoint: {
        calls += 1
        if calls == 8 { throw stop }
      })
    #expect(run.isInterrupted && run.generation == 1)
  }

  @Test func refusals() throws {
    let (model, random) = (try demo.get(), Philox(seed: 1))
    #expect(
      isRefused(.value, "pictures") { _ = try SimilarityObjective(model, [], random: random) })
    #expect(isRefused(.value, "draws") { _ = try small(draws: 0) })
    #expect(
      isRefused(.value, "steps") {
        _ = try SimilarityObjective(model, discs, steps: 1001, random: random)
      })
    #expect(
      isRefused(.shape, "2×") { _ = try small(vectors: 2).losses(candidates(1), generation: 0) })
    let searched = try smallRun().evolved(on: smallObjective(), generations: 1)
    #expect(
      isRefused(.value, "denoising loss") { _ = try searched.evolved(on: small(), generations: 1) })
  }
}
