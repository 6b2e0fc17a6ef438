import ArgumentParser
import Diffusion
import Foundation
import Tensors

/// `evoke bench PART MODEL`: how long a part of a model takes on this machine.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time a part of a model on this machine.",
    discussion: """
      Two runs that are not counted come first. A line for each repeat follows, and last the median \
      in seconds, of the autoencoder that of encoding and decoding together.
      """)

  enum Part: String, CaseIterable, ExpressibleByArgument {
    case unet, text, vae
  }

  @Argument(help: "The part.")
  var part: Part

  @Argument(
    help: "demo, a diffusers folder that holds at least this part, or a single file.")
  var model: String

  @Option(help: "Side of the latents; the model's own if left out.")
  var latents: Int?

  @Option(help: "How often to measure.")
  var repeats = 3

  @Option(help: "Of the UNet's products.")
  var precision = Precision.float32

  @Option(help: "fast, or small: prepare each layer's weights at every use.")
  var memory = MemoryUse.fast

  @Option(help: "For a single file: a diffusers folder whose configuration it takes.")
  var config: String?

  @OptionGroup var machine: MachineOptions

  private var batch: Int { machine.batch ?? 1 }

  func run() throws {
    try machine.apply()
    try check("--repeats", repeats, in: 1...1_000_000)
    try check("--batch", batch, in: 1...1024)
    if let latents { try check("--latents", latents, in: 1...1024) }
    let execution = Execution(precision: precision, memory: memory)
    let parts =
      try model == "demo"
      ? ModelParts.demo(execution: execution)
      : ModelParts(
        at: URL(fileURLWithPath: model), configuration: config.map { URL(fileURLWithPath: $0) },
        execution: execution)
    let (what, works) = try prepared(parts)
    let threads = Compute.threads == 1 ? "1 thread" : "\(Compute.threads) threads"
    Terminal.standardOutput(
      "\(parts.name): \(what), batch \(batch), \(threads), \(Compute.instructionSet.rawValue)")
    // The first run reads the weights, the second keeps what it prepared.
    for work in works + works { try work.run() }
    var times: [[Double]] = []
    for number in 1...repeats {
      let seconds = try works.map { try Self.seconds($0.run) }
      times.append(seconds)
      Terminal.standardOutput(line("\(number)", works.map(\.name), seconds))
    }
    if works.count > 1 {
      let medians = works.indices.map { work in Self.median(times.map { $0[work] }) }
      Terminal.standardOutput(line("median", works.map(\.name), medians))
    }
    Terminal.standardOutput(Self.text(Self.median(times.map { $0.reduce(0, +) })))
  }

  private typealias Work = (name: String, run: () throws -> Void)

  /// What is measured, in words, and to be run.
  private func prepared(_ parts: ModelParts) throws -> (what: String, works: [Work]) {
    switch part {
    case .unet:
      let unet = try parts.unet()
      let side = latents ?? unet.config.sampleSize ?? 64
      let work = Workload.unet(unet, promptLength: parts.promptLength, batch: batch, side: side)
      return (
        "UNet, \(precision.rawValue), latents \(side)×\(side), \(parts.promptLength) tokens",
        [("unet", work)]
      )
    case .text:
      let encoder = try parts.textEncoder()
      return (
        "text encoder, \(encoder.maxLength) tokens",
        [("text", Workload.text(encoder, batch: batch))]
      )
    case .vae:
      let autoencoder = try parts.autoencoder()
      let side = latents ?? max(1, autoencoder.sampleSize / autoencoder.downsampling)
      let pixels = side * autoencoder.downsampling
      return (
        "autoencoder, pictures \(pixels)×\(pixels)",
        [
          ("encode", Workload.encode(autoencoder, batch: batch, side: side)),
          ("decode", Workload.decode(autoencoder, batch: batch, side: side)),
        ]
      )
    }
  }

  private func check(_ option: String, _ value: Int, in range: ClosedRange<Int>) throws {
    guard range.contains(value) else {
      throw EvokeError(
        .usage, "\(option) must be from \(range.lowerBound) to \(range.upperBound), not \(value)")
    }
  }

  private func line(_ title: String, _ names: [String], _ seconds: [Double]) -> String {
    title.padding(toLength: 8, withPad: " ", startingAt: 0)
      + zip(names, seconds).map { "\($0) \(Self.text($1)) s" }.joined(separator: "   ")
  }

  private static func text(_ seconds: Double) -> String { String(format: "%.4f", seconds) }

  private static func seconds(_ work: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try work()
    return (ContinuousClock.now - start).inSeconds
  }

  /// The middle value; of an even number, the mean of the two.
  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}

extension Precision: ExpressibleByArgument {}
extension MemoryUse: ExpressibleByArgument {}
