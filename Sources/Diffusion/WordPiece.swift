import Foundation
import Tensors

/// How a tokenizer cuts the text between its added tokens.
protocol TextSplitting: Sendable {
  /// The token of every id; empty where an id is not taken.
  var tokens: [String] { get }
  /// The id of every token.
  var ids: [String: Int] { get }
  /// The text as its words are looked for.
  func normalized(_ text: some StringProtocol) -> String
  /// The ids of a normalised text.
  func encode(normalized text: some StringProtocol) -> [Int]
  /// The word that a token is, if it is a whole one.
  func word(_ token: String) -> String?
  /// The text that tokens spell.
  func text(_ tokens: [String]) -> String
}

/// BERT's tokenizer: words cut greedily into the longest known pieces.
///
/// Source: Devlin et al., arXiv 1810.04805; transformers 5 `BertTokenizer` (huggingface/tokenizers'
/// `BertNormalizer`, `BertPreTokenizer`, `WordPiece`).
struct WordPiece: TextSplitting {
  let tokens: [String]
  let ids: [String: Int]
  private let unknown: Int
  private let lowercases: Bool
  /// Longer words are unknown as a whole.
  private static let longestWord = 100

  /// Throws `EvokeError(.format)` when the vocabulary has no `[UNK]`.
  init(vocabulary: [String], lowercases: Bool, source: String) throws {
    tokens = vocabulary
    ids = Dictionary(
      vocabulary.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    guard let unknown = ids["[UNK]"] else {
      throw EvokeError(.format, "\(source): the vocabulary has no [UNK]")
    }
    self.unknown = unknown
    self.lowercases = lowercases
  }

  func normalized(_ text: some StringProtocol) -> String {
    var clean = String.UnicodeScalarView()
    for scalar in text.unicodeScalars where !Self.isControl(scalar) {
      if Self.isSpace(scalar) {
        clean.append(" ")
      } else if Self.isIdeograph(scalar) {
        clean.append(contentsOf: [" ", scalar, " "])
      } else {
        clean.append(scalar)
      }
    }
    guard lowercases else { return String(clean) }
    // Without accents, then in lower case, each character by itself.
    var result = String.UnicodeScalarView()
    for scalar in String(clean).decomposedStringWithCanonicalMapping.unicodeScalars
    where scalar.properties.generalCategory != .nonspacingMark {
      result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
    }
    return String(result)
  }

  func encode(normalized text: some StringProtocol) -> [Int] {
    var result: [Int] = []
    var word: [Unicode.Scalar] = []
    func finish() {
      if !word.isEmpty { result += pieces(word) }
      word = []
    }
    for scalar in text.unicodeScalars {
      if Self.isSpace(scalar) {
        finish()
      } else if Self.isPunctuation(scalar) {
        finish()
        result += pieces([scalar])
      } else {
        word.append(scalar)
      }
    }
    finish()
    return result
  }

  private func pieces(_ word: [Unicode.Scalar]) -> [Int] {
    guard word.count <= Self.longestWord else { return [unknown] }
    var found: [Int] = []
    var start = 0
    while start < word.count {
      var end = word.count
      var id: Int?
      while end > start {
        var view = String.UnicodeScalarView(start > 0 ? "##".unicodeScalars : "".unicodeScalars)
        view.append(contentsOf: word[start..<end])
        id = ids[String(view)]
        if id != nil { break }
        end -= 1
      }
      guard let id else { return [unknown] }
      found.append(id)
      start = end
    }
    return found
  }

  func word(_ token: String) -> String? {
    token.hasPrefix("##") || token.hasPrefix("[") || token.isEmpty ? nil : token
  }

  func text(_ tokens: [String]) -> String {
    tokens.reduce("") { text, token in
      token.hasPrefix("##") ? text + token.dropFirst(2) : text.isEmpty ? token : text + " " + token
    }
  }

  // MARK: - Classes of characters

  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    if scalar == "\t" || scalar == "\n" || scalar == "\r" { return false }
    switch scalar.properties.generalCategory {
    case .control, .format, .privateUse, .surrogate: return true
    default: return scalar.value == 0xFFFD
    }
  }

  private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return true
    default: break
    }
    switch scalar.properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      return true
    default: return false
    }
  }

  private static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
      0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
      return true
    default: return false
    }
  }
}
