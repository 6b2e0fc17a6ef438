import Checkpoints
import Tensors

/// The samplers that evoke has.
public enum SamplerKind: String, CaseIterable, Sendable {
  /// Denoising diffusion implicit models, without added noise.
  case ddim
  /// Euler's method on the probability-flow equation.
  case euler
  /// Euler's method with fresh noise at each step.
  case eulerAncestral
  /// DPM-Solver++, multistep of second order.
  case dpm
  /// Pseudo numerical methods (PLMS).
  case pndm

  /// The sampler for a diffusers scheduler class.
  init?(schedulerClass name: String) {
    switch name {
    case "DDIMScheduler": self = .ddim
    case "EulerDiscreteScheduler": self = .euler
    case "EulerAncestralDiscreteScheduler": self = .eulerAncestral
    case "DPMSolverMultistepScheduler": self = .dpm
    case "PNDMScheduler": self = .pndm
    default: return nil
    }
  }

  /// A sampler of this kind for `steps` steps.
  ///
  /// Throws a `value` error for a number of steps that the schedule does not have, and a `format`
  /// error when the model's scheduler file asks for something this sampler does not do.
  public func sampler(_ schedule: NoiseSchedule, steps: Int) throws -> any Sampler {
    guard (1...schedule.trainingSteps).contains(steps) else {
      throw EvokeError(.value, "steps must be in 1...\(schedule.trainingSteps), not \(steps)")
    }
    try schedule.options.refuseUnsupported(self)
    switch self {
    case .ddim: return try DDIMSampler(schedule, steps: steps)
    case .euler: return try EulerSampler(schedule, steps: steps)
    case .eulerAncestral: return try EulerAncestralSampler(schedule, steps: steps)
    case .dpm: return try DPMSolverSampler(schedule, steps: steps)
    case .pndm: return try PNDMSampler(schedule, steps: steps)
    }
  }
}

/// A way from noise to latents: for each of `timesteps` in order, ask the model about
/// `scaledInput(sample, at: i)`, then let `step` make the next sample.
public protocol Sampler: Sendable {
  /// The timestep of each model call; there may be more calls than steps.
  var timesteps: [Double] { get }
  /// Standard deviation of the first sample.
  var initialNoiseScale: Double { get }
  /// Whether `step` takes fresh noise.
  var drawsNoise: Bool { get }
  /// The sample as the model expects it at call `i`.
  func scaledInput(_ sample: Tensor, at i: Int) -> Tensor
  /// The next sample from the model's output at call `i`; all tensors have the sample's shape.
  mutating func step(_ output: Tensor, at i: Int, sample: Tensor, noise: Tensor?) -> Tensor
}

extension Sampler {
  public var initialNoiseScale: Double { 1 }
  public var drawsNoise: Bool { false }
  public func scaledInput(_ sample: Tensor, at i: Int) -> Tensor { sample }
}

/// How steps are laid out over the training timesteps (Lin et al., arXiv 2305.08891, table 2).
enum TimestepSpacing: String, CaseIterable, Sendable {
  case leading, trailing, linspace
}

/// Σ weight · tensor, summed in double and rounded once; all tensors have the same shape.
func combination(_ terms: [(weight: Double, tensor: Tensor)]) -> Tensor {
  let shape = terms[0].tensor.shape
  var sum = [Double](repeating: 0, count: terms[0].tensor.count)
  for (weight, tensor) in terms {
    precondition(tensor.shape == shape, "combination of \(shape) and \(tensor.shape)")
    tensor.withUnsafeValues { values in
      for i in sum.indices { sum[i] += weight * Double(values[i]) }
    }
  }
  return Tensor(shape: shape) { result in
    for i in sum.indices { result[i] = Float(sum[i]) }
  }
}
