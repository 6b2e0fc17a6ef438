import Diffusion
import Pictures
import Tensors

/// How unlike the given pictures those drawn with a word are: 1 − the mean cosine of their CLIP
/// features over all pairs (Gal et al., arXiv 2208.01618, §4.2: image similarity), over prompts and noise.
///
/// What is judged is what a user gets to see, through every step of a sampler and down to the pixels'
/// 256 values: no gradient comes back from there, forward passes are all it takes. The candidates of a
/// generation are drawn in the same prompts from the same noise. How many go through the UNet together
/// is `DiffusionModel.generate`'s to choose, whatever the batch.
public struct SimilarityObjective: Objective {
  public let model: DiffusionModel
  /// Sentences that the word is drawn in.
  public let templates: [String]
  public let vectors: Int
  /// Pictures drawn of a candidate and generation.
  public let draws: Int
  public let heldOutDraws: Int
  public let steps: Int
  public let guidance: Float
  public let sampler: SamplerKind
  public let samplesPerDraw: Int
  public let adaptiveTimesteps: Range<Int>? = nil

  /// The means of the given and of the held-out pictures' features, [p]: a cosine with one is the
  /// mean of the cosines with each picture.
  private let goal, heldOutGoal: Tensor
  private let random: Philox

  public var measure: String { "1 − CLIP similarity" }

  /// - Parameters:
  ///   - pictures: of one concept, any size.
  ///   - draws: pictures drawn of a candidate and generation; more rank better and cost as much.
  ///   - steps: of the sampler; few are enough to tell candidates apart.
  ///   - guidance: classifier-free guidance; at 1 and below a step costs half.
  ///   - heldOut: pictures that progress is measured on; the given ones by default.
  ///   - heldOutDraws: pictures drawn for that, from noise of their own.
  ///   - vectors: token embeddings that the word is made of.
  ///   - random: where all noise comes from.
  /// - Throws: `EvokeError` for no pictures, a model without CLIP, counts below 1, or steps that the
  ///   sampler does not have.
  public init(
    _ model: DiffusionModel, _ pictures: [Picture], prompts: Prompts = .object, draws: Int = 4,
    steps: Int = 8, guidance: Float = 3, sampler: SamplerKind = .dpm,
    heldOut heldOutPictures: [Picture]? = nil, heldOutDraws: Int = 16, vectors: Int = 1,
    random: Philox
  ) throws {
    guard draws >= 1, heldOutDraws >= 1, vectors >= 1 else {
      throw EvokeError(.value, "draws and vectors have to be 1 or more")
    }
    guard !pictures.isEmpty, !(heldOutPictures?.isEmpty ?? false) else {
      throw EvokeError(.value, "there are no pictures to compare with")
    }
    self.model = model
    templates = try prompts.templates(for: model)
    self.vectors = vectors
    self.draws = draws
    self.heldOutDraws = heldOutDraws
    self.steps = steps
    self.guidance = guidance
    self.sampler = sampler
    self.random = random
    let calls = try sampler.sampler(model.schedule.inPipeline(), steps: steps).timesteps.count
    samplesPerDraw = calls * (guidance > 1 ? 2 : 1)
    goal = try model.imageFeatures(pictures).mean(axes: [0], keepingAxes: false)
    heldOutGoal =
      try heldOutPictures.map {
        try model.imageFeatures($0).mean(axes: [0], keepingAxes: false)
      } ?? goal
  }

  // MARK: Losses

  public func evaluated(
    _ candidates: [Tensor], generation: Int, draws: Int, distribution: TimestepDistribution?,
    batch: Int?, checkpoint: () throws -> Void
  ) throws -> (losses: [Double], spreads: [(timestep: Int, value: Double)]) {
    let drawings = Drawings(
      count: draws, of: templates, random: random.derived("train").derived(generation))
    return (try losses(candidates, drawings, goal, checkpoint), [])
  }

  public func heldOutLosses(
    _ candidates: [Tensor], batch: Int?, checkpoint: () throws -> Void
  ) throws -> [Double] {
    let drawings = Drawings(
      count: heldOutDraws, of: templates, random: random.derived("held-out"))
    return try losses(candidates, drawings, heldOutGoal, checkpoint)
  }

  private func losses(
    _ candidates: [Tensor], _ drawings: Drawings, _ goal: Tensor,
    _ checkpoint: () throws -> Void
  ) throws -> [Double] {
    try requireWordSize(candidates)
    guard !candidates.isEmpty else { return [] }
    let features = try model.imageFeatures(drawn(candidates, drawings, checkpoint))
    let count = drawings.seeds.count
    return candidates.indices.map { c in
      1 - (c * count..<(c + 1) * count).reduce(0) { $0 + dot(features.row($1), goal) }
        / Double(count)
    }
  }

  /// The drawings of every candidate, candidate by candidate.
  private func drawn(
    _ candidates: [Tensor], _ drawings: Drawings, _ checkpoint: () throws -> Void
  ) throws -> [Picture] {
    let names = candidates.indices.map { "<evoke-word-\($0)>" }
    var request = GenerationRequest(
      prompts: names.flatMap { name in drawings.templates.map { $0.filled(with: name) } },
      seeds: names.flatMap { _ in drawings.seeds })
    request.words = try zip(names, candidates).map { name, candidate in
      try LearnedWord(
        name, vectors: candidate.reshaped([vectors, model.textEncoder.width]))
    }
    (request.steps, request.guidance, request.sampler) = (steps, guidance, sampler)
    return try model.generate(request) { _, _ in try checkpoint() }
  }
}

/// The prompts and the noise of some pictures, the same for every candidate.
struct Drawings {
  let templates: [String]
  let seeds: [UInt64]

  /// Templates take turns in random order.
  init(count: Int, of all: [String], random: Philox) {
    var draws = random
    let order = draws.shuffled(all)
    templates = (0..<count).map { order[$0 % order.count] }
    seeds = (0..<count).map { _ in draws.nextUInt64() }
  }
}
