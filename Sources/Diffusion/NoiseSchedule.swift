import Checkpoints
import Foundation
import Tensors

/// The diffusion process a model was trained with: how much of a picture is left at each timestep.
///
/// Source: Ho et al., arXiv 2006.11239, eq. 4; diffusers `DDPMScheduler`.
public struct NoiseSchedule: Sendable {
  /// What the model's output means.
  public enum PredictionType: String, Sendable, CaseIterable {
    /// The noise ε.
    case epsilon
    /// v = √ᾱ ε − √(1 − ᾱ) x₀ (Salimans & Ho, arXiv 2202.00512, §4).
    case vPrediction = "v_prediction"
  }

  /// Number of timesteps, 0..<trainingSteps.
  public let trainingSteps: Int
  /// What the model's output means.
  public let predictionType: PredictionType
  /// ᾱ of each timestep.
  public let alphasCumulativeProduct: [Float]
  /// The sampler that the model's folder names, if evoke has it.
  public let preferredSampler: SamplerKind?
  var options: SamplerOptions

  /// Reads a diffusers `scheduler` folder.
  ///
  /// Throws `EvokeError` for an unknown schedule or prediction type.
  public init(folder: URL) throws {
    try self.init(Config(folder.appendingPathComponent("scheduler_config.json")))
  }

  init(_ config: Config) throws {
    trainingSteps = try config.int("num_train_timesteps", default: 1000)
    guard (1...100_000).contains(trainingSteps) else {
      throw config.invalid("num_train_timesteps", "\(trainingSteps)")
    }
    let type = try config.string("prediction_type", default: "epsilon")
    guard let prediction = PredictionType(rawValue: type) else {
      throw config.unsupported(
        "prediction_type", supported: PredictionType.allCases.map(\.rawValue))
    }
    predictionType = prediction
    let zeroSNR = try config.bool("rescale_betas_zero_snr", default: false)
    var betas = try Self.betas(config, trainingSteps)
    if zeroSNR { betas = Self.rescaledToZeroSNR(betas) }
    alphasCumulativeProduct = Self.cumulativeProduct(betas.map { 1 - $0 })
    preferredSampler = SamplerKind(
      schedulerClass: try config.string("_class_name", default: ""))
    options = try SamplerOptions(config, zeroSNR: zeroSNR)
  }

  /// √ᾱ_t x₀ + √(1 − ᾱ_t) ε, sample by sample (Ho et al., eq. 4).
  ///
  /// - Parameters:
  ///   - original: scaled latents `[n, …]`; `noise` has the same shape.
  ///   - timesteps: one, or one a sample.
  /// - Throws: a `shape` or `value` error when these do not fit.
  public func noised(_ original: Tensor, _ noise: Tensor, at timesteps: [Int]) throws -> Tensor {
    try combined(original, noise, at: timesteps) { (alpha: Float) in
      (alpha.squareRoot(), (1 - alpha).squareRoot())
    }
  }

  /// What the model should answer for `noised(original, noise, at: timesteps)`.
  ///
  /// Throws a `shape` or `value` error as `noised` does.
  public func target(_ original: Tensor, _ noise: Tensor, at timesteps: [Int]) throws -> Tensor {
    guard predictionType == .vPrediction else {
      try check(original, noise, timesteps)
      return noise
    }
    return try combined(original, noise, at: timesteps) { (alpha: Float) in
      (-(1 - alpha).squareRoot(), alpha.squareRoot())
    }
  }

  private func combined(
    _ original: Tensor, _ noise: Tensor, at timesteps: [Int],
    _ weights: (Float) -> (Float, Float)
  ) throws -> Tensor {
    try check(original, noise, timesteps)
    let size = original.count / original.shape[0]
    return original.withUnsafeValues { x in
      noise.withUnsafeValues { e in
        Tensor(shape: original.shape) { result in
          for n in 0..<original.shape[0] {
            let t = timesteps.count == 1 ? timesteps[0] : timesteps[n]
            let (a, b) = weights(alphasCumulativeProduct[t])
            for i in n * size..<(n + 1) * size { result[i] = a * x[i] + b * e[i] }
          }
        }
      }
    }
  }

