/// The name nearest to a misspelt word, for "did you mean".
///
/// - Parameters:
///   - word: what was typed.
///   - names: the closed set it should have come from.
/// - Returns: the name of least edit distance (insertions, deletions, substitutions, swaps of
///   neighbours; case ignored), if that is at most a third of the word's length, or one.
public func closest(to word: String, among names: [String]) -> String? {
  // Nobody misspells a page of text; the distance takes time with the product of the lengths.
  guard word.utf8.count <= 100 else { return nil }
  let typed = Array(word.lowercased())
  let most = max(1, typed.count / 3)
  var best: (name: String, distance: Int)?
  for name in names {
    guard abs(name.utf8.count - word.utf8.count) <= 4 * most else { continue }
    let distance = editDistance(typed, Array(name.lowercased()))
    if distance < best?.distance ?? Int.max { best = (name, distance) }
  }
  guard let best, best.distance <= most else { return nil }
  return best.name
}

/// Optimal string alignment distance (Damerau–Levenshtein without overlapping edits).
private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  var beforePrevious = [Int]()
  var previous = Array(0...b.count)
  for i in 0..<a.count {
    var current = [i + 1]
    for j in 0..<b.count {
      var least = min(current[j] + 1, previous[j + 1] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
        least = min(least, beforePrevious[j - 1] + 1)
      }
      current.append(least)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[b.count]
}
