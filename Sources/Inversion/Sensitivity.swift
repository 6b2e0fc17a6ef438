import Diffusion
import Pictures
import Tensors

/// How sensitivities are measured.
public enum SensitivityMethod: Sendable, Equatable {
  /// By a backward pass.
  case gradient
  /// By forward passes alone: central differences along random directions of the condition. With
  /// standard normal directions u, E(u · ∇)² = ‖∇‖².
  case difference(directions: Int, step: Double)
}

/// g(t), how strongly the condition acts at a timestep, with standard errors.
public struct SensitivityCurve: Sendable, Equatable, Codable {
  /// Ascending.
  public let timesteps: [Int]
  public let values: [Double]
  public let errors: [Double]
  /// The model's timesteps.
  public let range: Range<Int>

  /// g at any timestep: linear between the measured ones, level beyond.
  func value(at timestep: Int) -> Double {
    guard let next = timesteps.firstIndex(where: { $0 >= timestep }) else {
      return values[values.count - 1]
    }
    guard next > 0, timesteps[next] > timestep else { return values[next] }
    let (low, high) = (timesteps[next - 1], timesteps[next])
    let share = Double(timestep - low) / Double(high - low)
    return (1 - share) * values[next - 1] + share * values[next]
  }

  /// The interval of `width` timesteps in which g is largest on average, the first of several: the
  /// high-grad timesteps of Wang & Kalogeiton. A width of 1 gives the one timestep.
  public func peak(width: Int) -> Range<Int> {
    let dense = range.map { value(at: $0) }
    let width = min(max(1, width), dense.count)
    var sum = dense[..<width].reduce(0, +)
    var (best, place) = (sum, 0)
    for start in stride(from: 1, through: dense.count - width, by: 1) {
      sum += dense[start + width - 1] - dense[start - 1]
      if sum > best * (1 + 1e-12) { (best, place) = (sum, start) }
    }
    return range.lowerBound + place..<range.lowerBound + place + width
  }
}

/// Collects g(t) = E‖∇_c ‖ε_θ(x_t, c) − ε‖‖ over pictures and noise (Wang & Kalogeiton,
/// hal-04713286, equation 4).
///
/// Every timestep gets the same pictures, noise and directions, so that timesteps compare.
///
/// - Parameters:
///   - condition: hidden states of a prompt, [1, L, d].
///   - timesteps: where to measure.
///   - draws: pictures with noise a timestep.
///   - batch: UNet samples in one call; no bit of the result depends on it.
/// - Throws: `EvokeError` for no pictures, timesteps outside the model's, counts below 1.
public func sensitivity(
  _ model: DiffusionModel, _ pictures: [Picture], condition: Tensor, timesteps: [Int],
  draws: Int = 16, by method: SensitivityMethod = .gradient, random: Philox, batch: Int? = nil,
  checkpoint: () throws -> Void = {}
) throws -> SensitivityCurve {
  let range = 0..<model.schedule.trainingSteps
  guard !timesteps.isEmpty, timesteps.allSatisfy(range.contains), draws >= 1 else {
    throw EvokeError(.value, "sensitivities need timesteps within \(range), and draws")
  }
  let latents = try model.latents(pictures)
  var noises = random.derived("noise")
  let noise = noises.normals(shape: [draws] + latents.shape.dropFirst())
  let original = Tensor.stacked((0..<draws).map { latents.row($0 % latents.shape[0]) })
  let sorted = Array(Set(timesteps)).sorted()
  var (values, errors): ([Double], [Double]) = ([], [])
  for timestep in sorted {
    let all = Array(repeating: timestep, count: draws)
    let found = try sensitivities(
      model, condition: condition, timesteps: all,
      noised: model.schedule.noised(original, noise, at: all),
      target: model.schedule.target(original, noise, at: all), by: method,
      random: random.derived("directions"), batch: batch, checkpoint: checkpoint)
    let mean = found.reduce(0, +) / Double(draws)
    let squares = found.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    values.append(mean)
    errors.append(draws > 1 ? (squares / Double(draws * (draws - 1))).squareRoot() : 0)
  }
  return SensitivityCurve(timesteps: sorted, values: values, errors: errors, range: range)
}

