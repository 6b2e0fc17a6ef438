import Checkpoints
import Foundation
import Tensors

/// The denoiser of a latent diffusion model: predicts the noise (or the velocity) in noised latents
/// from a timestep and a text.
///
/// Source: Rombach et al., arXiv 2112.10752; diffusers `UNet2DConditionModel`.
public final class UNet2DCondition: Sendable {
  /// What `config.json` says.
  public let config: UNetConfig

  let time: TimestepEmbedding  // time_embedding
  let convIn: Convolution2D  // conv_in
  let down: [DownBlock]  // down_blocks.i
  let middle: MidBlock  // mid_block
  let up: [UpBlock]  // up_blocks.i
  let normOut: GroupNorm  // conv_norm_out
  let convOut: Convolution2D  // conv_out
  let textBlocks: [TransformerBlock]

  /// Reads a diffusers `unet` folder.
  ///
  /// Throws `EvokeError` when the configuration asks for an unsupported part, or a tensor is missing
  /// or has another shape.
  public convenience init(folder: URL, execution: Execution = Execution()) throws {
    var weights = try Weights(folder: folder)
    weights.execution = execution
    try self.init(Config(folder.appendingPathComponent("config.json")), weights)
  }

  /// Reads the UNet of a model from wherever its tensors are; the first and the last layer and the
  /// timestep's compute in float32 whatever the weights' execution says.
  init(_ file: Config, _ weights: Weights) throws {
    let config = try UNetConfig(file)
    var weights = weights
    weights.execution.keepsHalves = true
    var outer = weights
    outer.execution.precision = .float32
    let channels = config.blockChannels
    var layers = 0
    self.config = config
    time = try TimestepEmbedding(outer, config)
    convIn = try outer.convolution(
      "conv_in", config.inputChannels, channels[0], kernel: config.inputKernel)
    down = try channels.indices.map {
      try DownBlock(weights["down_blocks.\($0)"], level: $0, config: config, layers: &layers)
    }
    middle = try MidBlock(weights["mid_block"], config: config, layers: &layers)
    up = try channels.indices.map {
      try UpBlock(weights["up_blocks.\($0)"], step: $0, config: config, layers: &layers)
    }
    normOut = try weights.groupNorm(
      "conv_norm_out", channels[0], groups: config.groups, epsilon: config.epsilon)
    convOut = try outer.convolution(
      "conv_out", channels[0], config.outputChannels, kernel: config.outputKernel)
    textBlocks =
      (down.flatMap(\.attentions) + [middle.attention] + up.flatMap(\.attentions))
      .flatMap(\.blocks)
  }

  /// Prepares texts `[count, L, d]` (hidden states of the text encoder) for any number of forwards.
  ///
  /// Of a model that takes a pooled text, the states end in a row that holds it. Throws a `shape` error
  /// when the width is not the one a cross-attention layer expects.
  public func conditions(_ text: Tensor) throws -> TextConditions {
    guard text.rank == 3, config.textWidths.allSatisfy({ $0 == text.shape[2] }) else {
      throw EvokeError(
        .shape, "the UNet takes text [n, L, \(config.textWidths[0])], not \(text.shape)")
    }
    let (states, pooled) = try split(text)
    return TextConditions(
      count: text.shape[0],
      layers: textBlocks.map { ($0.keys2(states), $0.values2(states)) }, pooled: pooled)
  }

  /// The hidden states, and the pooled text behind them where the model takes one.
  private func split(_ text: Tensor) throws -> (states: Tensor, pooled: Tensor?) {
    guard let added = config.added else { return (text, nil) }
    let (n, length, width) = (text.shape[0], text.shape[1] - 1, text.shape[2])
    guard length > 0, added.pooledWidth <= width else {
      throw EvokeError(
        .shape, "the UNet takes text [n, L + 1, \(width)] whose last row is the pooled text")
    }
    let stride = (length + 1) * width
    return (
      text.gathered(shape: [n, length, width], strides: [stride, width, 1]),
      text.gathered(shape: [n, added.pooledWidth], strides: [stride, 1], from: length * width)
    )
  }

