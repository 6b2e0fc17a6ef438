import Checkpoints
import Foundation
import Tensors
import Testing

@testable import Diffusion

@Suite("Autoencoder")
struct AutoencoderTests {
  static let names = ["vae-sd", "vae-plain"]

  private func tensor(_ name: String, _ key: String) throws -> Tensor {
    try SafetensorsFile(golden("\(name)/io.safetensors")).tensor(key)
  }

  @Test("agrees with diffusers", arguments: names)
  func agrees(_ name: String) throws {
    let autoencoder = try AutoencoderKL(folder: golden(name))
    let (mean, deviation) = try autoencoder.encode(tensor(name, "x"))
    #expect(try relativeError(mean, tensor(name, "mean")) < 2e-5)
    #expect(try relativeError(deviation, tensor(name, "deviation")) < 2e-5)
    let picture = try autoencoder.decode(tensor(name, "z"))
    #expect(try relativeError(picture, tensor(name, "picture")) < 2e-5)
  }

  @Test("gives a picture the same bits in any batch", arguments: names)
  func batchInvariant(_ name: String) throws {
    let autoencoder = try AutoencoderKL(folder: golden(name))
    let z = try tensor(name, "z")
    let once = try autoencoder.decode(z)
    let many = Tensor.concatenated(Array(repeating: z, count: 150), axis: 0)
    let decoded = try autoencoder.decode(many)
    #expect(decoded.rows(0..<2) == once)
    #expect(decoded.rows(298..<300) == once)
    #expect(try autoencoder.decode(z.rows(1..<2)) == once.rows(1..<2))
  }

  @Test("refuses pictures and latents that do not fit")
  func refuses() throws {
    let autoencoder = try AutoencoderKL(folder: golden("vae-plain"))
    #expect(autoencoder.downsampling == 4)
    for shape in [[1, 4, 16, 16], [3, 16, 16], [1, 3, 3, 16]] {
      #expect(throws: EvokeError.self) { try autoencoder.encode(Tensor(zeros: shape)) }
    }
    #expect(throws: EvokeError.self) { try autoencoder.decode(Tensor(zeros: [1, 3, 4, 4])) }
  }

  @Test(
    "refuses what it does not do",
    arguments: [
      ("_class_name", #""VQModel""#), ("latents_mean", "[0, 0, 0, 0]"),
      ("down_block_types", #"["AttnDownEncoderBlock2D"]"#),
      ("block_out_channels", "[7, 12]"), ("act_fn", #""mish""#),
    ])
  func refusesConfigurations(_ key: String, _ value: String) throws {
    let folder = try altered("vae-sd", "config.json", key, value)
    defer { try? FileManager.default.removeItem(at: folder) }
    let error = #expect(throws: EvokeError.self) { try AutoencoderKL(folder: folder) }
    #expect(error?.kind == .format)
    #expect(error?.message.contains(key) == true)
  }
}
