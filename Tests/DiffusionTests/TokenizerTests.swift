import Checkpoints
import Foundation
import Tensors
import Testing

@testable import Diffusion

/// Texts and what transformers makes of them (scripts/conformance/text_goldens.py).
private struct Cases {
  let texts: [String]
  private let config: Config

  init(_ folder: String) throws {
    config = try Config(golden(folder).appendingPathComponent("cases.json"))
    texts = try config.strings("texts")
  }

  func strings(_ key: String) throws -> [String] { try config.strings(key) }

  func ids(_ key: String) throws -> [[Int]] {
    guard case .array(let rows)? = config.value(key) else { return [] }
    return rows.map { row in
      guard case .array(let ids) = row else { return [] }
      return ids.map { if case .int(let id) = $0 { id } else { -1 } }
    }
  }
}

@Suite("Tokenizer")
struct TokenizerTests {
  static let folders = ["tokenizer-1.5", "tokenizer-2.1", "tokenizer-transformers-5"]

  @Test("gives transformers' ids, whichever way the files are laid out", arguments: folders)
  func ids(_ folder: String) throws {
    let (tokenizer, cases) = (try CLIPTokenizer(folder: golden(folder)), try Cases(folder))
    let expected = try cases.ids("content")
    #expect(expected.count == cases.texts.count && expected.count > 300)
    for (text, ids) in zip(cases.texts, expected) {
      #expect(tokenizer.content(text) == ids, "\(text)")
    }
    for (text, ids) in zip(cases.texts, try cases.ids("padded")) {
      #expect(tokenizer.padded(text) == ids, "\(text)")
      #expect(tokenizer.padded(text).count == tokenizer.maxLength)
    }
  }

  @Test("starts, ends, cuts and decodes as transformers does")
  func encodesAndDecodes() throws {
    let (tokenizer, cases) = (
      try CLIPTokenizer(folder: golden("tokenizer-1.5")), try Cases("tokenizer-1.5")
    )
    for (text, ids) in zip(cases.texts, try cases.ids("encoded")) {
      #expect(tokenizer.encode(text) == ids, "\(text)")
    }
    for (ids, text) in zip(try cases.ids("content"), try cases.strings("decoded")) {
      #expect(tokenizer.decode(ids) == text)
    }
  }

  @Test("finds added placeholders where transformers finds them")
  func placeholders() throws {
    let cases = try Cases("tokenizer-1.5")
    var tokenizer = try CLIPTokenizer(folder: golden("tokenizer-1.5"))
    for placeholder in try cases.strings("placeholders") {
      tokenizer = try tokenizer.adding(placeholder)
    }
    for (text, ids) in zip(cases.texts, try cases.ids("added")) {
      #expect(tokenizer.content(text) == ids, "\(text)")
    }
  }

  @Test("lets a placeholder stand for several ids in a row")
  func severalVectors() throws {
    let plain = try CLIPTokenizer(folder: golden("tokenizer-1.5"))
    let v = plain.vocabularySize
    let tokenizer = try plain.adding("<star>", vectors: 3).adding("<sea>")
    #expect(tokenizer.content("<star>") == [v, v + 1, v + 2])
    #expect(tokenizer.content("<SEA><star>") == [v + 3, v, v + 1, v + 2])
    #expect(tokenizer.tokens("<star>") == ["<star>", "<star>_1", "<star>_2"])
    #expect(tokenizer.placeholders.map(\.ids) == [[v, v + 1, v + 2], [v + 3]])
    #expect(plain.placeholders.isEmpty && plain.content("<star>").allSatisfy { $0 < v })
  }

  @Test("refuses placeholders that are taken or cannot be found")
  func refusedPlaceholders() throws {
    let tokenizer = try CLIPTokenizer(folder: golden("tokenizer-1.5")).adding("<star>")
    for taken in ["<star>", "<STAR>", "<|endoftext|>", "a</w>"] {
      #expect(throws: EvokeError.self) { try tokenizer.adding(taken) }
    }
    for unusable in ["", " ", "a star", "star\n"] {
      #expect(throws: EvokeError.self) { try tokenizer.adding(unusable) }
    }
    #expect(throws: EvokeError.self) { try tokenizer.adding("<moon>", vectors: 0) }
  }

  @Test("knows which words are single tokens")
  func wholeWords() throws {
    let tokenizer = try CLIPTokenizer(folder: golden("tokenizer-1.5"))
    let words = tokenizer.wholeWords
    #expect(words.count > 200 && words.map(\.id) == words.map(\.id).sorted())
    for (word, id) in words
    where word.count > 1 && word.allSatisfy({ $0.isLowercase && $0.isASCII }) {
      #expect(tokenizer.id(ofWord: word) == id)
      #expect(tokenizer.decode([id]) == word)
    }
    #expect(tokenizer.id(ofWord: "photo painting") == nil)
    #expect(tokenizer.id(ofWord: "qqqqxzqqq") == nil)
    #expect(tokenizer.id(ofWord: "") == nil)
  }

