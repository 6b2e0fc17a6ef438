import Tensors

extension DenoisingObjective {
  /// The loss, its gradient with respect to the word [vectors, d], and the sensitivity at every
  /// timestep drawn.
  public struct Slope: Sendable {
    public let loss: Double
    public let gradient: [Double]
    public let sensitivities: [(timestep: Int, value: Double)]
  }

  /// The gradient of the loss on the draws of a generation.
  ///
  /// - Parameters:
  ///   - word: an embedding [d] or [vectors, d].
  ///   - draws: denoising tasks.
  ///   - distribution: what timesteps are drawn from; the objective's range by default.
  ///   - recomputing: trade time for memory inside the UNet; the bits are the same.
  /// - Throws: `EvokeError(.shape)` for a word of another width; what `checkpoint` throws.
  public func slope(
    at word: Tensor, generation: Int, draws: Int, distribution: TimestepDistribution? = nil,
    recomputing: Bool = false, batch: Int? = nil, checkpoint: () throws -> Void = {}
  ) throws -> Slope {
    let width = model.textEncoder.width
    guard word.count == vectors * width else {
      throw EvokeError(
        .shape,
        "an embedding of shape \(word.shape) for a word of \(vectors)×\(width) numbers")
    }
    let tasks = try tasks(draws, generation: generation, distribution)
    let raw = weights(of: tasks)
    let total = raw.reduce(0, +)
    let weights = raw.map { $0 / total }
    var used: [Int] = []
    for template in tasks.templates where !used.contains(template) { used.append(template) }
    let found = try DenoisingBatch(
      prompts: used.map { templateIDs[$0] },
      rows: tasks.templates.map { used.firstIndex(of: $0) ?? 0 }, timesteps: tasks.timesteps,
      noised: tasks.noised, target: tasks.target
    ).gradient(
      model, at: word.reshaped([vectors, width]), weights: weights, recomputing: recomputing,
      batch: batch, checkpoint: checkpoint)
    return Slope(
      loss: zip(found.losses, weights).reduce(0) { $0 + $1.0 * $1.1 },
      gradient: found.word.values.map(Double.init),
      sensitivities: zip(tasks.timesteps, found.sensitivities).map { ($0, $1) })
  }
}
