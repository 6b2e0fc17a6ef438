import Tensors

/// DPM-Solver++ (2M): a multistep method of second order on the predicted x₀.
///
/// Source: Lu et al., arXiv 2211.01095, algorithm 2; diffusers `DPMSolverMultistepScheduler` with
/// `algorithm_type = "dpmsolver++"`.
struct DPMSolverSampler: Sampler {
  let timesteps: [Double]
  private let sigmas: [Float]
  private let options: SamplerOptions
  private let predictionType: NoiseSchedule.PredictionType
  private var previous: Tensor?

  init(_ schedule: NoiseSchedule, steps: Int) throws {
    options = schedule.options
    predictionType = schedule.predictionType
    timesteps = try Self.timesteps(schedule, steps: steps).map(Double.init)
    sigmas = schedule.sigmas(at: timesteps)
  }

  private static func timesteps(_ schedule: NoiseSchedule, steps: Int) throws -> [Int] {
    let last = schedule.stepsAbove(schedule.options.smallestLambda)
    let timesteps: [Int]
    switch schedule.options.spacing ?? .linspace {
    case .linspace:
      timesteps = schedule.linspaceSteps(to: last - 1, count: steps + 1).dropLast().map {
        Int($0.rounded(.toNearestOrEven))
      }
    case .leading:
      let ratio = last / (steps + 1)
      timesteps = (1...steps).reversed().map {
        $0 * ratio + (schedule.options.stepsOffset ?? 0)
      }
    case .trailing:
      timesteps = schedule.trailingSteps(steps, from: last)
    }
    return try schedule.checked(timesteps)
  }

  mutating func step(_ output: Tensor, at i: Int, sample: Tensor, noise: Tensor?) -> Tensor {
    let now = Level(sigmas[i])
    let next = Level(sigmas[i + 1])
    let original = originals(output, sample, now)
    defer { previous = original }
    // α' (e^{−h} − 1) with h = λ' − λ and λ = log(α/σ), without a logarithm of σ' = 0.
    let weight = now.alpha * next.sigma / now.sigma - next.alpha
    var terms = [(next.sigma / now.sigma, sample), (-weight, original)]
    if let previous, options.solverOrder > 1, !isFirstOrder(i) {
      let h = next.lambda - now.lambda
      let ratio = (now.lambda - Level(sigmas[i - 1]).lambda) / h
      let curvature = options.heun ? weight / h + next.alpha : -0.5 * weight
      terms += [(curvature / ratio, original), (-curvature / ratio, previous)]
    }
    return combination(terms)
  }

  /// The model's x₀.
  private func originals(_ output: Tensor, _ sample: Tensor, _ level: Level) -> Tensor {
    switch predictionType {
    case .epsilon:
      return combination([(1 / level.alpha, sample), (-level.sigma / level.alpha, output)])
    case .vPrediction:
      return combination([(level.alpha, sample), (-level.sigma, output)])
    }
  }

  private func isFirstOrder(_ i: Int) -> Bool {
    guard i == timesteps.count - 1 else { return false }
    return options.eulerAtFinal || !options.endsAtSmallestSigma
      || (options.lowerOrderFinal && timesteps.count < 15)
  }

  /// α and σ of a variance-preserving process with α² + σ² = 1 from their quotient.
  private struct Level {
    let alpha, sigma: Double
    init(_ quotient: Float) {
      let quotient = Double(quotient)
      alpha = 1 / (quotient * quotient + 1).squareRoot()
      sigma = quotient * alpha
    }
    var lambda: Double { Elementary.log(alpha) - Elementary.log(sigma) }
  }
}

extension NoiseSchedule {
  /// Number of timesteps whose λ = log(α/σ) is at least `smallest`; λ falls with the timestep.
  func stepsAbove(_ smallest: Double) -> Int {
    if smallest == -.infinity { return trainingSteps }
    return alphasCumulativeProduct.count { alpha in
      let alpha = Double(alpha)
      return 0.5 * (Elementary.log(alpha) - Elementary.log(1 - alpha)) >= smallest
    }
  }
}
