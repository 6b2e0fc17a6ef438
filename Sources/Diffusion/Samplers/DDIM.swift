import Tensors

/// DDIM without added noise (η = 0).
///
/// Source: Song et al., arXiv 2010.02502, eq. 12; diffusers `DDIMScheduler`.
struct DDIMSampler: Sampler {
  let timesteps: [Double]
  private let schedule: NoiseSchedule
  private let stride: Int
  private let steps: [Int]

  init(_ schedule: NoiseSchedule, steps: Int) throws {
    self.schedule = schedule
    stride = schedule.trainingSteps / steps
    self.steps = try schedule.timesteps(steps, spacing: schedule.options.spacing ?? .leading)
    timesteps = self.steps.map(Double.init)
  }

  mutating func step(_ output: Tensor, at i: Int, sample: Tensor, noise: Tensor?) -> Tensor {
    let alpha = schedule.alpha(steps[i], last: schedule.options.lastAlphaIsOne ?? true)
    let next = schedule.alpha(steps[i] - stride, last: schedule.options.lastAlphaIsOne ?? true)
    let (a, b) = (alpha.squareRoot(), (1 - alpha).squareRoot())
    var original: Tensor
    var epsilon = output
    switch schedule.predictionType {
    case .epsilon:
      original = combination([(1 / a, sample), (-b / a, output)])
    case .vPrediction:
      original = combination([(a, sample), (-b, output)])
      epsilon = combination([(a, output), (b, sample)])
    }
    if schedule.options.clipSample ?? true { original = clipped(original) }
    return combination([(next.squareRoot(), original), ((1 - next).squareRoot(), epsilon)])
  }

  private func clipped(_ x: Tensor) -> Tensor {
    let range = schedule.options.clipRange
    return x.withUnsafeValues { source in
      Tensor(shape: x.shape) { target in
        for i in source.indices { target[i] = min(max(source[i], -range), range) }
      }
    }
  }
}

extension NoiseSchedule {
  /// ᾱ at a timestep; before the first one it is 1 or the first one's, as `set_alpha_to_one` says.
  func alpha(_ timestep: Int, last isOne: Bool) -> Double {
    if timestep >= 0 { return Double(alphasCumulativeProduct[timestep]) }
    return isOne ? 1 : Double(alphasCumulativeProduct[0])
  }
}
