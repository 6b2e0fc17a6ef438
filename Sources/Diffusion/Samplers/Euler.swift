import Tensors

/// Euler's method on dx/dσ = (x − x₀)/σ.
///
/// Source: Karras et al., arXiv 2206.00364, algorithm 2 without churn; diffusers
/// `EulerDiscreteScheduler`.
struct EulerSampler: Sampler {
  let timesteps: [Double]
  let initialNoiseScale: Double
  private let path: SigmaPath

  init(_ schedule: NoiseSchedule, steps: Int) throws {
    path = try SigmaPath(schedule, steps: steps)
    timesteps = path.timesteps
    initialNoiseScale = path.initialNoiseScale
  }

  func scaledInput(_ sample: Tensor, at i: Int) -> Tensor { path.scaledInput(sample, at: i) }

  mutating func step(_ output: Tensor, at i: Int, sample: Tensor, noise: Tensor?) -> Tensor {
    path.moved(sample, output, at: i, to: Double(path.sigmas[i + 1]))
  }
}

/// What the samplers share that count in σ = √((1 − ᾱ)/ᾱ): there the sample is x/√ᾱ.
struct SigmaPath: Sendable {
  let timesteps: [Double]
  /// One a timestep and a last one.
  let sigmas: [Float]
  let initialNoiseScale: Double
  private let predictionType: NoiseSchedule.PredictionType

  init(_ schedule: NoiseSchedule, steps: Int) throws {
    let spacing = schedule.options.spacing ?? .linspace
    predictionType = schedule.predictionType
    // Unlike the others, these two schedulers keep fractional timesteps.
    timesteps =
      spacing == .linspace
      ? schedule.linspaceSteps(to: schedule.trainingSteps - 1, count: steps).map {
        Double(Float($0))
      }
      : try schedule.timesteps(steps, spacing: spacing).map(Double.init)
    sigmas = schedule.sigmas(at: timesteps)
    let largest = Double(sigmas.max() ?? 0)
    initialNoiseScale =
      spacing == .leading ? (largest * largest + 1).squareRoot() : largest
  }

  func scaledInput(_ sample: Tensor, at i: Int) -> Tensor {
    let sigma = Double(sigmas[i])
    return combination([(1 / (sigma * sigma + 1).squareRoot(), sample)])
  }

  /// x + (σ' − σ) (x − x₀)/σ with the model's x₀ at step i.
  func moved(_ sample: Tensor, _ output: Tensor, at i: Int, to next: Double) -> Tensor {
    let sigma = Double(sigmas[i])
    let change = next - sigma
    switch predictionType {
    case .epsilon:  // x₀ = x − σ ε
      return combination([(1, sample), (change, output)])
    case .vPrediction:  // x₀ = x/(σ² + 1) − v σ/√(σ² + 1)
      let square = sigma * sigma + 1
      return combination([
        (1 + change * sigma / square, sample), (change / square.squareRoot(), output),
      ])
    }
  }
}
