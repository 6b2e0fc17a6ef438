import Tensors

/// What a forward pass of some latents computes before it meets the text: everything up to the
/// queries of the first cross-attention.
///
/// Latents and timesteps alone determine it, so that one value serves all texts: the candidates of
/// a generation, or both halves of guidance. A pass that goes on from it has the bits of a whole one.
public struct UNetPrefix: Sendable {
  /// Shape of the latents, `[n, C, h, w]`.
  let shape: [Int]
  let timesteps: [Double]
  /// The time embedding `[n, T]`; nil where the pooled text has a part in it.
  let time: Tensor?
  /// Steps of the way down that lie behind.
  let steps: Int
  /// What they left for the way up, the latents' first convolution in front.
  let skips: [Tensor]
  /// The transformer of the next step, where that has one: its resnet has been applied too.
  var asking: Transformer2D.Asking?

  /// Number of latents.
  public var count: Int { shape[0] }

  /// The prefixes of some of the latents, in any order and number.
  func gathered(_ samples: ArraySlice<Int>) -> UNetPrefix {
    UNetPrefix(
      shape: [samples.count] + shape.dropFirst(), timesteps: samples.map { timesteps[$0] },
      time: time?.gathered(samples), steps: steps, skips: skips.map { $0.gathered(samples) },
      asking: asking.map {
        .init(
          input: $0.input.gathered(samples), tokens: $0.tokens.gathered(samples),
          queries: $0.queries.gathered(samples))
      })
  }

  /// Prefixes of one network and one size of latents, one behind the other.
  static func joined(_ parts: [UNetPrefix]) -> UNetPrefix {
    let first = parts[0]
    if parts.count == 1 { return first }
    func joined(_ tensor: (UNetPrefix) -> Tensor?) -> Tensor? {
      let all = parts.compactMap(tensor)
      return all.isEmpty ? nil : Tensor.concatenated(all, axis: 0)
    }
    var asking: Transformer2D.Asking?
    if let input = joined(\.asking?.input), let tokens = joined(\.asking?.tokens),
      let queries = joined(\.asking?.queries)
    {
      asking = .init(input: input, tokens: tokens, queries: queries)
    }
    return UNetPrefix(
      shape: [parts.reduce(0) { $0 + $1.count }] + first.shape.dropFirst(),
      timesteps: parts.flatMap(\.timesteps), time: joined(\.time), steps: first.steps,
      skips: first.skips.indices.compactMap { i in joined { $0.skips[i] } }, asking: asking)
  }
}

extension UNet2DCondition {
  /// The part of a forward pass of latents `[n, C, h, w]` that no text has a say in.
  ///
  /// - Parameter timesteps: one, or one a latent.
  /// - Throws: a `shape` error when the shapes do not fit each other or the model.
  public func prefix(_ z: Tensor, timesteps: [Double]) throws -> UNetPrefix {
    let timesteps = try checked(timesteps, for: z)
    return .joined(
      inSubBatches(z.shape[0], of: subBatch(z.shape)) { self.start(z, timesteps, $0) })
  }

  /// The model's raw output for latents whose prefix is known: sample n goes on from latent
  /// `samples[n]` (each once, in order, unless given) with text `rows[n]`.
  ///
  /// - Throws: a `shape` error when an index names nothing.
  public func callAsFunction(
    _ prefix: UNetPrefix, samples: [Int]? = nil, conditions: TextConditions, rows: [Int]
  ) throws -> Tensor {
    let samples = samples ?? Array(0..<prefix.count)
    guard !samples.isEmpty, samples.allSatisfy({ (0..<prefix.count).contains($0) }) else {
      throw EvokeError(.shape, "the samples do not fit \(prefix.count) latents")
    }
    try check(rows, of: conditions.count, for: samples.count)
    return inSubBatches(samples.count, of: subBatch(prefix.shape)) { range in
      self.forward(prefix.gathered(samples[range]), text: conditions, rows: rows[range])
    }
  }

  /// How many latents of z's size have prefixes that are worth holding at once, about a quarter of
  /// a gigabyte of them.
  public func prefixes(of z: Tensor) -> Int {
    max(1, 64_000_000 / mapBytes(z.shape))  // four maps of the first level each
  }

  /// The prefix of some of the latents.
  func start(_ z: Tensor, _ timesteps: [Double], _ range: Range<Int>) -> UNetPrefix {
    let (z, timesteps) = (z.rows(range), Array(timesteps[range]))
    var x = convIn(z.channelsLast())
    var skips = [x]
    func prefix(_ time: Tensor?, _ asking: Transformer2D.Asking? = nil) -> UNetPrefix {
      UNetPrefix(
        shape: z.shape, timesteps: timesteps, time: time, steps: skips.count - 1, skips: skips,
        asking: asking)
    }
    guard config.added == nil else { return prefix(nil) }
    let time = time(timesteps)
    for step in down.flatMap(\.steps) {
      switch step {
      case .halving(let downsample): x = downsample(x)
      case .layer(let resnet, nil): x = resnet(x, time: time)
      case .layer(let resnet, let transformer?):
        return prefix(time, transformer.asking(resnet(x, time: time)))
      }
      skips.append(x)
    }
    return prefix(time)
  }
}
