import Evolution
import Tensors

extension EvolutionRun: SteppedRun {
  var heldOutLosses: [Double] { history.compactMap(\.heldOutMean) }
  var isExhausted: Bool { !search.stoppingReasons.isEmpty }

  /// The run after more generations on an objective.
  ///
  /// - Parameters:
  ///   - generations: how many more; fewer are done when the search has a reason to stop.
  ///   - batch: UNet samples in one call; no bit of the result depends on it.
  ///   - checkEvery: generations between measurements on the held-out set; at the end the mean is
  ///     measured in any case. A measurement costs two held-out sets.
  ///   - stop: when the held-out set says that nothing changes any more; never if nil.
  ///   - progress: called after each generation. `.interrupted` from it ends the run here.
  ///   - checkpoint: called between batches. An `EvokeError` of kind `.interrupted` from it drops the
  ///     generation under way and returns what was done before.
  ///   - keep: called after each generation with the run so far, from which evolving may go on.
  /// - Returns: the new run; `isInterrupted` says whether it was ended early.
  /// - Throws: whatever else the objective, `checkpoint` or `progress` throw.
  public func evolved(
    on objective: any Objective, generations: Int, batch: Int? = nil,
    checkEvery: Int = 10, stop: FixedSetStopping? = nil,
    progress: (GenerationReport) throws -> Void = { _ in },
    checkpoint: () throws -> Void = {}, keep: (EvolutionRun) -> Void = { _ in }
  ) throws -> EvolutionRun {
    guard subspace.ambient == objective.wordSize else {
      throw EvokeError(
        .shape,
        "a subspace of embeddings with \(subspace.ambient) numbers for a model of width "
          + "\(objective.model.textEncoder.width)")
    }
    if let measure, measure != objective.measure {
      throw EvokeError(
        .value,
        "this search was evolved on the \(measure), which does not compare with the "
          + "\(objective.measure)",
        hint: "begin another around its answer: cma(subspace(m, around: es.best))")
    }
    return try advanced(
      by: generations, stop: stop,
      start: { try $0.measureStart(objective, batch, checkpoint) },
      step: { try $0.step(objective, batch, check: max(1, checkEvery), checkpoint) },
      conclude: { try $0.concluded(objective, batch) }, progress: progress, keep: keep)
  }

  private mutating func measureStart(
    _ objective: any Objective, _ batch: Int?, _ checkpoint: () throws -> Void
  ) throws {
    guard start == nil else { return }
    let origin = [Double](repeating: 0, count: subspace.dimension)
    let loss = try objective.heldOutLosses(
      [subspace.embedding(origin)], batch: batch, checkpoint: checkpoint)[0]
    forwardPasses += objective.heldOutDraws * objective.samplesPerDraw
    measure = objective.measure
    start = HeldOutEmbedding(point: origin, loss: loss, generation: 0)
    best = start
  }

  private mutating func step(
    _ objective: any Objective, _ batch: Int?, check: Int,
    _ checkpoint: () throws -> Void
  ) throws {
    let asked = search.ask()
    let distribution = objective.adaptiveTimesteps == nil ? nil : profile?.distribution
    let candidates = asked.candidates.map(subspace.embedding)
    let draws = Int((Double(objective.draws) * (noise?.effort ?? 1)).rounded())
    let (losses, spreads) = try objective.evaluated(
      candidates, generation: search.generation, draws: draws, distribution: distribution,
      batch: batch, checkpoint: checkpoint)
    forwardPasses += asked.count * draws * objective.samplesPerDraw
    if let again = noise?.reevaluations(of: asked.count) {
      // Generations below 0 are draws that no generation has.
      let second = try objective.evaluated(
        Array(candidates[..<again]), generation: -1 - search.generation, draws: draws,
        distribution: distribution, batch: batch, checkpoint: checkpoint)
      noise?.observe(losses, again: second.losses)
      forwardPasses += again * draws * objective.samplesPerDraw
    }
    if let timesteps = objective.adaptiveTimesteps {
      var collected = profile ?? SensitivityProfile(timesteps)
      for (timestep, value) in spreads { collected.observe(value / search.sigma, at: timestep) }
      profile = collected
    }
    try search.update(asked, losses: losses)
    recentMeans = Array((recentMeans + [search.mean]).suffix(Self.averaged))
    let measures = search.generation % check == 0
    let measuredMean =
      measures ? try measure(asked, losses, objective, batch, checkpoint) : nil
    history.append(
      GenerationReport(
        generation: search.generation, best: losses.min() ?? .nan,
        mean: losses.reduce(0, +) / Double(losses.count), sigma: search.sigma,
        forwardPasses: forwardPasses, heldOutMean: measuredMean,
        heldOutBest: measures ? best?.loss : nil, losses: losses))
  }

  /// Puts the distribution's mean and the generation's best candidate on the held-out set; gives
  /// the mean's loss.
  private mutating func measure(
    _ asked: Population, _ losses: [Double], _ objective: any Objective, _ batch: Int?,
    _ checkpoint: () throws -> Void
  ) throws -> Double {
    let winner = losses.indices.min { losses[$0] < losses[$1] } ?? 0
    let points = [search.mean, asked.candidates[winner]]
    let measured = try objective.heldOutLosses(
      points.map(subspace.embedding), batch: batch, checkpoint: checkpoint)
    forwardPasses += points.count * objective.heldOutDraws * objective.samplesPerDraw
    let found = zip(points, measured).map {
      HeldOutEmbedding(point: $0, loss: $1, generation: search.generation)
    }
    for one in found where one.loss < (best?.loss ?? .infinity) { best = one }
    return measured[0]
  }

  /// Measures the mean and the average of the last means, and settles the answer.
  private mutating func concluded(_ objective: any Objective, _ batch: Int?) throws {
    guard search.generation > 0 else { return }
    let points = [search.mean, averagedMean]
    let losses = try objective.heldOutLosses(points.map(subspace.embedding), batch: batch)
    let found = zip(points, losses).map {
      HeldOutEmbedding(point: $0, loss: $1, generation: search.generation)
    }
    mean = found[0]
    answer = found.reduce(best) { $1.loss < ($0?.loss ?? .infinity) ? $1 : $0 }
  }
}
