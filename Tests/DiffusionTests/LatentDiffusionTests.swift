import Checkpoints
import Foundation
import Tensors
import Testing

@testable import Diffusion

/// Latent diffusion's text-to-image model with BERT (scripts/conformance/latent_diffusion.py).
@Suite("Latent diffusion")
struct LatentDiffusionTests {
  private let folder = golden("latent-diffusion")

  private func tensor(_ key: String) throws -> Tensor {
    try SafetensorsFile(folder.appendingPathComponent("io.safetensors")).tensor(key)
  }

  @Test("gives what diffusers computes")
  func agrees() throws {
    let model = try DiffusionModel(folder: folder)
    #expect(model.tokenizer.maxLength == 77 && model.pictureSize == 16)
    let hidden = try model.encode(prompts: ["A photo of the star, red cats"])
    #expect(try relativeError(hidden, tensor("hidden")) < 2e-5)
    let z = try tensor("z")
    let output = try model.unet(z, timesteps: [500], text: tensor("hidden"))
    #expect(try relativeError(output, tensor("output")) < 2e-5)
    #expect(try relativeError(model.autoencoder.decode(z), tensor("picture")) < 2e-5)
    #expect(model.words.contains("painting") && !model.words.contains("##ing"))
    let word = try LearnedWord("<new>", vectors: model.textEncoder.tokenTable.rows(8..<10))
    var request = GenerationRequest("a photo of <NEW>", seed: 1)
    request.words = [word]
    request.steps = 2
    #expect(try model.generate(request).count == 1)
    let rows = try model.tokenized(["a <New>x"], with: [word]).ids[0]
    let table = model.textEncoder.tokenTable.shape[0]
    #expect(Array(rows[2...3]) == [table, table + 1])
  }

  @Test("is the same from a single file in the original keys")
  func singleFile() throws {
    let file = folder.appendingPathComponent("model.ckpt")
    let model = try DiffusionModel(file: file, configuration: folder)
    #expect(model.tokenizer.maxLength == 77 && model.schedule.predictionType == .epsilon)
    var request = GenerationRequest("a photo of the star", seed: 5)
    request.steps = 3
    #expect(try model.generate(request) == DiffusionModel(folder: folder).generate(request))
    let (given, found) = (
      try Config(folder.appendingPathComponent("bert/config.json")),
      try SingleFile(file).part("bert").config
    )
    for key in [
      "vocab_size", "d_model", "encoder_layers", "encoder_ffn_dim", "max_position_embeddings",
    ] { #expect(try found.int(key) == given.int(key), "\(key)") }
    let error = #expect(throws: EvokeError.self) { try DiffusionModel(file: file) }
    #expect(error?.message.contains("norm_num_groups") == true)  // 32 in the released model
  }

  @Test("cuts texts into the tokens that transformers finds, from either file")
  func tokens() throws {
    let cases = try Config(folder.appendingPathComponent("cases.json"))
    let texts = try cases.strings("texts")
    guard case .array(let lists)? = cases.value("content") else {
      Issue.record("no cases")
      return
    }
    let whole = try CLIPTokenizer(folder: folder.appendingPathComponent("tokenizer"))
    let plain = FileManager.default.temporaryDirectory
      .appendingPathComponent("evoke-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: plain) }
    try FileManager.default.createDirectory(at: plain, withIntermediateDirectories: true)
    let list = (0..<whole.vocabularySize).map { whole.token($0) + "\n" }.joined()
    try Data(list.utf8).write(to: plain.appendingPathComponent("vocab.txt"))
    let fromList = try CLIPTokenizer(folder: plain)
    for (text, expected) in zip(texts, lists) {
      guard case .array(let ids) = expected else { continue }
      let found = whole.content(text)
      #expect(found.map { JSONValue.int($0) } == ids, "\(text)")
      #expect(fromList.content(text) == found)
    }
    #expect(whole.decode(whole.content("a photo of unpainted stars")).contains("photo of"))
    #expect(whole.id(ofWord: "star") != nil && whole.id(ofWord: "stars") == nil)
    try Data("[CLS]\n[SEP]\n".utf8).write(to: plain.appendingPathComponent("vocab.txt"))
    #expect(throws: EvokeError.self) { try CLIPTokenizer(folder: plain) }
  }
}
