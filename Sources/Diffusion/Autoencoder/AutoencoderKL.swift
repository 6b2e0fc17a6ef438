import Checkpoints
import Foundation
import Tensors

/// The variational autoencoder between pictures and latents.
///
/// Source: Rombach et al., arXiv 2112.10752, §3.1; diffusers `AutoencoderKL`.
public final class AutoencoderKL: Sendable {
  /// Factor between what the encoder gives and what the UNet takes.
  public let scalingFactor: Float
  /// Side of a picture over side of its latents.
  public let downsampling: Int
  /// Channels of the latents.
  public let latentChannels: Int
  /// Side of the pictures that the model was made for.
  public let sampleSize: Int
  let pictureChannels: Int

  let encoderIn: Convolution2D  // encoder.conv_in
  let encoderBlocks: [AutoencoderBlock]  // encoder.down_blocks.i
  let encoderMiddle: AutoencoderMidBlock  // encoder.mid_block
  let encoderNorm: GroupNorm  // encoder.conv_norm_out
  let encoderOut: Convolution2D  // encoder.conv_out
  let momentsConv: Linear?  // quant_conv
  let latentConv: Linear?  // post_quant_conv
  let decoderIn: Convolution2D  // decoder.conv_in
  let decoderMiddle: AutoencoderMidBlock  // decoder.mid_block
  let decoderBlocks: [AutoencoderBlock]  // decoder.up_blocks.i
  let decoderNorm: GroupNorm  // decoder.conv_norm_out
  let decoderOut: Convolution2D  // decoder.conv_out

  /// Reads a diffusers `vae` folder.
  ///
  /// Throws `EvokeError` when the configuration asks for an unsupported part, or a tensor is missing
  /// or has another shape.
  public convenience init(folder: URL) throws {
    try self.init(
      Config(folder.appendingPathComponent("config.json")), try Weights(folder: folder))
  }

  /// Reads the autoencoder of a model from wherever its tensors are.
  init(_ config: Config, _ weights: Weights) throws {
    try Self.refuseUnsupported(config)
    let channels = try config.ints("block_out_channels", default: [64])
    let levels = channels.count
    let layers = try config.int("layers_per_block", default: 1)
    let attends = try config.bool("mid_block_add_attention", default: true)
    let latent = try config.int("latent_channels", default: 4)
    let style = ResnetBlock.Style(
      groups: try config.int("norm_num_groups", default: 32), epsilon: 1e-6,
      activation: try config.activation("act_fn", default: "silu"))
    let sizes = 1...1 << 20
    guard let first = channels.first, let last = channels.last, levels <= 16,
      ([layers, latent, style.groups] + channels).allSatisfy(sizes.contains),
      channels.allSatisfy({ $0 % style.groups == 0 })
    else { throw config.invalid("block_out_channels", "\(channels)") }
    _ = try config.blockTypes(
      "down_block_types", levels, known: ["DownEncoderBlock2D"], default: ["DownEncoderBlock2D"])
    _ = try config.blockTypes(
      "up_block_types", levels, known: ["UpDecoderBlock2D"], default: ["UpDecoderBlock2D"])

    scalingFactor = Float(try config.double("scaling_factor", default: 0.18215))
    guard scalingFactor.isFinite, scalingFactor > 0 else {
      throw config.invalid("scaling_factor", "\(scalingFactor)")
    }
    downsampling = 1 << (levels - 1)
    latentChannels = latent
    sampleSize = try config.ints("sample_size", default: [32]).first ?? 32
    pictureChannels = try config.int("in_channels", default: 3)

    let encoder = weights["encoder"]
    encoderIn = try encoder.convolution("conv_in", pictureChannels, first)
    encoderBlocks = try (0..<levels).map { i in
      try AutoencoderBlock(
        encoder["down_blocks.\(i)"], channels[max(i - 1, 0)], channels[i], count: layers, style,
        i == levels - 1 ? .none : .down)
    }
    encoderMiddle = try AutoencoderMidBlock(encoder["mid_block"], last, style, attends: attends)
    encoderNorm = try encoder.groupNorm(
      "conv_norm_out", last, groups: style.groups, epsilon: style.epsilon)
    encoderOut = try encoder.convolution("conv_out", last, 2 * latent)
    momentsConv =
      try config.bool("use_quant_conv", default: true)
      ? weights.linear("quant_conv", 2 * latent, 2 * latent, pointwise: true) : nil

    latentConv =
      try config.bool("use_post_quant_conv", default: true)
      ? weights.linear("post_quant_conv", latent, latent, pointwise: true) : nil
    let decoder = weights["decoder"]
    decoderIn = try decoder.convolution("conv_in", latent, last)
    decoderMiddle = try AutoencoderMidBlock(decoder["mid_block"], last, style, attends: attends)
    let rising = Array(channels.reversed())
    decoderBlocks = try (0..<levels).map { i in
      try AutoencoderBlock(
        decoder["up_blocks.\(i)"], rising[max(i - 1, 0)], rising[i], count: layers + 1, style,
        i == levels - 1 ? .none : .up)
    }
    decoderNorm = try decoder.groupNorm(
      "conv_norm_out", first, groups: style.groups, epsilon: style.epsilon)
    decoderOut = try decoder.convolution(
      "conv_out", first, try config.int("out_channels", default: 3))
  }

