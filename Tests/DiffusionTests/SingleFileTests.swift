import Checkpoints
import Foundation
import Tensors
import Testing

@testable import Diffusion

/// Files in the original key layout, which diffusers' `from_single_file` reads as the model that they
/// were made from (scripts/conformance/single_files.py).
@Suite("Single files")
struct SingleFileTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let file: String
    var testDescription: String { name }
    var folder: URL { golden(name) }
    var url: URL { folder.appendingPathComponent(file) }
    func tensor(_ key: String) throws -> Tensor {
      try SafetensorsFile(folder.appendingPathComponent("io.safetensors")).tensor(key)
    }
  }
  static let cases = [
    Case(name: "single-sd15", file: "model.ckpt"),
    Case(name: "single-sd21", file: "model.safetensors"),
  ]

  @Test("give what diffusers computes from them", arguments: cases)
  func agrees(_ example: Case) throws {
    let model = try DiffusionModel(file: example.url, configuration: example.folder)
    #expect(model.name == "model" && model.digest.count == 64)
    #expect(
      model.schedule.predictionType == (example.name == "single-sd21" ? .vPrediction : .epsilon))
    let ids = try example.tensor("ids").values.map { Int($0) }
    let hidden = model.textEncoder(try model.textEncoder.embeddings([ids]))
    #expect(try relativeError(hidden, example.tensor("hidden")) < 2e-5)
    let z = try example.tensor("z")
    let output = try model.unet(z, timesteps: [500], text: example.tensor("hidden"))
    #expect(try relativeError(output, example.tensor("output")) < 2e-5)
    #expect(try relativeError(model.autoencoder.decode(z), example.tensor("picture")) < 2e-5)
    let pictures = try model.generate(GenerationRequest("a star", seed: 1))
    #expect(pictures.count == 1 && pictures[0].width == model.pictureSize)
  }

  @Test("give the bytes of the folder with the same weights", arguments: cases)
  func roundTrip(_ example: Case) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("evoke-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.copyItem(at: example.folder, to: folder)
    let single = try SingleFile(example.url, configuration: example.folder)
    for (part, name) in [
      ("unet", "diffusion_pytorch_model"), ("vae", "diffusion_pytorch_model"),
      ("text_encoder", "model"),
    ] {
      let weights = try single.part(part).weights
      try Safetensors.write(
        weights.unused.map { ($0, try weights.tensor($0, weights.shape($0) ?? [])) },
        to: folder.appendingPathComponent("\(part)/\(name).safetensors"))
    }
    let (a, b) = (
      try DiffusionModel(file: example.url, configuration: example.folder),
      try DiffusionModel(folder: folder)
    )
    var request = GenerationRequest("a photo of a star", seed: 5)
    request.steps = 3
    let pictures = try a.generate(request)
    #expect(try pictures == b.generate(request))
    #expect(
      try pictures
        == DiffusionModel(folder: folder, execution: Execution(memory: .small)).generate(request))
  }

  @Test("say their sizes, except what leaves no trace", arguments: cases)
  func inferred(_ example: Case) throws {
    let (given, found) = (
      try SingleFile(example.url, configuration: example.folder), try SingleFile(example.url)
    )
    for (part, keys) in [
      ("unet", ["block_out_channels", "cross_attention_dim", "in_channels", "out_channels"]),
      ("vae", ["block_out_channels", "latent_channels", "layers_per_block"]),
      ("text_encoder", ["hidden_size", "num_hidden_layers", "vocab_size", "intermediate_size"]),
    ] {
      let (a, b) = (try given.part(part).config, try found.part(part).config)
      for key in keys { #expect(try a.ints(key) == b.ints(key), "\(part) \(key)") }
    }
    let (a, b) = (try given.part("unet").config, try found.part("unet").config)
    #expect(try a.strings("down_block_types") == b.strings("down_block_types"))
    #expect(try a.strings("up_block_types") == b.strings("up_block_types"))
    #expect(try b.ints("layers_per_block") == [1, 1])
    #expect(try a.bool("use_linear_projection") == b.bool("use_linear_projection"))
    #expect(
      try given.schedule().string("prediction_type") == found.schedule().string("prediction_type"))
  }

  @Test("of Stable Diffusion XL have two text encoders and know the picture's size")
  func twoEncoders() throws {
    let example = Case(name: "single-sdxl", file: "model.safetensors")
    let model = try DiffusionModel(file: example.url, configuration: example.folder)
    #expect(model.textEncoder.width == 28 && model.textEncoder.endsInPooledRow)
    let text = try model.encode(prompts: ["a photo of a star"])
    #expect(text.shape == [1, 78, 28])
    #expect(try relativeError(text.row(0).rows(0..<77), example.tensor("hidden").row(0)) < 2e-5)
    let pooled = try example.tensor("pooled")
    let found = Tensor(shape: [1, 16], values: Array(text.row(0).row(77).values.prefix(16)))
    #expect(relativeError(found, pooled) < 2e-5)
    let z = try example.tensor("z")
    let output = try model.unet(z, timesteps: [500], text: text)
    #expect(try relativeError(output, example.tensor("output")) < 2e-5)
    #expect(try relativeError(model.autoencoder.decode(z), example.tensor("picture")) < 2e-5)
    let word = try LearnedWord("<new>", vectors: model.textEncoder.tokenTable.rows(300..<302))
    let ids = try model.tokenized(["<new> red"], with: [word]).ids
    #expect(ids[0][1] == model.textEncoder.tokenTable.shape[0])
    var request = GenerationRequest("a <new>", seed: 1)
    request.words = [word]
    request.steps = 2
    #expect(try model.generate(request)[0].width == model.pictureSize)
    #expect(throws: EvokeError.self) { try model.unet(z, timesteps: [1], text: text.rows(0..<0)) }
  }

  @Test("need a tokenizer, and say where it would be")
  func noTokenizer() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("evoke-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let copy = folder.appendingPathComponent("mine.ckpt")
    try FileManager.default.copyItem(at: Self.cases[0].url, to: copy)
    let error = #expect(throws: EvokeError.self) { try DiffusionModel(file: copy) }
    #expect(error?.message.contains("tokenizer") == true)
    #expect(error?.hint?.contains("config:") == true)
  }

  @Test("of other kinds are refused with the reason")
  func otherKinds() throws {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("evoke-\(UUID().uuidString).safetensors")
    defer { try? FileManager.default.removeItem(at: file) }
    func refuses(_ names: [String], _ word: String) throws {
      try Safetensors.write(names.map { ($0, Tensor(zeros: [1])) }, to: file)
      let error = #expect(throws: EvokeError.self) { try DiffusionModel(file: file) }
      #expect(error?.message.contains(word) == true, "\(String(describing: error))")
    }
    try refuses(["lora_unet_down.weight"], "no Stable Diffusion model")
    try refuses(["model.diffusion_model.input_blocks.0.0.weight"], "no text encoder")
    try refuses(
      [
        "model.diffusion_model.input_blocks.0.0.weight",
        "cond_stage_model.transformer.text_model.final_layer_norm.weight",
      ], "tokenizer")
  }
}
