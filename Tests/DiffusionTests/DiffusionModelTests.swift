import Checkpoints
import Foundation
import Pictures
import Tensors
import Testing

@testable import Diffusion

@Suite("Diffusion model")
struct DiffusionModelTests {
  private func temporary() -> URL {
    FileManager.default.temporaryDirectory.appendingPathComponent("evoke-\(UUID().uuidString)")
  }

  @Test("the demo model loads and its parts fit")
  func demo() throws {
    let model = try DiffusionModel.demo()
    #expect(model.name == "demo" && model.digest.count == 64)
    #expect(model.words.count > 50 && !model.words.contains { $0.isEmpty })
    let hidden = try model.encode(prompts: ["a red star", "a blue circle"])
    #expect(hidden.shape == [2, model.tokenizer.maxLength, model.textEncoder.width])
    let side = model.pictureSize
    let picture = Picture(width: side + 9, height: side, red: 200, green: 30, blue: 90)
    let latents = try model.latents([picture, picture])
    #expect(latents.shape.prefix(2) == [2, model.autoencoder.latentChannels])
    let back = try model.decode(latents)
    #expect(back.count == 2 && back[0].width == side && back[0] == back[1])
    let features = try model.imageFeatures([picture])
    #expect(try features.shape == model.textFeatures(["red"]).shape)
    #expect(throws: EvokeError.self) { try model.latents([]) }
  }

  @Test("a learned word with a known word's row means that word")
  func learnedWord() throws {
    let model = try DiffusionModel.demo()
    let word = try #require(model.words.first { model.tokenizer.id(ofWord: $0) != nil })
    let id = try #require(model.tokenizer.id(ofWord: word))
    let learned = try LearnedWord("<new>", vectors: model.textEncoder.tokenTable.row(id))
    let plain = try model.encode(prompts: ["a photo of a \(word) here"])
    #expect(try model.encode(prompts: ["a photo of a <new> here"], with: [learned]) == plain)
    let features = try model.textFeatures(["a photo of a <new>"], with: [learned])
    #expect(features.shape[0] == 1)
    let wide = try LearnedWord("<wide>", vectors: Tensor(zeros: [1, model.textEncoder.width + 1]))
    #expect(throws: EvokeError.self) { try model.encode(prompts: ["<wide>"], with: [wide]) }
    #expect(throws: EvokeError.self) { try model.encode(prompts: [""], with: [learned, learned]) }
  }

  @Test("several words get their own rows, in the order given")
  func severalWords() throws {
    let model = try DiffusionModel.demo()
    let table = model.textEncoder.tokenTable
    let words = try [
      LearnedWord("<a>", vectors: table.rows(70..<72)),
      LearnedWord("<b>", vectors: table.rows(90..<91)),
    ]
    let (ids, extra) = try model.tokenized(["<b> <a>"], with: words)
    let v = table.shape[0]
    #expect(ids[0].dropFirst().prefix(3) == [v + 2, v, v + 1])
    #expect(extra?.shape == [3, model.textEncoder.width])
    #expect(extra?.row(2) == table.row(90))
  }

  @Test("prompts and pictures give the same bits on any instruction set and number of threads")
  func bitExact() throws {
    let (set, threads) = (Compute.instructionSet, Compute.threads)
    defer {
      try? Compute.setInstructionSet(set)
      Compute.threads = threads
    }
    let model = try DiffusionModel.demo()
    let picture = Picture(width: 90, height: 70, red: 10, green: 200, blue: 30)
    let hidden = try model.encode(prompts: ["a striped red star", "blue"])
    let features = try model.imageFeatures([picture, picture])
    for other in Compute.supported {
      try Compute.setInstructionSet(other)
      for count in [1, 2, 5] {
        Compute.threads = count
        #expect(try model.encode(prompts: ["a striped red star", "blue"]) == hidden)
        #expect(try model.imageFeatures([picture, picture]) == features)
      }
    }
  }