/// ‖∇_c ‖ε_θ(x_t, c) − target‖‖ of every sample, c [1, L, d] being the condition of all.
public func sensitivities(
  _ model: DiffusionModel, condition: Tensor, timesteps: [Int], noised: Tensor, target: Tensor,
  by method: SensitivityMethod, random: Philox, batch: Int? = nil,
  checkpoint: () throws -> Void = {}
) throws -> [Double] {
  let size = min(
    max(1, batch ?? DenoisingObjective.defaultBatch), model.unet.prefixes(of: noised))
  var result: [Double] = []
  let conditions: TextConditions
  switch method {
  case .gradient: conditions = try model.unet.conditions(condition)
  case .difference(let directions, let step):
    conditions = try model.unet.conditions(
      displaced(condition, directions: directions, step: step, random: random))
  }
  for first in stride(from: 0, to: timesteps.count, by: size) {
    try checkpoint()
    let range = first..<min(first + size, timesteps.count)
    let (z, goal) = (noised.rows(range), target.rows(range))
    let t = timesteps[range].map(Double.init)
    switch method {
    case .gradient:
      let found = try model.unet.textGradient(
        z, timesteps: t, conditions: conditions, rows: t.map { _ in 0 }
      ) { output, samples in direction(output.minus(goal.rows(samples))) }
      result += range.indices.map { norm(found.text.row($0 - range.lowerBound)) }
    case .difference(let directions, let step):
      result += try differences(model, z, t, goal, conditions, directions, step, checkpoint)
    }
  }
  return result
}

/// c + h u and c − h u for every direction u, [2 · directions, L, d].
private func displaced(
  _ condition: Tensor, directions: Int, step: Double, random: Philox
) -> Tensor {
  var draws = random
  let moves = (0..<directions).map { _ in
    draws.normals(shape: condition.shape).scaled(by: Float(step))
  }
  return Tensor.concatenated(
    moves.flatMap { [condition.plus($0), condition.minus($0)] }, axis: 0)
}

private func differences(
  _ model: DiffusionModel, _ z: Tensor, _ timesteps: [Double], _ target: Tensor,
  _ conditions: TextConditions, _ directions: Int, _ step: Double, _ checkpoint: () throws -> Void
) throws -> [Double] {
  let prefix = try model.unet.prefix(z, timesteps: timesteps)
  var squares = [Double](repeating: 0, count: timesteps.count)
  for k in 0..<directions {
    try checkpoint()
    let sides = try [2 * k, 2 * k + 1].map { row in
      let output = try model.unet(
        prefix, conditions: conditions, rows: timesteps.map { _ in row })
      return timesteps.indices.map { norm(output.row($0).minus(target.row($0))) }
    }
    for i in squares.indices {
      let slope = (sides[0][i] - sides[1][i]) / (2 * step)
      squares[i] += slope * slope
    }
  }
  return squares.map { ($0 / Double(directions)).squareRoot() }
}

/// Every sample divided by its norm: the gradient of the norms.
private func direction(_ differences: Tensor) -> Tensor {
  Tensor.stacked(
    (0..<differences.shape[0]).map { sample in
      let row = differences.row(sample)
      return row.scaled(by: Float(1 / max(norm(row), 1e-30)))
    })
}

private func norm(_ tensor: Tensor) -> Double {
  tensor.withUnsafeValues { $0.reduce(0) { $0 + Double($1) * Double($1) } }.squareRoot()
}

/// Spearman's rank correlation of two lists of numbers; equal ones share their mean rank.
///
/// - Throws: `EvokeError(.value)` for lists of unequal length, or of fewer than two numbers.
public func rankCorrelation(_ a: [Double], _ b: [Double]) throws -> Double {
  guard a.count == b.count, a.count > 1 else {
    throw EvokeError(.value, "a rank correlation needs two equally long lists of two or more")
  }
  let (x, y) = (ranks(a), ranks(b))
  let mean = Double(a.count - 1) / 2
  func product(_ x: [Double], _ y: [Double]) -> Double {
    zip(x, y).reduce(0) { $0 + ($1.0 - mean) * ($1.1 - mean) }
  }
  let size = (product(x, x) * product(y, y)).squareRoot()
  return size > 0 ? product(x, y) / size : 0
}

private func ranks(_ values: [Double]) -> [Double] {
  values.map { value in
    let below = values.count { $0 < value }
    let equal = values.count { $0 == value }
    return Double(below) + Double(equal - 1) / 2
  }
}
