import Foundation

/// A token that is found in the text as a whole, before any splitting.
struct AddedToken: Sendable, Equatable {
  /// How it is written.
  let content: String
  /// The ids it stands for: one, or several for a learned word of several vectors.
  let ids: [Int]
  /// Whether it is looked for in the normalised text rather than in the text as typed.
  let isNormalized: Bool
  /// Whether it is one of the model's own (start, end, padding), left out when decoding.
  let isSpecial: Bool
}

/// Finds added tokens in a text: leftmost first, the longest where several begin.
struct TokenFinder: Sendable {
  enum Piece {
    case token(AddedToken)
    case text(Substring)
  }

  private let patterns: [(bytes: [UInt8], token: AddedToken)]
  private let firsts: Set<UInt8>

  /// `spelling` says how a token's content stands in the texts to be searched.
  init(_ tokens: [AddedToken], spelling: (String) -> String = { $0 }) {
    patterns = tokens.map { (Array(spelling($0.content).utf8), $0) }
      .filter { !$0.0.isEmpty }.sorted { $0.0.count > $1.0.count }
    firsts = Set(patterns.map { $0.bytes[0] })
  }

  /// The text cut at the tokens found in it.
  func pieces(of text: Substring) -> [Piece] {
    guard !patterns.isEmpty else { return [.text(text)] }
    let bytes = Array(text.utf8)
    var pieces: [Piece] = []
    var from = 0
    var at = 0
    func flush() {
      if from < at { pieces.append(.text(Substring(decoding: bytes[from..<at], as: UTF8.self))) }
    }
    while at < bytes.count {
      guard firsts.contains(bytes[at]),
        let (pattern, token) = patterns.first(where: { bytes[at...].starts(with: $0.bytes) })
      else {
        at += 1
        continue
      }
      flush()
      pieces.append(.token(token))
      at += pattern.count
      from = at
    }
    flush()
    return pieces
  }
}
