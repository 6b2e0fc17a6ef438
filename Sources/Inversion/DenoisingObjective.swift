import Diffusion
import Pictures
import Tensors

/// How the timesteps' losses are weighted against each other.
public enum TimestepWeighting: String, Sendable, Codable, CaseIterable {
  /// All alike, as in training.
  case uniform
  /// By 1/E[loss(t)], measured without any words: a tenth less loss counts the same at every t.
  /// Noisy timesteps, which settle shape and colour, then count as much as clean ones.
  case relative
}

/// The denoising loss of a learned word, made comparable: E‖ε − ε_θ(x_t, t, text(e))‖² over
/// timesteps, noise, pictures and prompts (Gal et al., arXiv 2208.01618, equation 2).
///
/// The released forward-only code draws noise, picture and prompt for each candidate, so that ranks
/// are noise. Here the candidates of a generation share all draws, pictures are encoded once, and
/// one fixed set of other draws, never searched on, measures progress (after arXiv 2302.04841). A loss
/// is a pure function of model, objective, candidate and generation: neither the batch nor the
/// threads change a bit of it.
public struct DenoisingObjective: Sendable {
  public let model: DiffusionModel
  /// Sentences the word is learned in.
  public let templates: [String]
  public let timesteps: Range<Int>
  /// Whether timesteps are drawn in proportion to the g(t) collected on the way (equation 5 of
  /// hal-04713286), instead of all alike.
  public let isAdaptive: Bool
  /// Denoising tasks a candidate and generation.
  public let draws: Int
  public let weighting: TimestepWeighting
  /// Rows of an embedding that the word takes in a prompt.
  public let vectors: Int

  let latents: Tensor
  private let heldOut: DenoisingDraws
  private let random: Philox
  let templateIDs: [[Int]]
  private let relative: RelativeWeights?

  /// - Parameters:
  ///   - pictures: of one concept, any size; encoded here, once, as the posterior's mean.
  ///   - timesteps: what to draw from, within the model's training steps; by default without the
  ///     first and the last tenth, where a word changes next to nothing.
  ///   - adaptive: draw timesteps in proportion to the sensitivity collected on the way.
  ///   - weighting: `.relative` by default: the pictures drawn are then more like the given ones.
  ///   - draws: denoising tasks a candidate and generation; more rank better and cost as much.
  ///   - heldOut: pictures that progress is measured on; the given ones by default.
  ///   - heldOutDraws: tasks of the fixed held-out set.
  ///   - vectors: token embeddings that the word is made of.
  ///   - random: where all draws come from.
  /// - Throws: `EvokeError` for no pictures, an empty range of timesteps, counts below 1.
  public init(
    _ model: DiffusionModel, _ pictures: [Picture], prompts: Prompts = .object,
    timesteps: Range<Int>? = nil, adaptive: Bool = false, draws: Int = 32,
    weighting: TimestepWeighting = .relative,
    heldOut heldOutPictures: [Picture]? = nil, heldOutDraws: Int = 96, vectors: Int = 1,
    random: Philox
  ) throws {
    let steps = model.schedule.trainingSteps
    let range = timesteps ?? steps / 10..<steps - steps / 10
    guard !range.isEmpty, range.lowerBound >= 0, range.upperBound <= steps else {
      throw EvokeError(
        .value, "timesteps \(range) are not within the model's 0..<\(steps)")
    }
    guard draws >= 1, heldOutDraws >= 1, vectors >= 1 else {
      throw EvokeError(.value, "draws and vectors have to be 1 or more")
    }
    guard !pictures.isEmpty, !(heldOutPictures?.isEmpty ?? false) else {
      throw EvokeError(.value, "there are no pictures to learn from")
    }
    self.model = model
    templates = try prompts.templates(for: model)
    self.timesteps = range
    isAdaptive = adaptive
    self.draws = draws
    self.weighting = weighting
    self.vectors = vectors
    self.random = random.derived("train")
    latents = try model.latents(pictures)
    heldOut = try DenoisingDraws(
      count: heldOutDraws, latents: heldOutPictures.map { try model.latents($0) } ?? latents,
      schedule: model.schedule, timesteps: TimestepDistribution(range),
      templateCount: templates.count,
      templateLimit: Self.templateLimit, random: random.derived("held-out"))
    templateIDs = try Self.tokenized(templates, model, vectors: vectors)
    relative =
      weighting == .relative
      ? try RelativeWeights(
        model, latents: latents, timesteps: range, random: random.derived("weights")) : nil
  }

  /// Templates that the draws of one generation use: each costs a text encoding a candidate.
  static let templateLimit = 4

  /// Ids of the templates; the placeholder's ids are V, V + 1, … for a table of V rows.
  private static func tokenized(
    _ templates: [String], _ model: DiffusionModel, vectors: Int
  ) throws -> [[Int]] {
    let name = "<evoke-word>"
    let word = try LearnedWord(
      name, vectors: Tensor(zeros: [vectors, model.textEncoder.width]))
    return try model.tokenized(templates.map { $0.filled(with: name) }, with: [word]).ids
  }

  // MARK: Losses

