import Checkpoints
import Foundation
import Pictures
import Tensors
import Testing

@testable import Diffusion

/// A tiny random model with what transformers computes (scripts/conformance/text_goldens.py).
struct TextCase: Sendable, CustomTestStringConvertible {
  let testDescription: String

  var folder: URL { golden(testDescription) }

  func tensor(_ key: String) throws -> Tensor {
    try SafetensorsFile(folder.appendingPathComponent("io.safetensors")).tensor(key)
  }

  func ids() throws -> [[Int]] {
    let ids = try tensor("ids")
    return (0..<ids.shape[0]).map { ids.row($0).values.map { Int($0) } }
  }
}

@Suite("Text encoder")
struct TextEncoderTests {
  static let cases = ["text-sd15", "text-sd21"].map { TextCase(testDescription: $0) }

  @Test("agrees with transformers, hidden states and pooled ones", arguments: cases)
  func agrees(_ example: TextCase) throws {
    let encoder = try TextEncoder(folder: example.folder)
    let hidden = encoder(try encoder.embeddings(example.ids()))
    #expect(try relativeError(hidden, example.tensor("hidden")) < 1e-5)
    let pooled = encoder.pooled(hidden, try example.ids())
    #expect(try relativeError(pooled, example.tensor("pooled")) < 1e-5)
  }

  @Test("gives a prompt the same bits in any batch, and sees no later tokens", arguments: cases)
  func batchInvariant(_ example: TextCase) throws {
    let encoder = try TextEncoder(folder: example.folder)
    let ids = try example.ids()
    let together = encoder(try encoder.embeddings(ids))
    for (n, row) in ids.enumerated() {
      #expect(encoder(try encoder.embeddings([row])) == together.rows(n..<n + 1))
      let half = Array(row.prefix(row.count / 2))
      let cut = encoder(try encoder.embeddings([half]))
      #expect(cut.row(0) == together.row(n).rows(0..<half.count))
    }
  }

  @Test("takes the rows of learned words for ids past the table")
  func learnedRows() throws {
    let encoder = try TextEncoder(folder: golden("text-sd15"))
    let v = encoder.tokenTable.shape[0]
    let extra = encoder.tokenTable.rows(7..<9)
    let direct = try encoder.embeddings([[3, 7, 8]])
    #expect(try encoder.embeddings([[3, v, v + 1]], extra: extra) == direct)
  }

  @Test("refuses what does not fit")
  func refuses() throws {
    let encoder = try TextEncoder(folder: golden("text-sd15"))
    let v = encoder.tokenTable.shape[0]
    func kind(_ ids: [[Int]], _ extra: Tensor? = nil) -> EvokeError.Kind? {
      do { _ = try encoder.embeddings(ids, extra: extra) } catch let error as EvokeError {
        return error.kind
      } catch {}
      return nil
    }
    #expect(kind([[1, 2], [1]]) == .shape && kind([]) == .shape && kind([[]]) == .shape)
    #expect(kind([Array(repeating: 1, count: encoder.maxLength + 1)]) == .shape)
    #expect(kind([[v]]) == .value && kind([[-1]]) == .value)
    #expect(kind([[v]], Tensor(zeros: [1, encoder.width + 1])) == .shape)
    #expect(kind([[v + 1]], Tensor(zeros: [1, encoder.width])) == .value)
    #expect(kind([[v]], Tensor(zeros: [1, encoder.width])) == nil)
  }

  @Test(
    "refuses configurations it cannot build",
    arguments: [
      ("hidden_act", "\"mish\"", "mish"), ("num_attention_heads", "7", "7 heads"),
      ("hidden_size", "0", "hidden_size"), ("num_hidden_layers", "-3", "num_hidden_layers"),
      ("vocab_size", "61", "token_embedding"), ("intermediate_size", "97", "fc1"),
      ("num_hidden_layers", "3", "layers.2"), ("layer_norm_eps", "\"small\"", "layer_norm_eps"),
    ])
  func badConfigurations(_ key: String, _ value: String, _ word: String) throws {
    let folder = try altered("text-sd15", "config.json", key, value)
    defer { try? FileManager.default.removeItem(at: folder) }
    do {
      _ = try TextEncoder(folder: folder)
      Issue.record("it was built")
    } catch let error as EvokeError {
      #expect(error.message.contains(word), "\(error)")
    }
  }
}

