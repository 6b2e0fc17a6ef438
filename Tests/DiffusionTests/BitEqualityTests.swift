import Tensors
import Testing

@testable import Diffusion

/// The contract of docs/architecture.md on whole parts of models: random sizes, and the same bits on
/// every instruction set, with any number of threads, whatever is kept in memory, however a batch is
/// cut. These tests switch global settings, so they run one after another.
@Suite("Whole parts, bit for bit", .serialized) struct BitEqualityTests {
  /// What a part gives for some samples of a fixed batch.
  private typealias Application = (Range<Int>) throws -> Tensor

  /// Fails unless the samples come out the same under all circumstances.
  ///
  /// `open` makes the part anew; it packs its weights with the instructions that are set when it is
  /// first applied.
  private func sameBitsEverywhere(
    _ what: String, of count: Int, _ random: Philox, _ open: (Execution) throws -> Application
  ) throws {
    let (threads, best) = (Compute.threads, Compute.instructionSet)
    defer {
      Compute.threads = threads
      try? Compute.setInstructionSet(best)
    }
    var random = random
    for precision in Precision.allCases {
      try Compute.setInstructionSet(best)
      Compute.threads = 1
      let reference = try open(Execution(precision: precision))(0..<count)
      #expect(reference.values.allSatisfy { $0.isFinite })
      for set in Compute.supported {
        try Compute.setInstructionSet(set)
        for memory in [MemoryUse.fast, .small] {
          let part = try open(Execution(precision: precision, memory: memory))
          for threads in 1...4 {
            Compute.threads = threads
            let ranges = cut(count, &random)
            let found = Tensor.concatenated(try ranges.map(part), axis: 0)
            #expect(
              found == reference,
              "\(what): \(precision), \(memory), \(set), \(threads) threads, batches \(ranges)")
          }
        }
      }
    }
  }

  /// `0..<count` in one to three ranges.
  private func cut(_ count: Int, _ random: inout Philox) -> [Range<Int>] {
    let ends = Set((0..<random.integer(below: 3)).map { _ in 1 + random.integer(below: count) })
    let places = ([0, count] + ends.filter { $0 < count }).sorted()
    return zip(places, places.dropFirst()).map { $0..<$1 }
  }

  private func sizes(_ random: inout Philox, _ ranges: ClosedRange<Int>...) -> [Int] {
    ranges.map { $0.lowerBound + random.integer(below: $0.count) }
  }

  @Test("UNets", arguments: 0..<4) func unets(_ seed: Int) throws {
    let model = RandomPart.unet(seed)
    var random = model.random.derived("inputs")
    let config = try UNetConfig(model.opened(Execution()).config)
    // More than 16 samples go through in several goes, each in a thread of its own.
    let isMany = seed == 3
    let side = isMany ? 1...3 : 1...8
    let n = sizes(&random, isMany ? 17...20 : 2...4, side, side, 1...90)
    let z = random.normals(shape: [n[0], config.inputChannels, n[1], n[2]])
    let text = random.normals(shape: [n[0], n[3], config.textWidths[0]])
    let timesteps = (0..<n[0]).map { _ in 1000 * random.uniform() }
    try sameBitsEverywhere("UNet \(seed), \(z.shape), \(n[3]) tokens", of: n[0], random) {
      let (config, weights) = try model.opened($0)
      let unet = try UNet2DCondition(config, weights)
      return {
        try unet(z.rows($0), timesteps: Array(timesteps[$0]), text: text.rows($0))
      }
    }
  }

  @Test("autoencoders", arguments: 0..<4) func autoencoders(_ seed: Int) throws {
    let model = RandomPart.autoencoder(seed)
    var random = model.random.derived("inputs")
    let shape = try {
      let (config, weights) = try model.opened(Execution())
      let autoencoder = try AutoencoderKL(config, weights)
      return (autoencoder.latentChannels, autoencoder.downsampling)
    }()
    let n = sizes(&random, 2...4, 1...4, 1...4)
    let side = shape.1
    let x = random.normals(shape: [n[0], 3, n[1] * side + n[2] % side, n[2] * side])
    let z = random.normals(shape: [n[0], shape.0, n[1], n[2]])
    try sameBitsEverywhere("autoencoder \(seed), \(x.shape)", of: n[0], random) {
      let (config, weights) = try model.opened($0)
      let autoencoder = try AutoencoderKL(config, weights)
      return { range in
        let (mean, deviation) = try autoencoder.encode(x.rows(range))
        let picture = try autoencoder.decode(z.rows(range))
        return Tensor.concatenated(
          [mean, deviation, picture].map { $0.reshaped([range.count, $0.count / range.count]) },
          axis: 1)
      }
    }
  }

  @Test("text encoders", arguments: 0..<8) func textEncoders(_ seed: Int) throws {
    let model = RandomPart.textEncoder(seed)
    var random = model.random.derived("inputs")
    let (config, _) = try model.opened(Execution())
    let (vocabulary, longest) = try (
      config.int("vocab_size"), config.int("max_position_embeddings")
    )
    let n = sizes(&random, 2...6, 1...longest)
    let extra = random.normals(shape: [2, try config.int("hidden_size")])
    let ids = (0..<n[0]).map { _ in
      (0..<n[1]).map { _ in random.integer(below: vocabulary + 2) }
    }
    try sameBitsEverywhere("text encoder \(seed), \(n)", of: n[0], random) {
      let (config, weights) = try model.opened($0)
      let encoder = try TextEncoder(config, weights)
      return { encoder(try encoder.embeddings(Array(ids[$0]), extra: extra)) }
    }
  }
}