  @Test("the demo model's files agree with each other")
  func demo() throws {
    let model = try DiffusionModel.demo()
    let tokenizer = model.tokenizer
    #expect(tokenizer.encode("").count == 2)
    #expect(tokenizer.padded("a photo of a red star").count == tokenizer.maxLength)
    #expect(
      tokenizer.decode(tokenizer.encode("A photo, of a RED star!")) == "a photo , of a red star !")
  }

  @Test(
    "damaged files are refused with the reason",
    arguments: [
      ("vocab.json", "[]", "vocabulary"), ("vocab.json", "{\"a\": -1}", "\"a\""),
      ("vocab.json", "{\"a\": \"b\"}", "\"a\""),
      ("vocab.json", "{\"a\": 1, \"b\": 1}", "share an id"),
      ("vocab.json", "{\"a\": 1", "JSON"), ("vocab.json", "{}", "vocabulary"),
      ("merges.txt", "#version: 0.2\na b c\n", "\"a b c\""), ("merges.txt", "a\n", "\"a\""),
      ("merges.txt", "a \n", "\"a \""), ("merges.txt", "zzzq qzz\n", "zzzq"),
      ("tokenizer_config.json", "{\"model_max_length\": 2}", "model_max_length"),
      ("tokenizer_config.json", "7", "an integer"),
      ("special_tokens_map.json", "{\"pad_token\": \"<pad>\"}", "<pad>"),
      (
        "special_tokens_map.json", "{\"bos_token\": {\"content\": \"a\", \"lstrip\": true}}",
        "lstrip"
      ),
      ("special_tokens_map.json", "{\"bos_token\": 5}", "bos_token"),
      ("added_tokens.json", "{\"<cat>\": -1}", "<cat>"),
      ("added_tokens.json", "{\"<cat>\": 9223372036854775807}", "<cat>"),
      ("tokenizer.json", "{}", "model"), ("tokenizer.json", "{\"model\": {}}", "vocab"),
      ("tokenizer.json", "{\"model\": {\"vocab\": {\"a\": 0}}}", "merges"),
      ("tokenizer.json", "{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [1]}}", "merge"),
      ("tokenizer.json", "{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [[\"a\"]]}}", "merge"),
    ])
  func damaged(_ file: String, _ content: String, _ word: String) throws {
    let copy = FileManager.default.temporaryDirectory.appendingPathComponent(
      "evoke-\(UUID().uuidString)")
    try FileManager.default.copyItem(at: golden("tokenizer-1.5"), to: copy)
    defer { try? FileManager.default.removeItem(at: copy) }
    try Data(content.utf8).write(to: copy.appendingPathComponent(file))
    do {
      _ = try CLIPTokenizer(folder: copy)
      Issue.record("it was read")
    } catch let error as EvokeError {
      #expect(error.kind == .format && error.message.contains(word), "\(error)")
    }
  }

  @Test("a missing vocabulary is a file error")
  func missing() {
    #expect(throws: EvokeError.self) { try CLIPTokenizer(folder: golden("text-sd15")) }
  }

  @Test("reads added tokens from every place they are written")
  func addedTokens() throws {
    let copy = FileManager.default.temporaryDirectory.appendingPathComponent(
      "evoke-\(UUID().uuidString)")
    try FileManager.default.copyItem(at: golden("tokenizer-1.5"), to: copy)
    defer { try? FileManager.default.removeItem(at: copy) }
    let size = try CLIPTokenizer(folder: copy).vocabularySize
    try Data("{\"<cat>\": \(size)}".utf8).write(
      to: copy.appendingPathComponent("added_tokens.json"))
    let legacy = try CLIPTokenizer(folder: copy)
    #expect(legacy.content("<Cat>") == [size] && legacy.vocabularySize == size + 1)
    let decoder = """
      {"model_max_length": 1000000000000000019884624838656, "added_tokens_decoder": {
        "\(legacy.end)": {"content": "<|endoftext|>", "special": true},
        "\(size + 4)": {"content": "<dog>", "normalized": false}}}
      """
    try Data(decoder.utf8).write(to: copy.appendingPathComponent("tokenizer_config.json"))
    let current = try CLIPTokenizer(folder: copy)
    #expect(current.content("<dog>") == [size + 4] && current.content("<DOG>") != [size + 4])
    #expect(current.maxLength == 77 && current.vocabularySize == size + 5)
    #expect(try current.adding("<x>").content("<x>") == [size + 5])
  }
}
