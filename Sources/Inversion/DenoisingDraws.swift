import Diffusion
import Tensors

/// A set of denoising tasks: noised latents with what the model should answer, each with its
/// timestep and its prompt. Every candidate that is compared gets the same ones.
struct DenoisingDraws: Sendable {
  let timesteps: [Int]
  /// Index into the objective's templates, one a task.
  let templates: [Int]
  let pictures: [Int]
  /// x_t, [count, C, h, w].
  let noised: Tensor
  /// What the model should predict, as `noised`.
  let target: Tensor

  var count: Int { timesteps.count }

  /// Draws `count` tasks.
  ///
  /// Timesteps are stratified: one from each of `count` equal shares of the distribution. Pictures,
  /// and up to `templateLimit` templates, take turns in random order.
  init(
    count: Int, latents: Tensor, schedule: NoiseSchedule,
    timesteps distribution: TimestepDistribution,
    templateCount: Int, templateLimit: Int, random: Philox
  ) throws {
    var draws = random
    timesteps = (0..<count).map { part in
      distribution.timestep(at: Double(part) + draws.uniform(), of: count)
    }
    func turns(_ choices: [Int]) -> [Int] {
      draws.shuffled((0..<count).map { choices[$0 % choices.count] })
    }
    let someTemplates = draws.shuffled(Array(0..<templateCount)).prefix(templateLimit)
    templates = turns(Array(someTemplates))
    pictures = turns(draws.shuffled(Array(0..<latents.shape[0])))
    let noise = draws.normals(shape: [count] + latents.shape.dropFirst())
    let original = Tensor.stacked(pictures.map { latents.row($0) })
    noised = try schedule.noised(original, noise, at: timesteps)
    target = try schedule.target(original, noise, at: timesteps)
  }
}
