import Diffusion
import Evolution
import Tensors
import Testing

@testable import Inversion

@Suite(.serialized) struct ObjectiveTests {
  private func candidates(_ count: Int) throws -> [Tensor] {
    let run = try smallRun()
    var random = Philox(seed: 4)
    return (0..<count).map { _ in run.subspace.embedding(random.normals(4)) }
  }

  @Test func batchesChangeNoBit() throws {
    let objective = try smallObjective()
    let some = try candidates(4)
    let expected = try objective.losses(some, generation: 3)
    for batch in [1, 4, 7, 20, 1000] {
      #expect(try objective.losses(some, generation: 3, batch: batch) == expected)
    }
    // Nor does what else is evaluated beside a candidate.
    for (candidate, loss) in zip(some, expected) {
      #expect(try objective.losses([candidate], generation: 3) == [loss])
    }
    #expect(try objective.heldOutLosses(some, batch: 3) == objective.heldOutLosses(some))
    #expect(try objective.heldOutLoss(some[1]) == objective.heldOutLosses(some)[1])
  }

  @Test func threadsAndInstructionSetsChangeNoBit() throws {
    let (threads, set) = (Compute.threads, Compute.instructionSet)
    defer {
      Compute.threads = threads
      try? Compute.setInstructionSet(set)
    }
    let some = try candidates(2)
    let expected = try smallObjective().losses(some, generation: 0)
    for count in [1, 2, 4] {
      Compute.threads = count
      #expect(try smallObjective().losses(some, generation: 0) == expected)
    }
    for set in Compute.supported where set != .scalar {
      try Compute.setInstructionSet(set)
      #expect(try smallObjective().losses(some, generation: 0) == expected)
    }
  }

  @Test("candidates may come in any order, under any circumstances", arguments: 0..<2)
  func orderChangesNoBit(_ seed: Int) throws {
    let (threads, best) = (Compute.threads, Compute.instructionSet)
    defer {
      Compute.threads = threads
      try? Compute.setInstructionSet(best)
    }
    var random = Philox(seed: UInt64(seed), stream: "order")
    let objective = try smallObjective(draws: 2 + seed, seed: UInt64(seed))
    let some = try candidates(5)
    let expected = try objective.losses(some, generation: seed)
    for set in Compute.supported {
      try Compute.setInstructionSet(set)
      for count in set == .scalar ? [1 + seed] : [1, 2, 3, 4] {
        Compute.threads = count
        let order = random.shuffled(Array(some.indices)).prefix(set == .scalar ? 2 : 5)
        let batch = 1 + random.integer(below: 2 * some.count)
        let found = try objective.losses(
          order.map { some[$0] }, generation: seed, batch: batch)
        #expect(
          found == order.map { expected[$0] },
          "\(set), \(count) threads, batches of \(batch), order \(order)")
      }
    }
  }

  @Test func drawsAreSharedStratifiedAndFreshEachGeneration() throws {
    let objective = try smallObjective()
    let one = try candidates(1)[0]
    let twice = try objective.losses([one, one], generation: 0)
    #expect(twice[0] == twice[1])
    #expect(try objective.losses([one], generation: 1) != [twice[0]])
    #expect(try objective.losses([one], generation: 0) == [twice[0]])
    let model = try demo.get()
    let tasks = try DenoisingDraws(
      count: 50, latents: objective.latents, schedule: model.schedule,
      timesteps: TimestepDistribution(100..<600),
      templateCount: 9, templateLimit: 4, random: Philox(seed: 2))
    for (part, t) in tasks.timesteps.enumerated() {
      #expect((100 + 10 * part..<110 + 10 * part).contains(t))
    }
    #expect(Set(tasks.templates).count == 4 && Set(tasks.pictures) == [0, 1, 2])
    #expect(tasks.noised.shape == [50] + objective.latents.shape.dropFirst())
  }

  @Test func weightsFavourEasyTimesteps() throws {
    let plain = try smallObjective(draws: 40)
    let weighted = try smallObjective(draws: 40, weighting: .relative)
    let one = try candidates(1)
    #expect(try plain.losses(one, generation: 0) != weighted.losses(one, generation: 0))
    let model = try demo.get()
    let weights = try RelativeWeights(
      model, latents: plain.latents, timesteps: 0..<1000, random: Philox(seed: 1))
    // Noise is hardest to tell from the picture where there is little of it.
    #expect(weights.weight(at: 950) > weights.weight(at: 50))
    #expect(weights.weight(at: 999) > 0 && weights.weight(at: 0) > 0)
  }

  @Test func severalVectors() throws {
    let objective = try smallObjective(vectors: 2)
    let one = try candidates(2)
    let pair = Tensor.stacked(one)
    #expect(try objective.losses([pair], generation: 0)[0].isFinite)
    #expect(isRefused(.shape, "2×") { _ = try objective.losses(one, generation: 0) })
  }

  @Test func aLearnedWordIsEncodedAsThePipelineDoes() throws {
    // The objective's own encoding of candidates against the model's of a prompt with a word.
    let model = try demo.get()
    let objective = try smallObjective(prompts: .templates(["a photo of a {}"]))
    let one = try candidates(1)[0]
    let word = try LearnedWord("<w>", vectors: one)
    let text = try model.encode(prompts: ["a photo of a <w>"], with: [word])
    let tasks = try DenoisingDraws(
      count: 3, latents: objective.latents, schedule: model.schedule,
      timesteps: TimestepDistribution(0..<1000),
      templateCount: 1, templateLimit: 4, random: Philox(seed: 2))
    let losses = try objective.taskLosses([one], tasks, batch: nil) {}
    for task in 0..<3 {
      let prediction = try model.unet(
        tasks.noised.rows(task..<task + 1), timesteps: [Double(tasks.timesteps[task])], text: text)
      #expect(losses[0][task] == meanSquaredError(prediction.row(0), tasks.target.row(task)))
    }
  }

  @Test func refusals() throws {
    let model = try demo.get()
    let random = Philox(seed: 1)
    #expect(
      isRefused(.value, "timesteps") {
        _ = try DenoisingObjective(model, discs, timesteps: 0..<2000, random: random)
      })
    #expect(
      isRefused(.value, "timesteps") {
        _ = try DenoisingObjective(model, discs, timesteps: 5..<5, random: random)
      })
    #expect(
      isRefused(.value, "draws") {
        _ = try DenoisingObjective(model, discs, draws: 0, random: random)
      })
    #expect(
      isRefused(.value, "pictures") { _ = try DenoisingObjective(model, [], random: random) })
    #expect(
      isRefused(.shape, "embedding") {
        _ = try smallObjective().losses([Tensor(zeros: [3])], generation: 0)
      })
  }
}
