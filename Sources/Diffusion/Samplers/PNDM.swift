import Tensors

/// Pseudo numerical methods: linear multistep (PLMS), begun by Runge–Kutta steps unless the model's
/// scheduler file says `skip_prk_steps`, as those of Stable Diffusion do.
///
/// Source: Liu et al., arXiv 2202.09778, eq. 9, 12, 13 and algorithm 2; diffusers `PNDMScheduler`.
struct PNDMSampler: Sampler {
  let timesteps: [Double]
  private let schedule: NoiseSchedule
  private let calls: [Int]
  private let rungeKuttaCalls: Int
  private let stride: Int
  private var outputs: [Tensor] = []
  private var heldSample: Tensor?
  private var rungeKuttaSum: [(weight: Double, tensor: Tensor)] = []

  init(_ schedule: NoiseSchedule, steps: Int) throws {
    self.schedule = schedule
    stride = schedule.trainingSteps / steps
    let falling = try schedule.timesteps(steps, spacing: schedule.options.spacing ?? .leading)
    if schedule.options.skipRungeKutta {
      // The second timestep comes twice: the first step is corrected by a second look at it.
      calls = Array(falling.prefix(2)) + Array(falling.dropFirst(1))
      rungeKuttaCalls = 0
    } else {
      guard steps >= 4 else {
        throw EvokeError(.value, "the pndm sampler takes at least 4 steps, not \(steps)")
      }
      let begin = Self.rungeKuttaTimesteps(Array(falling.prefix(4)), half: stride / 2)
      rungeKuttaCalls = begin.count
      calls = begin + falling.dropFirst(3)
    }
    timesteps = calls.map(Double.init)
  }

  /// Each of the first three steps: its timestep, twice its middle, its end.
  private static func rungeKuttaTimesteps(_ falling: [Int], half: Int) -> [Int] {
    (0..<3).flatMap { (i: Int) -> [Int] in
      let (start, end) = (falling[i], falling[i + 1])
      return [start, end + half, end + half, end]
    }
  }

  mutating func step(_ output: Tensor, at i: Int, sample: Tensor, noise: Tensor?) -> Tensor {
    i < rungeKuttaCalls
      ? rungeKuttaStep(output, at: i, sample) : multistep(output, at: i, sample)
  }

  private mutating func rungeKuttaStep(_ output: Tensor, at i: Int, _ sample: Tensor) -> Tensor {
    let start = calls[i / 4 * 4]
    let end = calls[i] - (i % 2 == 1 ? 0 : stride / 2)
    var slope = output
    switch i % 4 {
    case 0:
      rungeKuttaSum = [(1.0 / 6, output)]
      outputs.append(output)
      heldSample = sample
    case 3:
      slope = combination(rungeKuttaSum + [(1.0 / 6, output)])
    default:
      rungeKuttaSum.append((1.0 / 3, output))
    }
    return moved(heldSample ?? sample, slope, from: start, to: end)
  }

  private mutating func multistep(_ output: Tensor, at i: Int, _ sample: Tensor) -> Tensor {
    if rungeKuttaCalls == 0 && i == 1 {
      // Heun's correction of the first step, from where that one began.
      let slope = combination([(0.5, output), (0.5, outputs[0])])
      return moved(heldSample ?? sample, slope, from: calls[1] + stride, to: calls[1])
    }
    if i == 0 { heldSample = sample }
    outputs = outputs.suffix(3) + [output]
    return moved(sample, multistepSlope(), from: calls[i], to: calls[i] - stride)
  }

  /// Adams–Bashforth weights for as many outputs as there are.
  private func multistepSlope() -> Tensor {
    let weights: [Double]
    switch outputs.count {
    case 1: weights = [1]
    case 2: weights = [-1.0 / 2, 3.0 / 2]
    case 3: weights = [5.0 / 12, -16.0 / 12, 23.0 / 12]
    default: weights = [-9.0 / 24, 37.0 / 24, -59.0 / 24, 55.0 / 24]
    }
    return combination(zip(weights, outputs).map { ($0, $1) })
  }

  /// The transfer part, eq. 9.
  private func moved(_ sample: Tensor, _ output: Tensor, from: Int, to: Int) -> Tensor {
    let isOne = schedule.options.lastAlphaIsOne ?? false
    let alpha = schedule.alpha(from, last: isOne)
    let next = schedule.alpha(to, last: isOne)
    let denominator =
      alpha * (1 - next).squareRoot() + (alpha * (1 - alpha) * next).squareRoot()
    let slope = -(next - alpha) / denominator
    let kept = (next / alpha).squareRoot()
    switch schedule.predictionType {
    case .epsilon:
      return combination([(kept, sample), (slope, output)])
    case .vPrediction:
      return combination([
        (kept + slope * (1 - alpha).squareRoot(), sample),
        (slope * alpha.squareRoot(), output),
      ])
    }
  }
}