  private func check(_ original: Tensor, _ noise: Tensor, _ timesteps: [Int]) throws {
    guard original.shape == noise.shape, original.count > 0 else {
      throw EvokeError(.shape, "latents \(original.shape) and noise \(noise.shape) differ")
    }
    guard timesteps.count == 1 || timesteps.count == original.shape[0] else {
      throw EvokeError(
        .shape, "\(timesteps.count) timesteps for \(original.shape[0]) samples")
    }
    for t in timesteps where !alphasCumulativeProduct.indices.contains(t) {
      throw EvokeError(
        .value, "timestep \(t) is not in 0..<\(trainingSteps)")
    }
  }
}

/// The variances β, in float32 as torch computes them.
extension NoiseSchedule {
  private static func betas(_ config: Config, _ count: Int) throws -> [Float] {
    if config.has("trained_betas") {
      let betas = try config.doubles("trained_betas", default: []).map { Float($0) }
      guard betas.count == count else {
        throw config.invalid("trained_betas", "\(betas.count) values for \(count) timesteps")
      }
      return betas
    }
    let first = try config.double("beta_start", default: 0.0001)
    let last = try config.double("beta_end", default: 0.02)
    let known = ["linear", "scaled_linear", "squaredcos_cap_v2"]
    switch try config.string("beta_schedule", default: "linear") {
    case "linear":
      return linspace(Float(first), Float(last), count)
    case "scaled_linear":
      return linspace(Float(first.squareRoot()), Float(last.squareRoot()), count).map { $0 * $0 }
    case "squaredcos_cap_v2":
      return cosineBetas(count)
    default:
      throw config.unsupported("beta_schedule", supported: known)
    }
  }

  /// torch.linspace in float32, which counts its second half from the end.
  static func linspace(_ first: Float, _ last: Float, _ count: Int) -> [Float] {
    guard count > 1 else { return [first] }
    let step = (last - first) / Float(count - 1)
    return (0..<count).map {
      $0 < count / 2 ? first + step * Float($0) : last - step * Float(count - $0 - 1)
    }
  }

  /// β_t = 1 − ᾱ(t+1)/ᾱ(t), ᾱ(t) = cos²((t + 0.008)/1.008 · π/2), at most 0.999
  /// (Nichol & Dhariwal, arXiv 2102.09672, eq. 17).
  private static func cosineBetas(_ count: Int) -> [Float] {
    func alphaBar(_ t: Double) -> Double {
      let cosine = Elementary.cos((t + 0.008) / 1.008 * Double.pi / 2)
      return cosine * cosine
    }
    return (0..<count).map { i in
      let now = alphaBar(Double(i) / Double(count))
      let next = alphaBar(Double(i + 1) / Double(count))
      return Float(min(1 - next / now, 0.999))
    }
  }

  /// Moves √ᾱ so that its last value is zero (Lin et al., arXiv 2305.08891, algorithm 1).
  private static func rescaledToZeroSNR(_ betas: [Float]) -> [Float] {
    let roots = cumulativeProduct(betas.map { 1 - $0 }).map { $0.squareRoot() }
    let (first, last) = (roots[0], roots[roots.count - 1])
    let moved = roots.map { ($0 - last) * (first / (first - last)) }.map { $0 * $0 }
    return moved.indices.map { 1 - ($0 == 0 ? moved[0] : moved[$0] / moved[$0 - 1]) }
  }

  /// torch.cumprod of float32 values, which accumulates in double.
  private static func cumulativeProduct(_ values: [Float]) -> [Float] {
    var product = 1.0
    return values.map { value in
      product *= Double(value)
      return Float(product)
    }
  }
}
