import Tensors

/// Where the noise of a picture comes from. A picture's noise depends on its own seed alone.
public enum NoiseSource: String, Sendable, CaseIterable {
  /// Evoke's own generator.
  case philox
  /// torch's CPU generator: a seed gives the picture that diffusers gives for it.
  case torch

  func generator(seed: UInt64) -> PictureNoise {
    switch self {
    case .philox: return .philox(Philox(seed: seed, stream: "picture"))
    case .torch: return .torch(TorchRandom(seed: seed))
    }
  }
}

/// The generator of one picture: its first latents, then the noise of each step that takes some.
enum PictureNoise: Sendable {
  case philox(Philox)
  case torch(TorchRandom)

  mutating func normals(shape: [Int]) -> Tensor {
    switch self {
    case .philox(var random):
      defer { self = .philox(random) }
      return random.normals(shape: shape)
    case .torch(var random):
      defer { self = .torch(random) }
      return random.normals(shape: shape)
    }
  }
}

/// From noise to latents with classifier-free guidance.
///
/// Source: Ho & Salimans, arXiv 2207.12598, eq. 6; diffusers `StableDiffusionPipeline.__call__`.
public struct Sampling: Sendable {
  /// The denoiser.
  public let unet: UNet2DCondition
  /// The schedule it was trained with.
  public let schedule: NoiseSchedule
  /// Model calls' number of steps.
  public var steps = 30
  /// Weight of the text against the negative text; at 1 and below the negative text is not asked.
  public var guidance: Float = 5
  /// The sampler.
  public var kind: SamplerKind
  /// Where the pictures' noise comes from.
  public var source = NoiseSource.philox

  /// Sampling with a model's parts, by the sampler its folder names or else DDIM.
  public init(unet: UNet2DCondition, schedule: NoiseSchedule) {
    self.unet = unet
    self.schedule = schedule
    kind = schedule.preferredSampler ?? .ddim
  }

  /// Scaled latents `[seeds.count, C, height, width]`.
  ///
  /// - Parameters:
  ///   - text: hidden states `[n, L, d]`, one a seed, or one for all.
  ///   - negative: hidden states `[1, L, d]` of what to move away from.
  ///   - height: rows of the latents; `width` likewise.
  ///   - progress: called before each model call with its number and their count; what it throws
  ///     ends the sampling.
  /// - Throws: `shape` and `value` errors for what does not fit, `numeric` when the latents
  ///   overflow.
  public func latents(
    text: Tensor, negative: Tensor, seeds: [UInt64], height: Int, width: Int,
    progress: (Int, Int) throws -> Void = { _, _ in }
  ) throws -> Tensor {
    let count = seeds.count
    guard count > 0, text.rank == 3, negative.rank == 3, negative.shape[0] == 1,
      text.shape[0] == count || text.shape[0] == 1
    else {
      throw EvokeError(.shape, "texts \(text.shape) for \(count) seeds")
    }
    guard height > 0, width > 0 else {
      throw EvokeError(.value, "a picture of \(height)×\(width) latents")
    }
    var sampler = try kind.sampler(schedule.inPipeline(), steps: steps)
    var noise = seeds.map(source.generator)
    func drawn() -> Tensor {
      let shape = [1, unet.config.inputChannels, height, width]
      return Tensor.concatenated(noise.indices.map { noise[$0].normals(shape: shape) }, axis: 0)
    }
    let denoiser = try Guided(
      unet: unet, text: text, negative: negative, guidance: guidance, count: count)
    var z = combination([(sampler.initialNoiseScale, drawn())])
    let calls = sampler.timesteps.count
    for (i, timestep) in sampler.timesteps.enumerated() {
      try progress(i, calls)
      let output = try denoiser(sampler.scaledInput(z, at: i), timestep)
      z = sampler.step(output, at: i, sample: z, noise: sampler.drawsNoise ? drawn() : nil)
    }
    try progress(calls, calls)
    try checkFinite(z)
    return z
  }

  private func checkFinite(_ z: Tensor) throws {
    guard z.withUnsafeValues({ $0.allSatisfy(\.isFinite) }) else {
      throw EvokeError(
        .numeric, "the latents overflowed at guidance \(guidance)", hint: "lower the guidance")
    }
  }
}

/// The UNet with and without the text, combined.
private struct Guided {
  let unet: UNet2DCondition
  let conditions: TextConditions
  let rows: [Int]
  let guidance: Float

  init(unet: UNet2DCondition, text: Tensor, negative: Tensor, guidance: Float, count: Int) throws {
    guard text.shape.dropFirst() == negative.shape.dropFirst() else {
      throw EvokeError(.shape, "text \(text.shape) and negative text \(negative.shape) differ")
    }
    self.unet = unet
    self.guidance = guidance
    let own = (0..<count).map { text.shape[0] == 1 ? 0 : $0 }
    if guidance > 1 {
      conditions = try unet.conditions(Tensor.concatenated([negative, text], axis: 0))
      rows = own.map { $0 + 1 }
    } else {
      conditions = try unet.conditions(text)
      rows = own
    }
  }

  func callAsFunction(_ z: Tensor, _ timestep: Double) throws -> Tensor {
    guard guidance > 1 else {
      return try unet(z, timesteps: [timestep], conditions: conditions, rows: rows)
    }
    let size = unet.prefixes(of: z)
    let parts = try stride(from: 0, to: rows.count, by: size).map { first in
      let some = first..<min(first + size, rows.count)
      let prefix = try unet.prefix(z.rows(some), timesteps: [timestep])
      let (n, each) = (some.count, Array(0..<some.count))
      let both = try unet(
        prefix, samples: each + each, conditions: conditions,
        rows: Array(repeating: 0, count: n) + rows[some])
      return guided(both.rows(0..<n), both.rows(n..<2 * n))
    }
    return Tensor.concatenated(parts, axis: 0)
  }

  /// u + g (c − u), rounded as diffusers rounds.
  private func guided(_ plain: Tensor, _ conditional: Tensor) -> Tensor {
    plain.withUnsafeValues { u in
      conditional.withUnsafeValues { c in
        Tensor(shape: plain.shape) { result in
          for i in u.indices { result[i] = u[i] + guidance * (c[i] - u[i]) }
        }
      }
    }
  }
}

extension NoiseSchedule {
  /// This schedule with the options that diffusers' pipelines force.
  public func inPipeline() -> NoiseSchedule {
    var schedule = self
    schedule.options = options.inPipeline()
    return schedule
  }
}