  /// The losses of candidates on the draws of a generation, and how far their errors ‖ε_θ − ε‖ spread
  /// at every timestep drawn (their standard deviation): where they differ, the condition matters.
  public func evaluated(
    _ candidates: [Tensor], generation: Int, draws: Int, distribution: TimestepDistribution?,
    batch: Int?, checkpoint: () throws -> Void
  ) throws -> (losses: [Double], spreads: [(timestep: Int, value: Double)]) {
    let tasks = try tasks(draws, generation: generation, distribution)
    let losses = try taskLosses(candidates, tasks, batch: batch, checkpoint)
    let spreads = tasks.timesteps.enumerated().map { task, timestep in
      let errors = losses.map { $0[task].squareRoot() }
      let mean = errors.reduce(0, +) / Double(errors.count)
      let squares = errors.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (timestep, (squares / Double(errors.count)).squareRoot())
    }
    return (try weighted(losses, tasks), spreads)
  }

  /// The draws of a generation.
  func tasks(
    _ count: Int, generation: Int, _ distribution: TimestepDistribution?
  ) throws -> DenoisingDraws {
    try DenoisingDraws(
      count: count, latents: latents, schedule: model.schedule,
      timesteps: distribution ?? TimestepDistribution(timesteps), templateCount: templates.count,
      templateLimit: Self.templateLimit, random: random.derived(generation))
  }

  /// The losses of candidates on the fixed held-out set.
  public func heldOutLosses(
    _ candidates: [Tensor], batch: Int?, checkpoint: () throws -> Void
  ) throws -> [Double] {
    try weighted(taskLosses(candidates, heldOut, batch: batch, checkpoint), heldOut)
  }

  /// UNet samples that one candidate costs on the held-out set.
  public var heldOutDraws: Int { heldOut.count }

  private func weighted(_ losses: [[Double]], _ tasks: DenoisingDraws) throws -> [Double] {
    let weights = weights(of: tasks)
    let total = weights.reduce(0, +)
    return losses.map { zip($0, weights).reduce(0) { $0 + $1.0 * $1.1 } / total }
  }

  /// How much each task counts.
  func weights(of tasks: DenoisingDraws) -> [Double] {
    tasks.timesteps.map { relative?.weight(at: $0) ?? 1 }
  }

  /// Mean squared errors, one a candidate and task.
  ///
  /// What the UNet computes of a task before it meets the text serves all candidates: the outer loop
  /// is over as many tasks as it can be held of, the inner one over as many candidates as the batch
  /// reaches for.
  func taskLosses(
    _ candidates: [Tensor], _ tasks: DenoisingDraws, batch: Int?,
    _ checkpoint: () throws -> Void
  ) throws -> [[Double]] {
    try checkWidths(candidates)
    guard !candidates.isEmpty else { return [] }
    let texts = try TemplateTexts(tasks.templates) { try encoded(candidates, templates: $0) }
    let batch = max(1, batch ?? Self.defaultBatch)
    let share = min(batch, model.unet.prefixes(of: tasks.noised))
    var losses = [[Double]](repeating: [], count: candidates.count)
    for first in stride(from: 0, to: tasks.count, by: share) {
      let some = first..<min(first + share, tasks.count)
      let prefix = try model.unet.prefix(
        tasks.noised.rows(some), timesteps: tasks.timesteps[some].map(Double.init))
      let group = max(1, min(batch / some.count, Self.textsAtOnce / texts.count(some)))
      for first in stride(from: 0, to: candidates.count, by: group) {
        try checkpoint()
        let group = first..<min(first + group, candidates.count)
        let (hidden, rows) = texts.of(group, some)
        let prediction = try model.unet(
          prefix, samples: group.flatMap { _ in 0..<some.count },
          conditions: model.unet.conditions(hidden), rows: rows)
        for (place, candidate) in group.enumerated() {
          losses[candidate] += some.enumerated().map { sample, task in
            meanSquaredError(
              prediction.row(place * some.count + sample), tasks.target.row(task))
          }
        }
      }
    }
    return losses
  }

  private func checkWidths(_ candidates: [Tensor]) throws {
    let width = model.textEncoder.width
    for candidate in candidates where candidate.count != vectors * width {
      throw EvokeError(
        .shape,
        "an embedding of shape \(candidate.shape) for a word of "
          + "\(vectors)×\(width) numbers")
    }
  }

  /// Few large calls: the UNet cuts what it gets to fit the cache.
  static let defaultBatch = 256

  /// Texts whose keys and values are held at once: a quarter of a gigabyte in Stable Diffusion 1.5.
  private static let textsAtOnce = 32

  /// Hidden states of every candidate in every used template, candidate by candidate.
  private func encoded(_ candidates: [Tensor], templates used: [Int]) throws -> Tensor {
    let width = model.textEncoder.width
    let table = model.textEncoder.tokenTable.shape[0]
    let rows = Tensor.concatenated(candidates.map { $0.reshaped([vectors, width]) }, axis: 0)
    let ids = candidates.indices.flatMap { c in
      used.map { template in
        templateIDs[template].map { $0 < table ? $0 : $0 + c * vectors }
      }
    }
    return model.textEncoder(try model.textEncoder.embeddings(ids, extra: rows))
  }
}

/// Mean of the squared differences, summed in double in the order of the elements.
func meanSquaredError(_ a: Tensor, _ b: Tensor) -> Double {
  a.withUnsafeValues { x in
    b.withUnsafeValues { y in
      var sum = 0.0
      for i in x.indices {
        let difference = Double(x[i]) - Double(y[i])
        sum += difference * difference
      }
      return sum / Double(x.count)
    }
  }
}
