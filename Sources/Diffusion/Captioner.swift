import Checkpoints
import Foundation
import Pictures
import Tensors

/// BLIP: says in words what a picture shows.
///
/// Source: Li et al., arXiv 2201.12086; transformers `BlipForConditionalGeneration`.
public struct Captioner: Sendable {
  private let vision: CaptionerVision
  private let decoder: CaptionerDecoder
  private let preprocess: ImagePreprocessor
  /// Words and parts of words (`##s`) by id.
  private let vocabulary: [String]
  private let start: Int
  private let stop: Int

  /// Reads a folder as transformers saves it: `config.json`, weights, `vocab.txt`,
  /// `preprocessor_config.json`.
  ///
  /// Throws `EvokeError` naming the file for whatever is missing, damaged or unsupported.
  public init(folder: URL) throws {
    let config = try Config(folder.appendingPathComponent("config.json"))
    let text = try config.config("text_config")
    let weights = try Weights(folder: folder)
    vision = try CaptionerVision(config.config("vision_config"), weights["vision_model"])
    decoder = try CaptionerDecoder(text, weights["text_decoder"], seen: vision.width)
    preprocess = try ImagePreprocessor(
      folder: folder, pictureSize: vision.pictureSize, crops: false)
    let url = folder.appendingPathComponent("vocab.txt")
    vocabulary = String(decoding: try readFile(url), as: UTF8.self)
      .split(whereSeparator: \.isNewline).map(String.init)
    guard vocabulary.count <= decoder.vocabularySize else {
      throw EvokeError(
        .format,
        "\(url.path) has \(vocabulary.count) words, the model \(decoder.vocabularySize)")
    }
    start = try text.int("bos_token_id", default: 30522)
    stop = try text.int("sep_token_id", default: 102)
    guard (0..<decoder.vocabularySize).contains(start) else {
      throw EvokeError(.format, "\(config.source): \"bos_token_id\" \(start) is no token")
    }
  }

  /// A caption for each picture: always the likeliest next token, at most `limit` of them.
  ///
  /// Throws `EvokeError(.value)` without pictures, and what `checkpoint` throws.
  public func captions(
    of pictures: [Picture], limit: Int = 20, checkpoint: () throws -> Void = {}
  ) throws -> [String] {
    guard !pictures.isEmpty else { throw EvokeError(.value, "no pictures to caption") }
    return try pictures.map { picture in
      try checkpoint()
      let seen = vision(try preprocess([picture], side: vision.pictureSize))
      var ids = [start]
      while ids.count <= min(limit, decoder.longest - 1) {
        let logits = decoder([ids], seen: seen)
        let next = Self.largest(logits.row(0).row(ids.count - 1))
        if next == stop { break }
        ids.append(next)
      }
      return text(ids.dropFirst())
    }
  }

  /// The logits of every next token, [n, L, V], after token ids of one length for each picture.
  func logits(_ ids: [[Int]], _ pictures: [Picture]) throws -> Tensor {
    decoder(ids, seen: vision(try preprocess(pictures, side: vision.pictureSize)))
  }

  private static func largest(_ logits: Tensor) -> Int {
    logits.withUnsafeValues { values in
      values.indices.reduce(0) { values[$1] > values[$0] ? $1 : $0 }
    }
  }

  /// Words with spaces between, their parts joined; what stands in brackets is no text.
  private func text(_ ids: some Sequence<Int>) -> String {
    var text = ""
    for id in ids where id < vocabulary.count {
      let word = vocabulary[id]
      if word.hasPrefix("["), word.hasSuffix("]"), word.count > 2 { continue }
      if word.hasPrefix("##") {
        text += word.dropFirst(2)
      } else {
        text += (text.isEmpty ? "" : " ") + word
      }
    }
    return text
  }
}

extension DiffusionModel {
  /// The captioner that the model's folder holds.
  ///
  /// Throws `EvokeError(.file)` if there is none.
  public func captioner() throws -> Captioner {
    try Captioner(
      folder: extra("captioner", "captioner", remedy: "a BLIP model (save_pretrained)"))
  }
}
