import Checkpoints
import Tensors

/// A level of the UNet on the way down: resnets, each followed by a transformer where the block
/// type has cross-attention, then a halving of the resolution on all levels but the last.
///
/// Source: diffusers `DownBlock2D`, `CrossAttnDownBlock2D`.
struct DownBlock: Sendable {
  let resnets: [ResnetBlock]  // resnets.i
  let attentions: [Transformer2D]  // attentions.i, none in a DownBlock2D
  let downsample: Downsample?  // downsamplers.0

  init(_ weights: Weights, level i: Int, config: UNetConfig, layers: inout Int) throws {
    let input = config.blockChannels[max(i - 1, 0)]
    let output = config.blockChannels[i]
    var resnets: [ResnetBlock] = []
    var attentions: [Transformer2D] = []
    for j in 0..<config.layersPerBlock[i] {
      resnets.append(
        try ResnetBlock(
          weights["resnets.\(j)"], j == 0 ? input : output, output, config.style(level: i)))
      guard config.downAttention[i] else { continue }
      attentions.append(
        try Transformer2D(
          weights["attentions.\(j)"], channels: output, heads: config.heads[i],
          depth: config.transformerDepth[i], config: config, textWidth: config.textWidths[i],
          layers: &layers))
    }
    self.resnets = resnets
    self.attentions = attentions
    downsample =
      i == config.blockChannels.count - 1
      ? nil : try Downsample(weights, output, padding: config.downsamplePadding)
  }

  /// What it does, one step a skip.
  var steps: [DownStep] {
    resnets.enumerated().map { .layer($1, attentions.isEmpty ? nil : attentions[$0]) }
      + (downsample.map { [.halving($0)] } ?? [])
  }
}

/// A part of the way down that leaves one skip.
enum DownStep {
  /// A resnet, with a transformer where the level has cross-attention.
  case layer(ResnetBlock, Transformer2D?)
  case halving(Downsample)

  /// Maps `[N, H, W, C]`.
  func callAsFunction(
    _ x: Tensor, time: Tensor, text: TextConditions, rows: ArraySlice<Int>
  ) -> Tensor {
    switch self {
    case .halving(let downsample): return downsample(x)
    case .layer(let resnet, let transformer):
      let x = resnet(x, time: time)
      return transformer.map { $0(x, text: text, rows: rows) } ?? x
    }
  }
}

extension DownBlock {
  /// All steps, with the pullback to the input, which takes its skips' gradients off the end; every
  /// intermediate result is appended to `skips`.
  func recorded(
    _ input: Tensor, time: Tensor, text: TextConditions, rows: ArraySlice<Int>,
    skips: inout [Tensor], recorder: inout Recorder
  ) -> (Tensor, TextPullback) {
    var x = input
    var pullbacks: [TextPullback] = []
    for (j, resnet) in resnets.enumerated() {
      let first = recorder.record(
        x, plain: { resnet($0, time: time) }, recorded: { resnet.recorded($0, time: time) })
      x = first.0
      pullbacks.append { dy, _ in first.1.map { $0(dy) } }
      if !attentions.isEmpty {
        let attention = attentions[j]
        let second = recorder.record(
          x, plain: { attention($0, text: text, rows: rows) },
          recorded: { attention.recorded($0, text: text, rows: rows, reachesInput: $1) })
        x = second.0
        pullbacks.append(second.1)
      }
      pullbacks.append { dy, side in dy.plus(side.skips.removeLast()) }
      skips.append(x)
    }
    if let downsample {
      let (shape, isLive) = (x.shape, recorder.isLive)
      pullbacks.append { dy, _ in isLive ? downsample.gradient(dy, of: shape) : nil }
      pullbacks.append { dy, side in dy.plus(side.skips.removeLast()) }
      x = downsample(x)
      skips.append(x)
    }
    return (x, chained(pullbacks))
  }
}

/// The pullbacks one behind the other, the last one's first, until nothing depends on the text.
private func chained(_ pullbacks: [TextPullback]) -> TextPullback {
  { dy, side in
    var gradient = dy
    for pullback in pullbacks.reversed() {
      guard let next = pullback(gradient, &side) else { return nil }
      gradient = next
    }
    return gradient
  }
}

/// The bottom of the UNet.
///
/// Source: diffusers `UNetMidBlock2DCrossAttn`.
struct MidBlock: Sendable {
  let first: ResnetBlock  // resnets.0
  let attention: Transformer2D  // attentions.0
  let second: ResnetBlock  // resnets.1

  init(_ weights: Weights, config: UNetConfig, layers: inout Int) throws {
    let last = config.blockChannels.count - 1
    let channels = config.blockChannels[last]
    first = try ResnetBlock(
      weights["resnets.0"], channels, channels, config.style(level: last))
    attention = try Transformer2D(
      weights["attentions.0"], channels: channels, heads: config.heads[last],
      depth: config.transformerDepth[last], config: config, textWidth: config.textWidths[last],
      layers: &layers)
    second = try ResnetBlock(
      weights["resnets.1"], channels, channels, config.style(level: last))
  }