  private static func refuseUnsupported(_ config: Config) throws {
    guard try config.string("_class_name", default: "AutoencoderKL") == "AutoencoderKL" else {
      throw config.unsupported("_class_name", supported: ["AutoencoderKL"])
    }
    for key in ["latents_mean", "latents_std", "shift_factor"] where config.has(key) {
      throw config.unsupported(key)
    }
  }

  /// The posterior's mean and standard deviation, each `[n, c, H/f, W/f]` and unscaled, for pictures
  /// `[n, 3, H, W]` in −1…1.
  ///
  /// Throws a `shape` error for another number of channels or a side below the downsampling.
  public func encode(_ x: Tensor) throws -> (mean: Tensor, deviation: Tensor) {
    guard x.rank == 4, x.shape[1] == pictureChannels, x.count > 0,
      min(x.shape[2], x.shape[3]) >= downsampling
    else {
      throw EvokeError(
        .shape,
        "the autoencoder takes pictures [n, \(pictureChannels), H, W] of at least "
          + "\(downsampling)×\(downsampling), not \(x.shape)")
    }
    let moments = inSubBatches(x.shape[0], of: subBatch(x.shape[2] * x.shape[3])) {
      self.moments(x.rows($0).channelsLast()).channelsFirst()
    }
    let (mean, logVariance) = halves(moments)
    // diffusers' DiagonalGaussianDistribution clamps the logarithm of the variance.
    let deviation = mapped(logVariance) { Elementary.exp(0.5 * min(max($0, -30), 20)) }
    return (mean, deviation)
  }

  /// Pictures `[n, 3, H, W]`, about −1…1, from unscaled latents `[n, c, h, w]`.
  ///
  /// Throws a `shape` error for another number of channels.
  public func decode(_ z: Tensor) throws -> Tensor {
    guard z.rank == 4, z.shape[1] == latentChannels, z.count > 0 else {
      throw EvokeError(
        .shape, "the autoencoder takes latents [n, \(latentChannels), h, w], not \(z.shape)")
    }
    let area = z.shape[2] * z.shape[3] * downsampling * downsampling
    return inSubBatches(z.shape[0], of: subBatch(area)) {
      self.picture(z.rows($0).channelsLast()).channelsFirst()
    }
  }

  private func moments(_ pictures: Tensor) -> Tensor {
    var x = encoderIn(pictures)
    for block in encoderBlocks { x = block(x) }
    x = encoderOut(encoderNorm(encoderMiddle(x), activation: .silu))
    return momentsConv.map { $0(x) } ?? x
  }

  private func picture(_ latents: Tensor) -> Tensor {
    var x = decoderMiddle(decoderIn(latentConv.map { $0(latents) } ?? latents))
    for block in decoderBlocks { x = block(x) }
    return decoderOut(decoderNorm(x, activation: .silu))
  }

  private func subBatch(_ area: Int) -> Int { max(1, 16_384 / area) }

  /// `[n, 2c, h, w]` cut into its first and second c channels.
  private func halves(_ x: Tensor) -> (Tensor, Tensor) {
    let (n, c) = (x.shape[0], x.shape[1] / 2)
    let size = c * x.shape[2] * x.shape[3]
    let pairs = x.reshaped([n * 2, size])
    let shape = [n, c, x.shape[2], x.shape[3]]
    return (
      pairs.gathered(Array(stride(from: 0, to: 2 * n, by: 2))[...]).reshaped(shape),
      pairs.gathered(Array(stride(from: 1, to: 2 * n, by: 2))[...]).reshaped(shape)
    )
  }

  private func mapped(_ x: Tensor, _ function: (Float) -> Float) -> Tensor {
    x.withUnsafeValues { source in
      Tensor(shape: x.shape) { target in
        for i in source.indices { target[i] = function(source[i]) }
      }
    }
  }
}