  @Test("the digest depends on every file that counts and on nothing else")
  func digest() throws {
    let folder = temporary()
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("unet"), withIntermediateDirectories: true)
    func write(_ text: String, _ name: String) throws {
      try Data(text.utf8).write(to: folder.appendingPathComponent(name))
    }
    try write("{}", "model_index.json")
    try write("weights", "unet/model.safetensors")
    let before = try ModelDigest.of(ModelFiles(folder: folder))
    try write("hello", "README.md")
    try write("{}", ".hidden.json")
    #expect(try ModelDigest.of(ModelFiles(folder: folder)) == before)
    try write("Weights", "unet/model.safetensors")
    #expect(try ModelDigest.of(ModelFiles(folder: folder)) != before)
    try write("weights", "unet/model.safetensors")
    #expect(try ModelDigest.of(ModelFiles(folder: folder)) == before)
    try write("", "words.txt")
    #expect(try ModelDigest.of(ModelFiles(folder: folder)) != before)
    #expect(throws: EvokeError.self) { try ModelFiles(folder: temporary()) }
  }

  @Test("digests of large files are remembered until the file changes")
  func remembered() throws {
    let folder = temporary()
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = folder.appendingPathComponent("large")
    let cache = folder.appendingPathComponent("not/yet/there")
    func entry() -> DigestMemory.Entry? { DigestMemory.Entry(file, in: cache, least: 3) }
    #expect(entry() == nil)
    try Data("ab".utf8).write(to: file)
    #expect(entry() == nil)
    try Data("abc".utf8).write(to: file)
    let pieces = [Data((0..<32).map { $0 * 7 })]
    #expect(entry()?.pieces() == nil)
    entry()?.remember(pieces)
    #expect(entry()?.pieces() == pieces)
    let memory = try #require(
      FileManager.default.contentsOfDirectory(at: cache, includingPropertiesForKeys: nil).first)
    let text = try String(contentsOf: memory, encoding: .utf8)
    for damaged in ["", "x", String(text.dropLast(2)), text + "00\n", text.uppercased()] {
      try Data(damaged.utf8).write(to: memory)
      #expect(entry()?.pieces() == nil)
    }
    try Data(text.utf8).write(to: memory)
    #expect(entry()?.pieces() == pieces)
    try Data("abd".utf8).write(to: file)
    #expect(entry()?.pieces() == nil)
  }

  @Test("folders that are no model are refused with the reason")
  func noModel() throws {
    let folder = temporary()
    defer { try? FileManager.default.removeItem(at: folder) }
    func message() -> String {
      do { _ = try DiffusionModel(folder: folder) } catch let error as EvokeError {
        return error.message
      } catch { return "another error: \(error)" }
      return "no error"
    }
    #expect(message().contains("there is no folder"))
    try Data("x".utf8).write(to: folder)
    #expect(message().contains("is a file"))
    try FileManager.default.removeItem(at: folder)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    #expect(message().contains("model_index.json"))
    let index = folder.appendingPathComponent("model_index.json")
    try Data("{}".utf8).write(to: index)
    #expect(message().contains("vocab.json"))
  }

  @Test("parts that do not fit together are refused")
  func partsThatDoNotFit() throws {
    let demo = try DiffusionModel.demo().folder
    func refusal(_ file: String, _ key: String, _ value: Any) throws -> String {
      let folder = temporary()
      defer { try? FileManager.default.removeItem(at: folder) }
      try FileManager.default.copyItem(at: demo, to: folder)
      let url = folder.appendingPathComponent(file)
      var json = try #require(
        try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
      json[key] = value
      try JSONSerialization.data(withJSONObject: json).write(to: url)
      do { _ = try DiffusionModel(folder: folder) } catch let error as EvokeError {
        return error.message
      }
      return "no error"
    }
    #expect(
      try refusal("tokenizer/tokenizer_config.json", "model_max_length", 500).contains("500 tokens")
    )
    #expect(try refusal("unet/config.json", "cross_attention_dim", 7).contains("unet"))
  }
}

@Suite("Learned words")
struct LearnedWordTests {
  private func file(_ name: String = "word.safetensors") -> URL {
    FileManager.default.temporaryDirectory
      .appendingPathComponent("evoke-\(UUID().uuidString)-\(name)")
  }

  @Test("are read back as they were written, to the same bytes")
  func roundTrip() throws {
    let (url, copy) = (file(), file())
    defer { for file in [url, copy] { try? FileManager.default.removeItem(at: file) } }
    let vectors = Tensor(shape: [2, 3], values: [1, -2, 0.5, 3, 4, 5])
    let word = try LearnedWord("<étoile>", vectors: vectors, metadata: ["model": "demo"])
    try word.write(to: url, metadata: ["seed": "7"])
    let back = try LearnedWord.read(url)
    #expect(back.placeholder == "<étoile>" && back.vectors == vectors)
    #expect(back.metadata == ["format": "pt", "model": "demo", "seed": "7"])
    #expect(back.count == 2 && back.width == 3)
    try back.write(to: copy)
    #expect(try Data(contentsOf: url) == Data(contentsOf: copy))
  }