  /// The model's raw output for latents `[B, C, h, w]`, each with its own timestep and text.
  ///
  /// - Parameters:
  ///   - timesteps: one, or one a sample.
  ///   - text: hidden states `[B, L, d]`, or `[1, L, d]` for all samples.
  /// - Returns: `[B, C', h, w]`; a sample's values do not depend on the others in the batch.
  /// - Throws: a `shape` error when the shapes do not fit each other or the model.
  public func callAsFunction(_ z: Tensor, timesteps: [Double], text: Tensor) throws -> Tensor {
    let conditions = try conditions(text)
    let count = z.shape.first ?? 0
    guard conditions.count == count || conditions.count == 1 else {
      throw EvokeError(.shape, "\(conditions.count) texts for \(count) latents")
    }
    return try self(
      z, timesteps: timesteps, conditions: conditions,
      rows: conditions.count == 1 ? Array(repeating: 0, count: count) : Array(0..<count))
  }

  /// The model's raw output for latents `[B, C, h, w]`; sample n takes text `rows[n]`.
  public func callAsFunction(
    _ z: Tensor, timesteps: [Double], conditions: TextConditions, rows: [Int]
  ) throws -> Tensor {
    let timesteps = try checked(timesteps, for: z)
    try check(rows, of: conditions.count, for: z.shape[0])
    return inSubBatches(z.shape[0], of: subBatch(z.shape)) { range in
      self.forward(self.start(z, timesteps, range), text: conditions, rows: rows[range])
    }
  }

  /// From the prefix to the output; sample n takes text `rows[n]`.
  func forward(
    _ prefix: consuming UNetPrefix, text: TextConditions, rows: ArraySlice<Int>
  ) -> Tensor {
    let time =
      prefix.time ?? time(prefix.timesteps, text: text, rows: rows, latents: prefix.shape)
    var skips = prefix.skips
    var x = skips[skips.count - 1]
    for (i, step) in down.flatMap(\.steps).enumerated().dropFirst(prefix.steps) {
      if i == prefix.steps, let asking = prefix.asking, case .layer(_, let transformer?) = step {
        x = transformer.answered(asking, text: text, rows: rows)
        prefix.asking = nil
      } else {
        x = step(x, time: time, text: text, rows: rows)
      }
      skips.append(x)
    }
    x = middle(x, time: time, text: text, rows: rows)
    for block in up { x = block(x, time: time, text: text, rows: rows, skips: &skips) }
    return convOut(normOut(x, activation: config.activation)).channelsFirst()
  }

  /// The time embedding where the pooled text and the picture's size have a part in it.
  private func time(
    _ timesteps: [Double], text: TextConditions, rows: ArraySlice<Int>, latents: [Int]
  ) -> Tensor {
    // The latents of every model with micro-conditioning are an eighth of its pictures.
    time(
      timesteps, pooled: text.pooled?.gathered(rows), size: (8 * latents[2], 8 * latents[3]))
  }

  /// The timesteps of all latents, one each.
  func checked(_ timesteps: [Double], for z: Tensor) throws -> [Double] {
    guard z.rank == 4, z.shape[1] == config.inputChannels, z.count > 0 else {
      throw EvokeError(
        .shape, "the UNet takes latents [n, \(config.inputChannels), h, w], not \(z.shape)")
    }
    guard timesteps.count == 1 || timesteps.count == z.shape[0] else {
      throw EvokeError(.shape, "\(timesteps.count) timesteps for \(z.shape[0]) latents")
    }
    guard timesteps.allSatisfy(\.isFinite) else {
      throw EvokeError(.value, "a timestep is not a finite number")
    }
    return timesteps.count == z.shape[0]
      ? timesteps : Array(repeating: timesteps[0], count: z.shape[0])
  }

  func check(_ rows: [Int], of texts: Int, for count: Int) throws {
    guard rows.count == count, rows.allSatisfy({ (0..<texts).contains($0) }) else {
      throw EvokeError(.shape, "the texts' rows do not fit \(count) latents")
    }
  }

  /// Samples that go through the network together: enough that reading the weights pays, few enough
  /// that small feature maps stay in cache and large ones in memory.
  func subBatch(_ latents: [Int]) -> Int {
    max(1, min(16, 64_000_000 / mapBytes(latents)))
  }

  /// Bytes of a sample's map on the first level.
  func mapBytes(_ latents: [Int]) -> Int {
    4 * latents[2] * latents[3] * config.blockChannels[0]
  }
}
