import Checkpoints
import Foundation
import Tensors

/// BERT's tokenizer as a folder has it: `vocab.txt`, or a `tokenizer.json` of the kind WordPiece.
struct WordPieceFiles {
  let pieces: WordPiece
  /// The model's own tokens that are in the vocabulary.
  let special: [(content: String, id: Int)]
  let start, end, pad: Int

  /// Nil when the folder holds another kind of tokenizer; throws `EvokeError(.format)` for a damaged one.
  init?(folder: URL) throws {
    func optional(_ name: String) throws -> Config? {
      let file = folder.appendingPathComponent(name)
      return FileManager.default.fileExists(atPath: file.path) ? try Config(file) : nil
    }
    let config = try optional("tokenizer_config.json")
    let list = folder.appendingPathComponent("vocab.txt")
    let vocabulary: [String]
    if FileManager.default.fileExists(atPath: list.path) {
      let text = String(decoding: try readFile(list), as: UTF8.self)
      var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      if lines.last == "" { lines.removeLast() }
      vocabulary = lines.map { $0.hasSuffix("\r") ? String($0.dropLast()) : $0 }
    } else if try config?.string("tokenizer_class", default: "").hasPrefix("Bert") == true,
      let whole = try optional("tokenizer.json")
    {
      vocabulary = try Self.vocabulary(whole.config("model"))
    } else {
      return nil
    }
    pieces = try WordPiece(
      vocabulary: vocabulary, lowercases: try config?.bool("do_lower_case", default: true) ?? true,
      source: folder.path)
    let ids = pieces.ids
    func id(_ token: String) throws -> Int {
      guard let id = ids[token] else {
        throw EvokeError(.format, "\(folder.path): the vocabulary has no \(token)")
      }
      return id
    }
    (start, end, pad) = (try id("[CLS]"), try id("[SEP]"), try id("[PAD]"))
    special = ["[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"].compactMap { token in
      ids[token].map { (token, $0) }
    }
  }

  private static func vocabulary(_ model: Config) throws -> [String] {
    let entries = try model.config("vocab")
    let numbered = try entries.keys.map { ($0, try entries.int($0)) }
    guard let last = numbered.map(\.1).max(), last < 1 << 22, numbered.allSatisfy({ $0.1 >= 0 })
    else { throw EvokeError(.format, "\(entries.source): the ids are no ids") }
    var tokens = [String](repeating: "", count: last + 1)
    for (token, id) in numbered { tokens[id] = token }
    return tokens
  }
}
