import Checkpoints
import Foundation
import Tensors
import Testing

@testable import Diffusion

@Suite("UNet")
struct UNetTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    var testDescription: String { name }
    var folder: URL { golden(name) }
    func tensor(_ key: String) throws -> Tensor {
      try SafetensorsFile(folder.appendingPathComponent("io.safetensors")).tensor(key)
    }
    func timesteps() throws -> [Double] { try tensor("timesteps").values.map(Double.init) }
  }
  static let cases = ["unet-sd15", "unet-sd21"].map(Case.init)

  @Test("agrees with diffusers, odd sizes and a timestep a sample", arguments: cases)
  func agrees(_ example: Case) throws {
    let unet = try UNet2DCondition(folder: example.folder)
    let output = try unet(
      example.tensor("z"), timesteps: example.timesteps(), text: example.tensor("text"))
    #expect(try relativeError(output, example.tensor("output")) < 2e-5)
  }

  @Test("is close in bfloat16, the same with small memory", arguments: cases)
  func executes(_ example: Case) throws {
    let (z, text) = try (example.tensor("z"), example.tensor("text"))
    let timesteps = try example.timesteps()
    func output(_ execution: Execution) throws -> Tensor {
      let unet = try UNet2DCondition(folder: example.folder, execution: execution)
      _ = try unet(z, timesteps: timesteps, text: text)
      return try unet(z, timesteps: timesteps, text: text)
    }
    let reference = try output(Execution())
    #expect(try output(Execution(memory: .small)) == reference)
    let rough = try output(Execution(precision: .bfloat16))
    #expect(rough != reference)
    #expect(relativeError(rough, reference) < 3e-2)
  }

  @Test("gives a sample the same bits in any batch", arguments: cases)
  func batchInvariant(_ example: Case) throws {
    let unet = try UNet2DCondition(folder: example.folder)
    let (z, text) = try (example.tensor("z"), example.tensor("text"))
    let timesteps = try example.timesteps()
    let together = try unet(z, timesteps: timesteps, text: text)
    for n in 0..<z.shape[0] {
      let alone = try unet(
        z.rows(n..<n + 1), timesteps: [timesteps[n]], text: text.rows(n..<n + 1))
      #expect(alone == together.rows(n..<n + 1))
    }
  }

  @Test("takes prepared texts, one for several samples")
  func preparedTexts() throws {
    let example = Self.cases[0]
    let unet = try UNet2DCondition(folder: example.folder)
    let (z, text) = try (example.tensor("z"), example.tensor("text"))
    let conditions = try unet.conditions(text)
    let picked = try unet(z, timesteps: [7], conditions: conditions, rows: [2, 0, 2])
    let whole = try unet(
      z, timesteps: [7, 7, 7], text: Tensor.stacked([text.row(2), text.row(0), text.row(2)]))
    #expect(picked == whole)
    let shared = try unet(z, timesteps: [7], text: text.rows(1..<2))
    let spread = try unet(z, timesteps: [7], conditions: conditions, rows: [1, 1, 1])
    #expect(shared == spread)
  }

  @Test(
    "refuses what it does not do",
    arguments: [
      ("mid_block_type", #""UNetMidBlock2DSimpleCrossAttn""#), ("addition_embed_type", #""image""#),
      ("down_block_types", #"["ResnetDownsampleBlock2D", "DownBlock2D"]"#), ("act_fn", #""mish""#),
      ("only_cross_attention", "true"), ("resnet_time_scale_shift", #""scale_shift""#),
      ("attention_head_dim", "3"), ("norm_num_groups", "5"), ("layers_per_block", "[1, 2, 3]"),
      ("num_class_embeds", "10"), ("block_out_channels", "[]"),
      ("block_out_channels", "[4611686018427387904, 16]"), ("cross_attention_dim", #""x""#),
    ])
  func refuses(_ key: String, _ value: String) throws {
    let folder = try altered("unet-sd15", "config.json", key, value)
    defer { try? FileManager.default.removeItem(at: folder) }
    let error = #expect(throws: EvokeError.self) { try UNet2DCondition(folder: folder) }
    #expect(error?.kind == .format)
    #expect(error?.message.contains(key) == true)
  }

  @Test("names the tensor whose shape differs from the configuration")
  func wrongShape() throws {
    let folder = try altered("unet-sd15", "config.json", "cross_attention_dim", "16")
    defer { try? FileManager.default.removeItem(at: folder) }
    let error = #expect(throws: EvokeError.self) { try UNet2DCondition(folder: folder) }
    #expect(error?.kind == .shape)
    #expect(error?.message.contains("attn2.to_k.weight") == true)
  }

  @Test("refuses inputs that do not fit")
  func refusesInputs() throws {
    let unet = try UNet2DCondition(folder: Self.cases[0].folder)
    let text = Tensor(zeros: [2, 6, 12])
    let z = Tensor(zeros: [2, 4, 7, 5])
    let attempts: [(Tensor, [Double], Tensor)] = [
      (Tensor(zeros: [2, 3, 7, 5]), [1], text), (Tensor(zeros: [4, 7, 5]), [1], text),
      (z, [1, 2, 3], text), (z, [.nan], text), (z, [1], Tensor(zeros: [2, 6, 13])),
      (z, [1], Tensor(zeros: [3, 6, 12])),
    ]
    for (z, timesteps, text) in attempts {
      #expect(throws: EvokeError.self) { try unet(z, timesteps: timesteps, text: text) }
    }
  }

  @Test("reads the configurations of Stable Diffusion 1.5 and 2.1", arguments: ["sd15", "sd21"])
  func realConfigurations(_ name: String) throws {
    let config = try UNetConfig(Config(golden("configs/\(name)-unet.json")))
    #expect(config.blockChannels == [320, 640, 1280, 1280])
    #expect(config.heads == (name == "sd15" ? [8, 8, 8, 8] : [5, 10, 20, 20]))
    #expect(config.textWidths[0] == (name == "sd15" ? 768 : 1024))
    #expect(config.linearProjection == (name == "sd21"))
    #expect(config.downAttention == [true, true, true, false])
    #expect(config.upAttention == [false, true, true, true])
    #expect(config.timeWidth == 1280)
  }
}
