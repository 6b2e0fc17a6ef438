import Foundation
import Tensors

/// Byte-level byte-pair encoding with an end-of-word suffix, as OpenAI's CLIP uses it.
///
/// Source: Sennrich et al., arXiv 1508.07909; the order of merges is that of huggingface/tokenizers'
/// `BPE` (lowest rank first, leftmost among equals).
struct BytePairEncoding: TextSplitting {
  /// The token of every id, in byte-level spelling; empty where an id is not taken.
  let tokens: [String]
  /// The id of every token.
  let ids: [String: Int]
  private let merges: [Pair: Merge]
  private let inner: [Int?]
  private let final: [Int?]
  private let unknown: Int?

  private struct Pair: Hashable {
    let left: UInt32
    let right: UInt32
  }

  private struct Merge {
    let rank: Int
    let result: Int
  }

  static let endOfWord = "</w>"

  /// Builds the tables; `source` names the files in errors.
  ///
  /// Throws `EvokeError(.format)` when a merge joins or makes a token that the vocabulary lacks.
  init(
    vocabulary: [(token: String, id: Int)], merges: [(Substring, Substring)], unknown: String?,
    source: String
  ) throws {
    ids = Dictionary(vocabulary.map { ($0.token, $0.id) }) { _, last in last }
    var tokens = [String](repeating: "", count: (vocabulary.map(\.id).max() ?? -1) + 1)
    for (token, id) in vocabulary { tokens[id] = token }
    self.tokens = tokens
    var table: [Pair: Merge] = [:]
    table.reserveCapacity(merges.count)
    for (rank, (left, right)) in merges.enumerated() {
      let whole = left + right
      guard let a = ids[String(left)], let b = ids[String(right)], let c = ids[String(whole)] else {
        throw EvokeError(
          .format,
          "\(source): merge \(rank + 1) (\"\(left)\" and \"\(right)\") uses a token that "
            + "the vocabulary does not have")
      }
      table[Pair(left: UInt32(a), right: UInt32(b))] = Merge(rank: rank, result: c)
    }
    self.merges = table
    let ids = self.ids
    inner = ByteAlphabet.spellings.map { ids[$0] }
    final = ByteAlphabet.spellings.map { ids[$0 + Self.endOfWord] }
    self.unknown = unknown.flatMap { ids[$0] }
  }

  /// The ids of one word, given by its UTF-8 bytes.
  func encode(_ word: some Collection<UInt8>) -> [Int] {
    var symbols: [Int] = []
    symbols.reserveCapacity(word.count)
    var remaining = word.count
    for byte in word {
      remaining -= 1
      let id = remaining == 0 ? final[Int(byte)] : inner[Int(byte)]
      if let id = id ?? unknown { symbols.append(id) }
    }
    return symbols.count > 1 ? merged(symbols) : symbols
  }

  /// Applies the merges to a chain of symbols, linked by position so that long words stay fast.
  private func merged(_ symbols: [Int]) -> [Int] {
    var ids = symbols
    var next = Array(1...symbols.count)
    var previous = Array(-1..<symbols.count - 1)
    var alive = [Bool](repeating: true, count: symbols.count)
    var queue = MergeQueue()
    func merge(at left: Int, _ right: Int) -> Merge? {
      merges[Pair(left: UInt32(ids[left]), right: UInt32(ids[right]))]
    }
    for left in 0..<symbols.count - 1 {
      if let found = merge(at: left, left + 1) { queue.push(found.rank, left) }
    }
    while let (rank, left) = queue.pop() {
      let right = next[left]
      guard alive[left], right < symbols.count, let found = merge(at: left, right),
        found.rank == rank
      else { continue }  // one of the two has been merged away since
      ids[left] = found.result
      alive[right] = false
      next[left] = next[right]
      if next[left] < symbols.count {
        previous[next[left]] = left
        if let found = merge(at: left, next[left]) { queue.push(found.rank, left) }
      }
      if previous[left] >= 0, let found = merge(at: previous[left], left) {
        queue.push(found.rank, previous[left])
      }
    }
    return ids.indices.filter { alive[$0] }.map { ids[$0] }
  }
}

// MARK: - Words

extension BytePairEncoding {
  func normalized(_ text: some StringProtocol) -> String { TextCleaning.normalized(text) }

  func encode(normalized text: some StringProtocol) -> [Int] {
    TextCleaning.words(text).flatMap { encode(Array($0.utf8)) }
  }

  func word(_ token: String) -> String? {
    guard token.hasSuffix(Self.endOfWord) else { return nil }
    let bytes = token.dropLast(Self.endOfWord.count).unicodeScalars.map(ByteAlphabet.byte)
    guard let word = String(validating: bytes.compactMap { $0 }, as: UTF8.self), !word.isEmpty
    else { return nil }
    return word
  }

  func text(_ tokens: [String]) -> String {
    var bytes: [UInt8] = []
    for token in tokens {
      let spelt = token.unicodeScalars.map(ByteAlphabet.byte)
      if spelt.contains(nil) {
        bytes += Array(token.utf8)
      } else {
        bytes += spelt.compactMap { $0 }
      }
    }
    return Self.stripped(String(decoding: endingWords(bytes), as: UTF8.self))
  }

  /// Puts a space for every end-of-word mark; on bytes, for a combining mark may follow it.
  private func endingWords(_ bytes: [UInt8]) -> [UInt8] {
    let mark = Array(Self.endOfWord.utf8)
    var result: [UInt8] = []
    for byte in bytes {
      result.append(byte)
      if result.suffix(mark.count).elementsEqual(mark) {
        result.replaceSubrange((result.count - mark.count)..., with: [UInt8(ascii: " ")])
      }
    }
    return result
  }

  /// Without white space at the ends, as Python's `strip` understands it.
  private static func stripped(_ text: String) -> String {
    func isSpace(_ scalar: Unicode.Scalar) -> Bool {
      scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
    }
    let scalars = text.unicodeScalars
    guard let first = scalars.firstIndex(where: { !isSpace($0) }),
      let last = scalars.lastIndex(where: { !isSpace($0) })
    else { return "" }
    return String(scalars[first...last])
  }
}

/// A binary heap of candidate merges: lowest rank first, then leftmost.
private struct MergeQueue {
  private var heap: [(rank: Int, position: Int)] = []

  mutating func push(_ rank: Int, _ position: Int) {
    heap.append((rank, position))
    var child = heap.count - 1
    while child > 0, heap[child] < heap[(child - 1) / 2] {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop() -> (rank: Int, position: Int)? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return first }
    heap[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
        if heap[child] < heap[least] { least = child }
      }
      if least == parent { return first }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}

/// GPT-2's reversible spelling of bytes by printable characters (`bytes_to_unicode`).
enum ByteAlphabet {
  /// The spelling of each byte.
  static let spellings: [String] = scalars.map { String($0) }

  /// The byte behind a character, or nil.
  static func byte(of scalar: Unicode.Scalar) -> UInt8? { bytes[scalar] }

  private static let scalars: [Unicode.Scalar] = {
    var next: UInt32 = 256
    return (0..<256).map { (byte: UInt32) in
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return Unicode.Scalar(UInt8(byte))
      default:
        defer { next += 1 }
        return Unicode.Scalar(next) ?? "\u{FFFD}"
      }
    }
  }()

  private static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
    uniqueKeysWithValues: scalars.enumerated().map { ($1, UInt8($0)) })
}
