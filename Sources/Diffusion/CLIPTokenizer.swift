import Checkpoints
import Foundation
import Tensors

/// CLIP's tokenizer, or BERT's: text to token ids and back, with placeholders for learned words.
///
/// The ids equal those of transformers 5's `CLIPTokenizer` for every text, added placeholders included
/// (scripts/conformance/tokenizer.py).
public struct CLIPTokenizer: Sendable {
  /// The length that prompts are cut and padded to, start and end token included.
  public let maxLength: Int
  /// The number of ids in the folder's files; placeholders get ids from here up.
  public let vocabularySize: Int
  /// The id that begins every prompt.
  public let start: Int
  /// The id that ends every prompt.
  public let end: Int
  /// The id that fills a prompt up to `maxLength`.
  public let pad: Int
  /// The placeholders added so far, in order, with their ids.
  public private(set) var placeholders: [(placeholder: String, ids: [Int])] = []

  private let encoding: any TextSplitting
  private var added: [AddedToken] { didSet { indexAdded() } }
  private var asTyped = TokenFinder([])
  private var normalized = TokenFinder([])
  private var nextID: Int

  /// Reads a tokenizer's folder: `tokenizer.json`, or `vocab.json` and `merges.txt`, with
  /// `tokenizer_config.json` and `special_tokens_map.json`; or BERT's `vocab.txt`.
  ///
  /// `longest` bounds the prompts of BERT's, whose files do not say what the text encoder takes.
  /// Throws `EvokeError(.file)` for a missing file and `.format`, naming it, for a damaged one.
  public init(folder: URL, longest: Int = 77) throws {
    if let files = try WordPieceFiles(folder: folder) {
      self.init(files, longest: longest)
    } else {
      try self.init(TokenizerFiles(folder: folder), source: folder.path)
    }
  }

  /// CLIP's tokenizer.
  private init(_ files: TokenizerFiles, source: String) throws {
    let encoding = try BytePairEncoding(
      vocabulary: files.vocabulary, merges: files.merges, unknown: files.special["unk_token"],
      source: source)
    added = files.added
    maxLength = files.maxLength ?? 77
    let last = (files.vocabulary.map(\.id) + files.added.flatMap(\.ids)).max() ?? -1
    vocabularySize = last + 1
    nextID = last + 1
    self.encoding = encoding
    let added = self.added
    func id(_ key: String) throws -> Int {
      let token = files.special[key] ?? ""
      guard let id = encoding.ids[token] ?? added.first(where: { $0.content == token })?.ids.first
      else {
        throw EvokeError(
          .format, "\(source): the \(key) \"\(token)\" is not in the vocabulary")
      }
      return id
    }
    start = try id("bos_token")
    end = try id("eos_token")
    pad = try id("pad_token")
    indexAdded()
  }

  /// BERT's tokenizer.
  private init(_ files: WordPieceFiles, longest: Int) {
    let pieces = files.pieces
    encoding = pieces
    maxLength = longest
    vocabularySize = pieces.tokens.count
    nextID = pieces.tokens.count
    (start, end, pad) = (files.start, files.end, files.pad)
    added = files.special.map {
      AddedToken(content: $0.content, ids: [$0.id], isNormalized: false, isSpecial: true)
    }
    indexAdded()
  }

  private mutating func indexAdded() {
    asTyped = TokenFinder(added.filter { !$0.isNormalized })
    normalized = TokenFinder(added.filter(\.isNormalized)) { [encoding] in encoding.normalized($0) }
  }

  /// A tokenizer that also knows a placeholder, which stands for one or more new ids in a row.
  ///
  /// As in transformers a placeholder is found anywhere in the text, in any case, also inside words; the
  /// longest wins where several begin. Throws `EvokeError(.value)` for a placeholder that is empty or
  /// has white space in it, and `.name` for one that is taken.
  public func adding(_ placeholder: String, vectors: Int = 1) throws -> CLIPTokenizer {
    guard !placeholder.isEmpty,
      !placeholder.unicodeScalars.contains(where: \.properties.isWhitespace)
    else {
      throw EvokeError(
        .value, "\"\(placeholder)\" cannot be a placeholder: it is empty or has a space in it",
        hint: "write it like \"<star>\"")
    }
    guard vectors > 0 else {
      throw EvokeError(.value, "a placeholder of \(vectors) vectors", hint: "use at least 1")
    }
    let normalized = encoding.normalized(placeholder)
    let isTaken =
      encoding.ids[placeholder] != nil
      || added.contains {
        $0.content == placeholder || encoding.normalized($0.content) == normalized
      }
    guard !isTaken else {
      throw EvokeError(
        .name, "the vocabulary already has a token \"\(placeholder)\"",
        hint: "choose another placeholder, like \"<\(normalized)-2>\"")
    }
    var copy = self
    let ids = Array(nextID..<nextID + vectors)
    copy.added.append(
      AddedToken(content: placeholder, ids: ids, isNormalized: true, isSpecial: false))
    copy.placeholders.append((placeholder, ids))
    copy.nextID += vectors
    return copy
  }

  // MARK: - Encoding

  /// The ids of a text with start and end, cut to `maxLength`.
  public func encode(_ text: String) -> [Int] {
    [start] + content(text).prefix(maxLength - 2) + [end]
  }

  /// The ids of a text with start and end, cut and padded to `maxLength`.
  public func padded(_ text: String) -> [Int] {
    let ids = encode(text)
    return ids + repeatElement(pad, count: maxLength - ids.count)
  }

  /// The ids of a text without start, end, and limit.
  public func content(_ text: String) -> [Int] {
    var ids: [Int] = []
    for piece in asTyped.pieces(of: Substring(text)) {
      switch piece {
      case .token(let token): ids += token.ids
      case .text(let raw):
        for piece in normalized.pieces(of: Substring(encoding.normalized(raw))) {
          switch piece {
          case .token(let token): ids += token.ids
          case .text(let words): ids += encoding.encode(normalized: words)
          }
        }
      }
    }
    return ids
  }

  // MARK: - Looking up

  /// The tokens of a text as they stand in the vocabulary (`star</w>`), without start and end.
  ///
  /// A placeholder of several vectors gives `<star>`, `<star>_1`, `<star>_2`, as diffusers names them.
  public func tokens(_ text: String) -> [String] { content(text).map(token) }

  /// How one id is spelt; empty for an id that nothing has.
  public func token(_ id: Int) -> String {
    for token in added where token.ids.contains(id) {
      let place = id - token.ids[0]
      return place == 0 ? token.content : "\(token.content)_\(place)"
    }
    return encoding.tokens.indices.contains(id) ? encoding.tokens[id] : ""
  }

  /// The text of ids, without the model's own special tokens unless asked for.
  public func decode(_ ids: [Int], keepingSpecial: Bool = false) -> String {
    let special = Set(added.filter(\.isSpecial).flatMap(\.ids))
    return encoding.text(ids.filter { keepingSpecial || !special.contains($0) }.map(token))
  }

  /// The id of a whole word, if it is a single token: "star" gives the id of `star</w>`.
  public func id(ofWord word: String) -> Int? {
    let ids = content(word)
    guard ids.count == 1, let id = ids.first else { return nil }
    return encoding.word(token(id)) == nil ? nil : id
  }

  /// All words that are single tokens, with their ids, by id.
  public var wholeWords: [(word: String, id: Int)] {
    encoding.tokens.enumerated().compactMap { id, token in
      encoding.word(token).map { ($0, id) }
    }
  }
}
