import Pictures
import Tensors

/// What to draw and how.
public struct GenerationRequest: Sendable {
  /// One prompt for all pictures, or one a seed.
  public var prompts: [String]
  /// One seed a picture; a picture depends on its own seed alone.
  public var seeds: [UInt64]
  /// What the pictures should move away from.
  public var negative = ""
  /// Learned words that the prompts use.
  public var words: [LearnedWord] = []
  /// Steps of the sampler.
  public var steps = 30
  /// Weight of the prompt against the negative prompt; at 1 and below only the prompt is asked.
  public var guidance: Float = 5
  /// The sampler; `nil` takes the one that the model's folder names.
  public var sampler: SamplerKind?
  /// Height and width in pixels, multiples of the autoencoder's downsampling; `nil` takes the size
  /// the model was trained for.
  public var size: (height: Int, width: Int)?
  /// Where the pictures' noise comes from.
  public var source = NoiseSource.philox

  /// A request for one picture a seed.
  public init(prompts: [String], seeds: [UInt64]) {
    self.prompts = prompts
    self.seeds = seeds
  }

  /// A request for `count` pictures of one prompt with the seeds `seed`, `seed + 1`, ….
  public init(_ prompt: String, seed: UInt64, count: Int = 1) {
    self.init(prompts: [prompt], seeds: (0..<max(count, 0)).map { seed &+ UInt64($0) })
  }
}

extension DiffusionModel {
  /// Draws one picture a seed: as many together as have the pixels of one of 512×512.
  ///
  /// - Parameters:
  ///   - progress: called with the number of model calls done and their count; what it throws ends
  ///     the drawing.
  ///   - finished: called with pictures as they are finished, in order.
  /// - Throws: `value` and `shape` errors for a request that does not fit the model, `numeric` when
  ///   the latents overflow.
  public func generate(
    _ request: GenerationRequest, progress: (Int, Int) throws -> Void = { _, _ in },
    finished: ([Picture]) -> Void = { _ in }
  ) throws -> [Picture] {
    let (height, width) = try latentSize(request)
    guard !request.seeds.isEmpty else { throw EvokeError(.value, "there is no seed to draw from") }
    guard request.prompts.count == 1 || request.prompts.count == request.seeds.count else {
      throw EvokeError(
        .value, "\(request.prompts.count) prompts for \(request.seeds.count) seeds",
        hint: "give one prompt, or one a seed")
    }
    guard request.guidance.isFinite else {
      throw EvokeError(.value, "the guidance \(request.guidance) is not a finite number")
    }
    let hidden = try encode(prompts: [request.negative] + request.prompts, with: request.words)
    let negative = hidden.rows(0..<1)
    let isZero = zeroesEmptyNegative && request.negative.isEmpty
    var sampling = Sampling(unet: unet, schedule: schedule)
    sampling.steps = request.steps
    sampling.guidance = request.guidance
    sampling.kind = request.sampler ?? sampling.kind
    sampling.source = request.source
    let texts = hidden.rows(1..<hidden.shape[0])
    let unit = autoencoder.downsampling
    let size = max(1, 512 * 512 / (height * width * unit * unit))
    let starts = Array(stride(from: 0, to: request.seeds.count, by: size))
    var pictures: [Picture] = []
    for (group, start) in starts.enumerated() {
      let some = start..<min(start + size, request.seeds.count)
      let latents = try sampling.latents(
        text: texts.shape[0] == 1 ? texts : texts.rows(some),
        negative: isZero ? Tensor(zeros: negative.shape) : negative,
        seeds: Array(request.seeds[some]), height: height, width: width
      ) { try progress(group * $1 + $0, starts.count * $1) }
      let drawn = try decode(latents)
      pictures += drawn
      finished(drawn)
    }
    return pictures
  }

  /// Rows and columns of the latents of a request.
  private func latentSize(_ request: GenerationRequest) throws -> (Int, Int) {
    let (height, width) = request.size ?? (pictureSize, pictureSize)
    let unit = autoencoder.downsampling
    for side in [height, width] where side <= 0 || side % unit != 0 || side > 4096 {
      throw EvokeError(
        .value, "pictures of \(height)×\(width) pixels cannot be drawn",
        hint: "both sides must be multiples of \(unit), up to 4096")
    }
    return (height / unit, width / unit)
  }
}
