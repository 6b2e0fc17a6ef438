import Tensors

/// Euler's method to a lower σ, then fresh noise up to the next one.
///
/// Source: k-diffusion `sample_euler_ancestral`; diffusers `EulerAncestralDiscreteScheduler`.
struct EulerAncestralSampler: Sampler {
  let timesteps: [Double]
  let initialNoiseScale: Double
  let drawsNoise = true
  private let path: SigmaPath

  init(_ schedule: NoiseSchedule, steps: Int) throws {
    var schedule = schedule
    // This scheduler has no such option.
    schedule.options.endsAtSmallestSigma = false
    path = try SigmaPath(schedule, steps: steps)
    timesteps = path.timesteps
    initialNoiseScale = path.initialNoiseScale
  }

  func scaledInput(_ sample: Tensor, at i: Int) -> Tensor { path.scaledInput(sample, at: i) }

  mutating func step(_ output: Tensor, at i: Int, sample: Tensor, noise: Tensor?) -> Tensor {
    let from = Double(path.sigmas[i])
    let to = Double(path.sigmas[i + 1])
    let up = (to * to * (from * from - to * to) / (from * from)).squareRoot()
    let down = (to * to - up * up).squareRoot()
    let moved = path.moved(sample, output, at: i, to: down)
    guard let noise else { return moved }
    return combination([(1, moved), (up, noise)])
  }
}
