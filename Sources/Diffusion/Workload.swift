import Tensors

/// Work on inputs of a given size, the same at every call: what `evoke bench` and scripts/bench time.
public enum Workload {
  /// A forward of a UNet; `side` is that of the latents.
  public static func unet(
    _ unet: UNet2DCondition, promptLength: Int, batch: Int, side: Int
  ) -> () throws -> Void {
    let z = latents(channels: unet.config.inputChannels, batch: batch, side: side)
    let rows = promptLength + (unet.config.added == nil ? 0 : 1)
    var random = Philox(seed: 2)
    let text = random.normals(shape: [batch, rows, unet.config.textWidths[0]])
    return { _ = try unet(z, timesteps: timesteps(batch), text: text) }
  }

  /// The encoding of prompts of full length.
  public static func text(_ encoder: TextEncoder, batch: Int) -> () throws -> Void {
    let ids = prompts(for: encoder, batch: batch)
    return { _ = encoder(try encoder.embeddings(ids)) }
  }

  /// The encoding of pictures; `side` is that of their latents.
  public static func encode(
    _ autoencoder: AutoencoderKL, batch: Int, side: Int
  ) -> () throws -> Void {
    let pictures = latents(channels: 3, batch: batch, side: side * autoencoder.downsampling)
    return { _ = try autoencoder.encode(pictures) }
  }

  /// The decoding of latents.
  public static func decode(
    _ autoencoder: AutoencoderKL, batch: Int, side: Int
  ) -> () throws -> Void {
    let z = latents(channels: autoencoder.latentChannels, batch: batch, side: side)
    return { _ = try autoencoder.decode(z) }
  }

  /// Normal numbers [batch, channels, side, side].
  public static func latents(channels: Int, batch: Int, side: Int) -> Tensor {
    var random = Philox(seed: 1)
    return random.normals(shape: [batch, channels, side, side])
  }

  /// Timesteps from all over the schedule.
  public static func timesteps(_ batch: Int) -> [Double] {
    (0..<batch).map { Double($0 * 37 % 1000) }
  }

  /// Token ids of prompts of full length.
  public static func prompts(for encoder: TextEncoder, batch: Int) -> [[Int]] {
    let vocabulary = min(500, encoder.tokenTable.shape[0])
    return (0..<batch).map { n in (0..<encoder.maxLength).map { (n * 7 + $0 * 13) % vocabulary } }
  }
}