  func callAsFunction(
    _ x: Tensor, time: Tensor, text: TextConditions, rows: ArraySlice<Int>
  ) -> Tensor {
    second(attention(first(x, time: time), text: text, rows: rows), time: time)
  }

  /// The same with the pullback to x.
  func recorded(
    _ x: Tensor, time: Tensor, text: TextConditions, rows: ArraySlice<Int>,
    recorder: inout Recorder
  ) -> (Tensor, TextPullback) {
    let before = recorder.record(
      x, plain: { first($0, time: time) }, recorded: { first.recorded($0, time: time) })
    let between = recorder.record(
      before.0, plain: { attention($0, text: text, rows: rows) },
      recorded: { attention.recorded($0, text: text, rows: rows, reachesInput: $1) })
    let after = recorder.record(
      between.0, plain: { second($0, time: time) }, recorded: { second.recorded($0, time: time) })
    return (
      after.0,
      chained([
        { dy, _ in before.1.map { $0(dy) } }, between.1, { dy, _ in after.1.map { $0(dy) } },
      ])
    )
  }
}

/// A level of the UNet on the way up: each resnet takes the running features beside one skip.
///
/// Source: diffusers `UpBlock2D`, `CrossAttnUpBlock2D`.
struct UpBlock: Sendable {
  let resnets: [ResnetBlock]  // resnets.i
  let attentions: [Transformer2D]  // attentions.i, none in an UpBlock2D
  let upsample: Upsample?  // upsamplers.0

  /// `step` counts up blocks from the bottom, as `up_blocks.step` does.
  init(_ weights: Weights, step: Int, config: UNetConfig, layers: inout Int) throws {
    let levels = config.blockChannels.count
    let level = levels - 1 - step
    let output = config.blockChannels[level]
    let below = config.blockChannels[min(level + 1, levels - 1)]
    let above = config.blockChannels[max(level - 1, 0)]
    let count = config.layersPerBlock[level] + 1
    var resnets: [ResnetBlock] = []
    var attentions: [Transformer2D] = []
    for j in 0..<count {
      let input = (j == 0 ? below : output) + (j == count - 1 ? above : output)
      resnets.append(
        try ResnetBlock(weights["resnets.\(j)"], input, output, config.style(level: level)))
      guard config.upAttention[step] else { continue }
      attentions.append(
        try Transformer2D(
          weights["attentions.\(j)"], channels: output, heads: config.heads[level],
          depth: config.transformerDepth[level], config: config,
          textWidth: config.textWidths[level], layers: &layers))
    }
    self.resnets = resnets
    self.attentions = attentions
    upsample =
      step == levels - 1
      ? nil : try Upsample(weights, output, positions: config.positions(level: level - 1))
  }

  /// Maps `[N, h, w, C]`, taking its skips off the end of `skips`; the result has the size of the
  /// next skip, which for an odd size is not twice the present one.
  func callAsFunction(
    _ input: Tensor, time: Tensor, text: TextConditions, rows: ArraySlice<Int>,
    skips: inout [Tensor]
  ) -> Tensor {
    var x = input
    for (j, resnet) in resnets.enumerated() {
      x = resnet(Tensor.concatenated([x, skips.removeLast()], axis: 3), time: time)
      if !attentions.isEmpty { x = attentions[j](x, text: text, rows: rows) }
    }
    guard let upsample else { return x }
    return upsample(x, to: skips.last.map { ($0.shape[1], $0.shape[2]) })
  }
}

extension UpBlock {
  /// The same with the pullback to the input, which appends its skips' gradients.
  func recorded(
    _ input: Tensor, time: Tensor, text: TextConditions, rows: ArraySlice<Int>,
    skips: inout [Tensor], recorder: inout Recorder
  ) -> (Tensor, TextPullback) {
    var x = input
    var pullbacks: [TextPullback] = []
    for (j, resnet) in resnets.enumerated() {
      let (own, skip) = (x.shape[3], skips.removeLast())
      pullbacks.append { dy, side in
        side.skips.append(dy.lastAxis(own..<dy.shape[3]))
        return dy.lastAxis(0..<own)
      }
      let first = recorder.record(
        Tensor.concatenated([x, skip], axis: 3), plain: { resnet($0, time: time) },
        recorded: { resnet.recorded($0, time: time) })
      x = first.0
      pullbacks.append { dy, _ in first.1.map { $0(dy) } }
      guard !attentions.isEmpty else { continue }
      let attention = attentions[j]
      let second = recorder.record(
        x, plain: { attention($0, text: text, rows: rows) },
        recorded: { attention.recorded($0, text: text, rows: rows, reachesInput: $1) })
      x = second.0
      pullbacks.append(second.1)
    }
    if let upsample {
      let shape = x.shape
      pullbacks.append { dy, _ in upsample.gradient(dy, of: shape) }
      x = upsample(x, to: skips.last.map { ($0.shape[1], $0.shape[2]) })
    }
    return (x, chained(pullbacks))
  }
}