  @Test("take a single vector, and A1111's name for it")
  func singleVector() throws {
    let url = file("sks.safetensors")
    defer { try? FileManager.default.removeItem(at: url) }
    try Safetensors.write(
      [("emb_params", Tensor(shape: [3], values: [1, 2, 3]))], to: url, as: .f16)
    let word = try LearnedWord.read(url)
    #expect(word.vectors.shape == [1, 3] && word.placeholder.hasSuffix("-sks>"))
  }

  @Test("go through the formats of diffusers and A1111", arguments: ["word.bin", "word.pt"])
  func otherFormats(_ name: String) throws {
    let (url, copy) = (file(name), file(name))
    defer { for file in [url, copy] { try? FileManager.default.removeItem(at: file) } }
    let vectors = Tensor(shape: [2, 3], values: [1, -2, 0.5, 3, 4, 5])
    let word = try LearnedWord("<étoile>", vectors: vectors, metadata: ["step": "70"])
    try word.write(to: url, metadata: ["model": "demo"])
    try word.write(to: copy, metadata: ["model": "demo"])
    #expect(try Data(contentsOf: url) == Data(contentsOf: copy))
    let back = try LearnedWord.read(url)
    #expect(back.placeholder == "<étoile>" && back.vectors == vectors)
    #expect(back.metadata == (name == "word.pt" ? ["step": "70", "model": "demo"] : [:]))
    #expect(throws: EvokeError.self) { try word.write(to: file("word.txt")) }
  }

  @Test("of Stable Diffusion XL are kept as one tensor for each text encoder")
  func pair() throws {
    let url = file()
    defer { try? FileManager.default.removeItem(at: url) }
    let vectors = Tensor(shape: [2, 2048], values: (0..<4096).map { Float($0) })
    try LearnedWord("<big>", vectors: vectors).write(to: url)
    let stored = try SafetensorsFile(url)
    #expect(stored.names == ["clip_l", "clip_g"])
    #expect(try stored.tensor("clip_g").shape == [2, 1280])
    #expect(try stored.tensor("clip_g")[1, 0] == 2048 + 768)
    let back = try LearnedWord.read(url)
    #expect(back.placeholder == "<big>" && back.vectors == vectors)
  }

  @Test("are read from what torch saved (scripts/conformance/learned_words.py)")
  func fromTorch() throws {
    let vectors = try SafetensorsFile(golden("words/expected.safetensors")).tensor("vectors")
    for (name, placeholder) in [
      ("diffusers.bin", "<star>"), ("automatic.pt", "star"), ("first.pt", "<first>"),
      ("parameters.safetensors", "<parameters>"),
    ] {
      let word = try LearnedWord.read(golden("words/\(name)"))
      #expect(word.placeholder == placeholder && word.vectors == vectors, "\(name)")
    }
    #expect(
      try LearnedWord.read(golden("words/automatic.pt")).metadata
        == ["step": "499", "sd_checkpoint": "cc6cb27103", "sd_checkpoint_name": "v1-5"])
  }

  @Test("are refused when they are no embedding")
  func refused() throws {
    let url = file()
    defer { try? FileManager.default.removeItem(at: url) }
    func refuses(_ tensors: [(String, Tensor)], _ word: String) throws {
      try Safetensors.write(tensors, to: url)
      do {
        _ = try LearnedWord.read(url)
        Issue.record("it was read")
      } catch let error as EvokeError {
        #expect(error.kind == .format && error.message.contains(word), "\(error)")
      }
    }
    let vector = Tensor(shape: [2], values: [1, 2])
    try refuses([("a", vector), ("b", vector)], "2 tensors")
    try refuses([], "0 tensors")
    try refuses([("<a>", Tensor(zeros: [1, 2, 3]))], "[1, 2, 3]")
    try refuses([("<a>", Tensor(zeros: [0, 3]))], "[0, 3]")
    try refuses([("<a>", Tensor(shape: [1], values: [.nan]))], "finite")
    try refuses([("a b", vector)], "a b")
  }
}