@Suite("CLIP")
struct CLIPTests {
  let example = TextCase(testDescription: "clip-tiny")

  private func pictures() throws -> [Picture] {
    try (0..<3).map { i in
      let bytes = try example.tensor("picture \(i)")
      return Picture(
        width: bytes.shape[1], height: bytes.shape[0], pixels: bytes.values.map { UInt8($0) })
    }
  }

  @Test("agrees with transformers on texts and pictures")
  func agrees() throws {
    let clip = try CLIPModel(folder: example.folder)
    let text = try clip.textFeatures(ids: example.ids())
    #expect(try relativeError(text, example.tensor("text")) < 1e-5)
    let image = try clip.imageFeatures(pictures())
    #expect(try relativeError(image, example.tensor("image")) < 1e-5)
    #expect(image.shape == [3, clip.featureWidth])
  }

  @Test("prepares pictures bit by bit as Pillow and numpy do")
  func preprocessing() throws {
    let expected = try example.tensor("pixels")
    let prepared = try ImagePreprocessor(folder: example.folder, pictureSize: 28)(
      pictures(), side: 28)
    #expect(largestDifference(prepared, expected) < 1e-6)
  }

  @Test("gives a picture the same bits in any batch")
  func batchInvariant() throws {
    let clip = try CLIPModel(folder: example.folder)
    let pictures = try pictures()
    let together = try clip.imageFeatures(pictures)
    for (n, picture) in pictures.enumerated() {
      #expect(try clip.imageFeatures([picture]) == together.rows(n..<n + 1))
    }
  }

  @Test(
    "reads every form of preprocessor_config.json",
    arguments: [
      ("size", "28"), ("size", "{\"height\": 28, \"width\": 28}"), ("crop_size", "28"),
      ("do_resize", "null"), ("resample", "0"), ("resample", "1"), ("resample", "2"),
      ("resample", "4"),
      ("do_normalize", "false"), ("do_rescale", "false"),
    ])
  func preprocessorForms(_ key: String, _ value: String) throws {
    let folder = try altered("clip-tiny", "preprocessor_config.json", key, value)
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(try CLIPModel(folder: folder).imageFeatures(pictures()).shape[0] == 3)
  }

  @Test(
    "refuses preprocessors that do not fit",
    arguments: [
      ("crop_size", "{\"height\": 30, \"width\": 28}", "28×30"), ("resample", "9", "resample"),
      ("image_mean", "[0.5]", "three values"), ("image_std", "[0, 1, 1]", "three values"),
      ("size", "0", "size"), ("size", "{\"longest\": 5}", "width"),
    ])
  func badPreprocessors(_ key: String, _ value: String, _ word: String) throws {
    let folder = try altered("clip-tiny", "preprocessor_config.json", key, value)
    defer { try? FileManager.default.removeItem(at: folder) }
    do {
      _ = try CLIPModel(folder: folder).imageFeatures(pictures())
      Issue.record("it was built")
    } catch let error as EvokeError {
      #expect(error.message.contains(word), "\(error)")
    }
  }

  @Test("takes CLIP's own values without a preprocessor_config.json, and pads small pictures")
  func defaults() throws {
    let folder = try altered("clip-tiny", "config.json", "unknown", "1")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.removeItem(
      at: folder.appendingPathComponent("preprocessor_config.json"))
    let clip = try CLIPModel(folder: folder)
    let dot = Picture(width: 1, height: 1, red: 255, green: 0, blue: 0)
    #expect(try clip.imageFeatures([dot]).values.allSatisfy(\.isFinite))
    #expect(throws: EvokeError.self) { try clip.imageFeatures([]) }
    let text = "{\"do_resize\": false, \"crop_size\": 28}"
    try Data(text.utf8).write(to: folder.appendingPathComponent("preprocessor_config.json"))
    let padded = try CLIPModel(folder: folder).imageFeatures([dot])
    #expect(padded.values.contains { !$0.isFinite } == false)
  }
}
