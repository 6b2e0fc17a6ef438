import ArgumentParser
import Diffusion
import Foundation
import Tensors

/// `evoke doctor`: what this machine offers, and whether the built-in model works on it.
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what this machine offers evoke, and check the built-in model.")

  @OptionGroup var machine: MachineOptions

  func run() throws {
    try machine.apply()
    line("evoke", Version.text)
    line("processor", Self.processor ?? "unknown")
    let supported = Compute.supported.map(\.rawValue)
    line("kernels", "\(Compute.instructionSet.rawValue) (of \(supported.joined(separator: ", ")))")
    line("threads", "\(Compute.threads)")
    line("OpenBLAS", "core \(Compute.linearAlgebraCore), one thread, double precision only")
    line("product", "\(Self.rate()) GFLOP/s (1024 × 1024 × 1024, float32)")
    let model = try DiffusionModel.demo()
    line("model", "\(model.name) sha256:\(model.digest.prefix(16))")
    line("forward", try Self.check(model))
  }

  private func line(_ key: String, _ value: String) {
    Terminal.standardOutput(key.padding(toLength: 12, withPad: " ", startingAt: 0) + value)
  }

  /// The processor's name as the kernel tells it.
  private static var processor: String? {
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else {
      return nil
    }
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
  }

  /// The rate of evoke's own product: the median of five.
  private static func rate() -> Int {
    var random = Philox(seed: 1)
    let side = 1024
    let layer = Linear(weight: random.normals(shape: [side, side]), bias: nil)
    let x = random.normals(shape: [side, side])
    let seconds = (0..<5).map { _ in
      let start = ContinuousClock.now
      _ = layer(x)
      return (ContinuousClock.now - start).inSeconds
    }
    return Int((2 * Double(side * side * side) / seconds.sorted()[2] / 1e9).rounded())
  }

  /// Runs the built-in model once, and says whether every instruction set gives the same bytes.
  private static func check(_ model: DiffusionModel) throws -> String {
    var random = Philox(seed: 2)
    let side = model.pictureSize / model.autoencoder.downsampling
    let z = random.normals(shape: [1, model.autoencoder.latentChannels, side, side])
    let text = try model.encode(prompts: ["a star"], with: [])
    let kept = Compute.instructionSet
    defer { try? Compute.setInstructionSet(kept) }
    let reference = try model.unet(z, timesteps: [500], text: text)
    guard reference.values.allSatisfy(\.isFinite) else {
      return "gives numbers that are not finite"
    }
    for set in Compute.supported {
      try Compute.setInstructionSet(set)
      if try model.unet(z, timesteps: [500], text: text) != reference {
        return "differs between \(kept.rawValue) and \(set.rawValue): please report this"
      }
    }
    return "the same bytes under every instruction set of this processor"
  }
}
