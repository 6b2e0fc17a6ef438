import Foundation
import Tensors
import Testing

@testable import Diffusion

@Suite("UNet prefix")
struct UNetPrefixTests {
  /// A small network with latents, timesteps and texts: Stable Diffusion XL's, or one of random sizes
  /// with cross-attention on random levels.
  private struct Example {
    let unet: UNet2DCondition
    let z, text: Tensor
    let timesteps: [Double] = [3, 712, 40.5]

    /// `nil` is Stable Diffusion XL.
    init(_ seed: Int?, _ precision: Precision) throws {
      let execution = Execution(precision: precision)
      var random = Philox(seed: 5)
      if let seed {
        let (config, weights) = try RandomPart.unet(seed).opened(execution)
        unet = try UNet2DCondition(config, weights)
        text = random.normals(shape: [3, 6, unet.config.textWidths[0]])
      } else {
        let folder = golden("single-sdxl")
        let model = try DiffusionModel(
          file: folder.appendingPathComponent("model.safetensors"), configuration: folder,
          execution: execution)
        unet = model.unet
        text = try model.encode(prompts: ["a star", "", "two red stars"])
      }
      z = random.normals(shape: [3, unet.config.inputChannels, 7, 6])
    }
  }

  @Test(
    "serves every text with the bits of a whole pass, in any order and number",
    arguments: [nil] + (0..<8).map(Optional.init), Precision.allCases)
  func sharing(_ seed: Int?, _ precision: Precision) throws {
    let example = try Example(seed, precision)
    let (unet, z, text) = (example.unet, example.z, example.text)
    let conditions = try unet.conditions(text)
    let prefix = try unet.prefix(z, timesteps: example.timesteps)
    #expect(prefix.count == 3)
    // More than go through the network together.
    let samples = (0..<40).map { $0 * $0 % 7 % 3 }
    let rows = (0..<40).map { $0 * 5 % 11 % 3 }
    let shared = try unet(prefix, samples: samples, conditions: conditions, rows: rows)
    let whole = try unet(
      Tensor.stacked(samples.map(z.row)), timesteps: samples.map { example.timesteps[$0] },
      conditions: conditions, rows: rows)
    #expect(shared == whole)
    for (n, (sample, row)) in zip(samples, rows).enumerated().prefix(9) {
      let alone = try unet(
        z.rows(sample..<sample + 1), timesteps: [example.timesteps[sample]],
        text: text.rows(row..<row + 1))
      #expect(alone == shared.rows(n..<n + 1))
    }
    let each = try unet(prefix, conditions: conditions, rows: [2, 0, 1])
    #expect(
      try each
        == unet(z, timesteps: example.timesteps, conditions: conditions, rows: [2, 0, 1]))
  }

  @Test("of many latents is that of each")
  func many() throws {
    let example = try Example(0, .float32)
    let unet = example.unet
    let conditions = try unet.conditions(example.text)
    let z = Tensor.stacked((0..<40).map { example.z.row($0 * 3 % 7 % 3) })
    let prefix = try unet.prefix(z, timesteps: [9])
    let some = [39, 0, 17, 17]
    let found = try unet(prefix, samples: some, conditions: conditions, rows: [0, 1, 2, 0])
    let plain = try unet(
      Tensor.stacked(some.map(z.row)), timesteps: [9], conditions: conditions, rows: [0, 1, 2, 0])
    #expect(found == plain)
  }

  @Test("refuses what is not there")
  func refusals() throws {
    let example = try Example(0, .float32)
    let unet = example.unet
    let conditions = try unet.conditions(example.text)
    #expect(throws: EvokeError.self) { try unet.prefix(example.z, timesteps: [1, 2]) }
    #expect(throws: EvokeError.self) { try unet.prefix(example.z.rows(0..<0), timesteps: [1]) }
    let prefix = try unet.prefix(example.z, timesteps: [1])
    for (samples, rows) in [([3], [0]), ([-1], [0]), ([0], [3]), ([0, 1], [0]), ([], [])] {
      #expect(throws: EvokeError.self) {
        try unet(prefix, samples: samples, conditions: conditions, rows: rows)
      }
    }
  }
}
