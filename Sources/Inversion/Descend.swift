import Tensors

extension DescentRun: SteppedRun {
  var heldOutLosses: [Double] { history.compactMap(\.heldOut) }
  var isExhausted: Bool { false }

  /// The run after more steps on an objective.
  ///
  /// - Parameters:
  ///   - steps: how many more.
  ///   - samples: UNet samples in one call; no bit of the result depends on it.
  ///   - recomputing: trade time for memory inside the UNet; the same bits.
  ///   - checkEvery: steps between measurements on the held-out set.
  ///   - stop: when the held-out set says that nothing changes any more; never if nil.
  ///   - progress: called after each step. `.interrupted` from it ends the run here.
  ///   - checkpoint: called between batches. An `EvokeError` of kind `.interrupted` from it drops the
  ///     step under way and returns what was done before.
  ///   - keep: called after each step with the run so far, from which descending may go on.
  /// - Returns: the new run; `isInterrupted` says whether it was ended early.
  /// - Throws: whatever else the objective, `checkpoint` or `progress` throw; `.numeric` when the
  ///   gradient is not finite.
  public func descended(
    on objective: DenoisingObjective, steps: Int, samples: Int? = nil, recomputing: Bool = false,
    checkEvery: Int = 25, stop: FixedSetStopping? = nil,
    progress: (StepReport) throws -> Void = { _ in }, checkpoint: () throws -> Void = {},
    keep: (DescentRun) -> Void = { _ in }
  ) throws -> DescentRun {
    try advanced(
      by: steps, stop: stop,
      start: { try $0.measureStart(objective, samples, checkpoint) },
      step: {
        try $0.step(objective, samples, recomputing, check: max(1, checkEvery), checkpoint)
      },
      conclude: { try $0.concluded(objective, samples) }, progress: progress, keep: keep)
  }

  private mutating func measureStart(
    _ objective: DenoisingObjective, _ samples: Int?, _ checkpoint: () throws -> Void
  ) throws {
    guard start == nil else { return }
    let measured = try measured(objective, samples, checkpoint)
    forwardPasses += objective.heldOutDraws
    start = measured
    best = measured
  }

  private mutating func step(
    _ objective: DenoisingObjective, _ samples: Int?, _ recomputing: Bool, check: Int,
    _ checkpoint: () throws -> Void
  ) throws {
    let rate = optimiser.settings.rate(at: step)
    let (loss, gradient) = try slope(objective, samples, recomputing, checkpoint)
    let norm = optimiser.descend(gradient)
    guard norm.isFinite else {
      throw EvokeError(
        .numeric, "the gradient of step \(step) is not finite",
        hint: "a smaller rate, or clip: 1, keeps a descent from leaving the words' neighbourhood")
    }
    forwardPasses += 3 * batch * accumulation
    var found: HeldOutEmbedding?
    if step % check == 0 {
      found = try measured(objective, samples, checkpoint)
      forwardPasses += objective.heldOutDraws
      if let found, found.loss < (best?.loss ?? .infinity) { best = found }
    }
    history.append(
      StepReport(
        step: step, loss: loss, gradientNorm: norm, rate: rate, forwardPasses: forwardPasses,
        heldOut: found?.loss))
  }

  /// The mean loss and gradient of the step's batches; takes in their sensitivities.
  private mutating func slope(
    _ objective: DenoisingObjective, _ samples: Int?, _ recomputing: Bool,
    _ checkpoint: () throws -> Void
  ) throws -> (loss: Double, gradient: [Double]) {
    var loss = 0.0
    var gradient = [Double](repeating: 0, count: optimiser.point.count)
    let distribution = objective.isAdaptive ? profile?.distribution : nil
    var collected = profile ?? SensitivityProfile(objective.timesteps)
    for part in 0..<accumulation {
      let slope = try objective.slope(
        at: embedding, generation: step * accumulation + part, draws: batch,
        distribution: distribution, recomputing: recomputing, batch: samples,
        checkpoint: checkpoint)
      loss += slope.loss / Double(accumulation)
      for i in gradient.indices { gradient[i] += slope.gradient[i] / Double(accumulation) }
      for (timestep, value) in slope.sensitivities { collected.observe(value, at: timestep) }
    }
    profile = collected
    return (loss, gradient)
  }

  private func measured(
    _ objective: DenoisingObjective, _ samples: Int?, _ checkpoint: () throws -> Void
  ) throws -> HeldOutEmbedding {
    let loss = try objective.heldOutLosses(
      [embedding], batch: samples, checkpoint: checkpoint)[0]
    return HeldOutEmbedding(point: optimiser.point, loss: loss, generation: step)
  }

  /// Measures where the descent ends, and settles the answer.
  private mutating func concluded(_ objective: DenoisingObjective, _ samples: Int?) throws {
    guard step > 0 else { return }
    let last = try measured(objective, samples, {})
    answer = last.loss < (best?.loss ?? .infinity) ? last : best
  }
}
