import Checkpoints
import Tensors

/// Sinusoids of the timestep and the two layers that turn them into the time embedding.
///
/// Source: Ho et al., arXiv 2006.11239, appendix B; diffusers `Timesteps`, `TimestepEmbedding`.
struct TimestepEmbedding: Sendable {
  let linear1: Linear  // time_embedding.linear_1
  let linear2: Linear  // time_embedding.linear_2
  let activation: Activation
  let frequencies: [Float]
  let width: Int
  let cosineFirst: Bool

  init(_ weights: Weights, _ config: UNetConfig) throws {
    width = config.blockChannels[0]
    cosineFirst = config.cosineFirst
    activation = config.activation
    frequencies = Self.frequencies(width / 2, shift: config.frequencyShift)
    let time = config.timeWidth
    linear1 = try weights.linear("time_embedding.linear_1", width, time)
    linear2 = try weights.linear("time_embedding.linear_2", time, time)
  }

  /// 10000^(−i / (n − shift)) for i in 0..<n, rounded to float32 where torch rounds: the products
  /// with timesteps near 1000 would turn another rounding into 3e-5 radians.
  static func frequencies(_ count: Int, shift: Double) -> [Float] {
    let log10000: Float = 9.210340371976184
    return (0..<count).map { i in
      let exponent = (-log10000 * Float(i)) / Float(Double(count) - shift)
      return Float(Elementary.exp(Double(exponent)))
    }
  }

  /// The sinusoids `[timesteps, width]`.
  func sinusoids(_ timesteps: [Double]) -> Tensor {
    let half = frequencies.count
    let cosine = cosineFirst ? 0 : half
    let sine = cosineFirst ? half : 0
    return Tensor(shape: [timesteps.count, width]) { row in
      row.update(repeating: 0)
      for (n, timestep) in timesteps.enumerated() {
        for (i, frequency) in frequencies.enumerated() {
          let angle = Double(Float(timestep) * frequency)
          row[n * width + cosine + i] = Float(Elementary.cos(angle))
          row[n * width + sine + i] = Float(Elementary.sin(angle))
        }
      }
    }
  }

  /// The embedding `[timesteps, T]`, with the activation that every resnet applies to it.
  func callAsFunction(_ timesteps: [Double]) -> Tensor {
    let hidden = linear1(sinusoids(timesteps), activation: activation)
    return linear2(hidden, activation: activation)
  }
}
