import Diffusion
import Foundation
import Tensors

/// Timings for scripts/bench: reads lines `PART SIDE BATCH REPEATS` (the side of the latents, 0 for
/// the model's own), answers the process CPU seconds of each repeat, after two that are not counted.
/// The driver alternates between this process and a peer.
struct Bench {
  let unet: UNet2DCondition
  let autoencoder: AutoencoderKL
  let encoder: TextEncoder

  /// Reads the parts of a model folder; the execution is the UNet's.
  init(folder: URL, execution: Execution) throws {
    unet = try UNet2DCondition(
      folder: folder.appendingPathComponent("unet"), execution: execution)
    autoencoder = try AutoencoderKL(folder: folder.appendingPathComponent("vae"))
    encoder = try TextEncoder(folder: folder.appendingPathComponent("text_encoder"))
  }

  /// Answers lines until the input ends.
  func run(threads: Int) throws {
    Compute.threads = threads
    while let line = readLine() {
      let words = line.split(separator: " ").map(String.init)
      guard words.count == 4, let side = Int(words[1]), let batch = Int(words[2]),
        let repeats = Int(words[3])
      else { return }
      let work = try prepared(words[0], side > 0 ? side : unet.config.sampleSize ?? 64, batch)
      for _ in 0..<2 { try work() }  // the second keeps what it prepared
      let seconds = try (0..<repeats).map { _ in
        let start = Self.cpuSeconds()
        try work()
        return Self.cpuSeconds() - start
      }
      print(seconds.map { "\($0)" }.joined(separator: " "))
      fflush(nil)
    }
  }

  private func prepared(_ part: String, _ side: Int, _ batch: Int) throws -> () throws -> Void {
    switch part {
    case "unet":
      Workload.unet(unet, promptLength: encoder.maxLength, batch: batch, side: side)
    case "prefix": prefix(side, batch)
    case "text": Workload.text(encoder, batch: batch)
    case "gradient", "gradient-recomputed":
      gradientStep(side, batch, recomputing: part == "gradient-recomputed")
    case "encode": Workload.encode(autoencoder, batch: batch, side: side)
    case "decode": Workload.decode(autoencoder, batch: batch, side: side)
    default: throw EvokeError(.name, "there is no part \"\(part)\"")
    }
  }

  /// The part of a UNet forward in front of the text.
  private func prefix(_ side: Int, _ batch: Int) -> () throws -> Void {
    let z = Workload.latents(channels: unet.config.inputChannels, batch: batch, side: side)
    let timesteps = Workload.timesteps(batch)
    return { _ = try unet.prefix(z, timesteps: timesteps) }
  }

  /// The gradient of the mean squared error with respect to token embeddings, a prompt a sample.
  private func gradientStep(
    _ side: Int, _ batch: Int, recomputing: Bool
  ) -> () throws -> Void {
    let z = Workload.latents(channels: unet.config.inputChannels, batch: batch, side: side)
    let ids = Workload.prompts(for: encoder, batch: batch)
    let timesteps = Workload.timesteps(batch)
    var random = Philox(seed: 2)
    let noise = random.normals(shape: z.shape)
    return {
      let (hidden, pullback) = try encoder.recorded(
        try encoder.embeddings(ids), recomputing: recomputing)
      let found = try unet.textGradient(
        z, timesteps: timesteps, conditions: unet.conditions(hidden), rows: Array(0..<batch),
        recomputing: recomputing
      ) { $0.minus(noise.rows($1)).scaled(by: 2 / Float(noise.count)) }
      _ = pullback(found.text)
    }
  }

  /// Prints the process's resident memory in MiB before gradient steps, and its peak.
  func memory(part: String, batch: Int) throws {
    let side = unet.config.sampleSize ?? 64
    let step = try prepared(part, side, batch)
    // Packed weights stay whatever the batch: one sample's steps make them.
    for _ in 0..<2 { try prepared(part, side, 1)() }
    let before = Self.peakMemory()
    try step()
    try step()
    print(before, Self.peakMemory())
  }

  /// The most memory that the process has had, in MiB, as Linux tells it.
  static func peakMemory() -> Double {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line.flatMap { Double($0.filter(\.isNumber)) }.map { $0 / 1024 } ?? .nan
  }

  static func cpuSeconds() -> Double { seconds(CLOCK_PROCESS_CPUTIME_ID) }

  /// What a clock shows.
  static func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
