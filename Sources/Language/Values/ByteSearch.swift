/// Looks for a text in others in time that grows with their lengths only (Knuth, Morris & Pratt,
/// SIAM J. Comput. 6, 1977).
struct ByteSearch {
  let pattern: [UInt8]
  /// For each place the length of the longest beginning of the pattern that ends there.
  private let borders: [Int]

  /// A search for `text`, which is not empty.
  init(_ text: String) {
    pattern = Array(text.utf8)
    var borders = [Int](repeating: 0, count: pattern.count)
    var matched = 0
    for place in pattern.indices.dropFirst() {
      while matched > 0, pattern[place] != pattern[matched] { matched = borders[matched - 1] }
      if pattern[place] == pattern[matched] { matched += 1 }
      borders[place] = matched
    }
    self.borders = borders
  }

  /// Where the pattern first stands in `text` from `start` on.
  func first(in text: [UInt8], from start: Int = 0) -> Range<Int>? {
    var matched = 0
    for place in start..<text.count {
      while matched > 0, text[place] != pattern[matched] { matched = borders[matched - 1] }
      if text[place] == pattern[matched] { matched += 1 }
      if matched == pattern.count { return place + 1 - matched..<place + 1 }
    }
    return nil
  }
}
