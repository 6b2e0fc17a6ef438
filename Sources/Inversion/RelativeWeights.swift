import Diffusion
import Tensors

/// 1/E[loss(t)] for ten equal parts of a range of timesteps, from the losses of the empty prompt.
struct RelativeWeights: Sendable {
  private let range: Range<Int>
  private let weights: [Double]

  private static let parts = 10
  private static let drawsPerPart = 8

  init(
    _ model: DiffusionModel, latents: Tensor, timesteps range: Range<Int>, random: Philox
  ) throws {
    self.range = range
    let tasks = try DenoisingDraws(
      count: Self.parts * Self.drawsPerPart, latents: latents, schedule: model.schedule,
      timesteps: TimestepDistribution(range), templateCount: 1, templateLimit: 1, random: random)
    let conditions = try model.unet.conditions(model.encode(prompts: [""]))
    let prediction = try model.unet(
      tasks.noised, timesteps: tasks.timesteps.map(Double.init), conditions: conditions,
      rows: .init(repeating: 0, count: tasks.count))
    let losses = (0..<tasks.count).map {
      meanSquaredError(prediction.row($0), tasks.target.row($0))
    }
    weights = (0..<Self.parts).map { part in
      // Draws are stratified in order, so that the tasks of a part lie together.
      let some = losses[part * Self.drawsPerPart..<(part + 1) * Self.drawsPerPart]
      return Double(Self.drawsPerPart) / max(some.reduce(0, +), 1e-12)
    }
  }

  func weight(at timestep: Int) -> Double {
    weights[(timestep - range.lowerBound) * Self.parts / range.count]
  }
}
