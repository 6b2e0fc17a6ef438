import Diffusion
import Tensors

/// What one backward pass over denoising tasks gives.
public struct DenoisingGradient: Sendable {
  /// Mean squared errors, one a task.
  public let losses: [Double]
  /// The gradient of Σ weight · loss with respect to the word, [vectors, d].
  public let word: Tensor
  /// ‖∇_c ‖ε_θ(x_t, c) − ε‖‖ of every task, c being the hidden states of its prompt
  /// (Wang & Kalogeiton, hal-04713286, equation 4).
  public let sensitivities: [Double]
}

/// Denoising tasks as the model sees them.
public struct DenoisingBatch: Sendable {
  /// Token ids of the prompts; V, V + 1, … for the word's rows, V being the rows of the table.
  public let prompts: [[Int]]
  /// The prompt of each task.
  public let rows: [Int]
  public let timesteps: [Int]
  /// x_t, [count, C, h, w].
  public let noised: Tensor
  /// What the model should answer, as `noised`.
  public let target: Tensor

  public init(prompts: [[Int]], rows: [Int], timesteps: [Int], noised: Tensor, target: Tensor) {
    precondition(rows.count == timesteps.count && noised.shape == target.shape)
    precondition(noised.shape[0] == rows.count)
    self.prompts = prompts
    self.rows = rows
    self.timesteps = timesteps
    self.noised = noised
    self.target = target
  }

  var count: Int { rows.count }
}

extension DenoisingBatch {
  /// Losses and gradients at a word, [vectors, d]; nothing else of the model is moved.
  ///
  /// Sums over tasks are taken in double in the tasks' order, so that no bit depends on `batch`.
  ///
  /// - Parameters:
  ///   - weights: of the tasks' losses.
  ///   - recomputing: trade time for memory inside the UNet.
  ///   - batch: UNet samples in one call.
  ///   - checkpoint: called between batches; what it throws ends the evaluation.
  public func gradient(
    _ model: DiffusionModel, at word: Tensor, weights: [Double], recomputing: Bool = false,
    batch: Int? = nil, checkpoint: () throws -> Void = {}
  ) throws -> DenoisingGradient {
    let encoder = model.textEncoder
    let (hidden, pullback) = try encoder.recorded(
      try encoder.embeddings(prompts, extra: word), recomputing: recomputing)
    let conditions = try model.unet.conditions(hidden)
    var sums = [Double](repeating: 0, count: hidden.count)
    var losses: [Double] = []
    var sensitivities: [Double] = []
    let size = max(1, batch ?? DenoisingObjective.defaultBatch)
    for first in stride(from: 0, to: count, by: size) {
      try checkpoint()
      let range = first..<min(first + size, count)
      let found = try textGradient(model, range, conditions, weights, recomputing)
      for (place, task) in range.enumerated() {
        let loss = meanSquaredError(found.output.row(place), target.row(task))
        losses.append(loss)
        sensitivities.append(
          sensitivity(found.text.row(place), loss: loss, weight: weights[task]))
        add(found.text.row(place), to: &sums, prompt: rows[task])
      }
    }
    let gradient = Tensor(shape: hidden.shape, values: sums.map { Float($0) })
    return DenoisingGradient(
      losses: losses,
      word: encoder.wordGradient(pullback(gradient), prompts, count: word.shape[0]),
      sensitivities: sensitivities)
  }

  private func textGradient(
    _ model: DiffusionModel, _ range: Range<Int>, _ conditions: TextConditions,
    _ weights: [Double], _ recomputing: Bool
  ) throws -> (output: Tensor, text: Tensor) {
    let elements = Double(target.count / count)
    return try model.unet.textGradient(
      noised.rows(range), timesteps: timesteps[range].map(Double.init), conditions: conditions,
      rows: Array(rows[range]), recomputing: recomputing
    ) { output, samples in
      Tensor.concatenated(
        samples.enumerated().map { place, sample in
          let task = range.lowerBound + sample
          let difference = output.rows(place..<place + 1).minus(target.rows(task..<task + 1))
          return difference.scaled(by: Float(2 * weights[task] / elements))
        }, axis: 0)
    }
  }

  /// From the gradient of weight · mean square to that of the norm: ∇‖r‖ = N/(2‖r‖) ∇(‖r‖²/N).
  private func sensitivity(_ gradient: Tensor, loss: Double, weight: Double) -> Double {
    guard weight > 0, loss > 0 else { return 0 }
    let norm = gradient.values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    return norm / weight * Double(target.count / count).squareRoot() / (2 * loss.squareRoot())
  }

  private func add(_ gradient: Tensor, to sums: inout [Double], prompt: Int) {
    gradient.withUnsafeValues { values in
      let start = prompt * values.count
      for i in values.indices { sums[start + i] += Double(values[i]) }
    }
  }
}
