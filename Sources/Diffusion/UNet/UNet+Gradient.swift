import Tensors

extension UNet2DCondition {
  /// The raw output for latents `[B, C, h, w]`, and the gradient of a loss with respect to the text of
  /// every sample, `[B, L, d]`.
  ///
  /// Weights are frozen, and nothing in front of the first cross-attention is recorded. The output
  /// has the bits of a plain forward pass; a sample's gradient does not depend on the others.
  ///
  /// - Parameters:
  ///   - rows: the text in `conditions` that each sample takes.
  ///   - recomputing: keep the input of every block only and run it again for the gradient, for a
  ///     few samples at a time: the same bits in less memory, for about one more forward pass.
  ///   - loss: the loss's gradient with respect to the output `[n, C', h, w]` of some samples.
  /// - Throws: a `shape` error when the shapes do not fit each other or the model; `.value` for a
  ///   model that takes a pooled text.
  public func textGradient(
    _ z: Tensor, timesteps: [Double], conditions: TextConditions, rows: [Int],
    recomputing: Bool = false, loss: @Sendable (_ output: Tensor, _ samples: Range<Int>) -> Tensor
  ) throws -> (output: Tensor, text: Tensor) {
    let timesteps = try checked(timesteps, for: z)
    try check(rows, of: conditions.count, for: z.shape[0])
    guard conditions.pooled == nil else {
      throw EvokeError(
        .value,
        "there are no gradients through a UNet that takes a pooled text (Stable Diffusion XL)",
        hint: "a search by forward passes needs none: cma, nes, spsa")
    }
    let together = subBatch(z.shape)
    let parts: [(Tensor, Tensor)] = inSubBatches(
      z.shape[0], of: recomputing ? max(1, together / 4) : together
    ) { range in
      let (output, pullback) = self.recorded(
        z.rows(range), timesteps: timesteps[range], text: conditions, rows: rows[range],
        recorder: Recorder(recomputing: recomputing))
      return (output, pullback(loss(output, range)))
    }
    return (
      Tensor.concatenated(parts.map(\.0), axis: 0), Tensor.concatenated(parts.map(\.1), axis: 0)
    )
  }

  /// A forward pass with the pullback from the output to every sample's text, `[n, L, d]`.
  private func recorded(
    _ z: Tensor, timesteps: ArraySlice<Double>, text: TextConditions, rows: ArraySlice<Int>,
    recorder: Recorder
  ) -> (Tensor, Pullback) {
    var recorder = recorder
    let time = time(Array(timesteps))
    var x = convIn(z.channelsLast())
    var skips = [x]
    var pullbacks: [TextPullback] = []
    func follow(_ step: (Tensor, TextPullback)) {
      x = step.0
      pullbacks.append(step.1)
    }
    for block in down {
      follow(
        block.recorded(
          x, time: time, text: text, rows: rows, skips: &skips, recorder: &recorder))
    }
    follow(middle.recorded(x, time: time, text: text, rows: rows, recorder: &recorder))
    for block in up {
      follow(
        block.recorded(
          x, time: time, text: text, rows: rows, skips: &skips, recorder: &recorder))
    }
    let last = x
    let output = convOut(normOut(last, activation: config.activation)).channelsFirst()
    return (
      output,
      { [pullbacks] dy in
        var side = SideGradients()
        var gradient = self.normOut.gradient(
          self.convOut.gradient(dy.channelsLast(), of: last.shape), at: last,
          activation: self.config.activation)
        for pullback in pullbacks.reversed() {
          guard let next = pullback(gradient, &side) else { break }
          gradient = next
        }
        return side.text ?? Tensor(zeros: dy.shape)
      }
    )
  }
}
