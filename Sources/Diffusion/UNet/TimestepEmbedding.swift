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
  let sizes: SizeEmbedding?

  init(_ weights: Weights, _ config: UNetConfig) throws {
    width = config.blockChannels[0]
    cosineFirst = config.cosineFirst
    activation = config.activation
    frequencies = Self.frequencies(width / 2, shift: config.frequencyShift)
    let time = config.timeWidth
    sizes = try config.added.map { try SizeEmbedding(weights, $0, config) }
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
    Self.sinusoids(timesteps, frequencies, width: width, cosineFirst: cosineFirst)
  }

  static func sinusoids(
    _ timesteps: [Double], _ frequencies: [Float], width: Int, cosineFirst: Bool
  ) -> Tensor {
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
  ///
  /// `pooled` [timesteps, p] and `size`, the picture's rows and columns, are for models that ask.
  func callAsFunction(
    _ timesteps: [Double], pooled: Tensor? = nil, size: (height: Int, width: Int) = (0, 0)
  ) -> Tensor {
    let hidden = linear1(sinusoids(timesteps), activation: activation)
    let added = sizes.flatMap { sizes in pooled.map { sizes($0, size) } }
    return linear2(hidden, activation: activation, adding: added)
  }
}

/// What the pooled text, the original size, the crop and the target size add to the time embedding.
///
/// Source: Podell et al., arXiv 2307.01952, §2.2; diffusers `get_aug_embed`, "text_time".
struct SizeEmbedding: Sendable {
  let linear1: Linear  // add_embedding.linear_1
  let linear2: Linear  // add_embedding.linear_2
  let activation: Activation
  let frequencies: [Float]
  let width: Int
  let cosineFirst: Bool

  init(_ weights: Weights, _ added: UNetConfig.Added, _ config: UNetConfig) throws {
    width = added.sizeWidth
    cosineFirst = config.cosineFirst
    activation = .silu
    frequencies = TimestepEmbedding.frequencies(width / 2, shift: config.frequencyShift)
    linear1 = try weights.linear(
      "add_embedding.linear_1", added.pooledWidth + 6 * width, config.timeWidth)
    linear2 = try weights.linear("add_embedding.linear_2", config.timeWidth, config.timeWidth)
  }

  /// `[n, T]` of pooled texts `[n, p]`, for an uncropped picture that is drawn in its own size.
  func callAsFunction(_ pooled: Tensor, _ size: (height: Int, width: Int)) -> Tensor {
    let numbers = [size.height, size.width, 0, 0, size.height, size.width].map(Double.init)
    let row = TimestepEmbedding.sinusoids(
      numbers, frequencies, width: width, cosineFirst: cosineFirst
    ).reshaped([1, 6 * width])
    let rows = Tensor.concatenated(Array(repeating: row, count: pooled.shape[0]), axis: 0)
    return linear2(
      linear1(Tensor.concatenated([pooled, rows], axis: 1), activation: activation))
  }
}
