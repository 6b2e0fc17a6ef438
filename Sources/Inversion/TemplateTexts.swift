import Tensors

/// The hidden states of candidates in the templates that some tasks use.
struct TemplateTexts {
  /// Where each task's template stands among those used.
  private let places: [Int]
  /// [candidates · used, L, d], candidate by candidate.
  private let hidden: Tensor
  private let used: Int

  init(_ templates: [Int], encoded: ([Int]) throws -> Tensor) rethrows {
    var used: [Int] = []
    for template in templates where !used.contains(template) { used.append(template) }
    places = templates.map { used.firstIndex(of: $0) ?? 0 }
    hidden = try encoded(used)
    self.used = used.count
  }

  /// How many templates some tasks use.
  func count(_ tasks: Range<Int>) -> Int { Set(places[tasks]).count }

  /// The texts of some candidates in the templates of some tasks, and the row among them of every
  /// pair, candidate by candidate.
  func of(_ candidates: Range<Int>, _ tasks: Range<Int>) -> (hidden: Tensor, rows: [Int]) {
    let some = Set(places[tasks]).sorted()
    let texts = candidates.flatMap { c in some.map { hidden.row(c * used + $0) } }
    let rows = (0..<candidates.count).flatMap { c in
      places[tasks].map { c * some.count + (some.firstIndex(of: $0) ?? 0) }
    }
    return (Tensor.stacked(texts), rows)
  }
}
