extension Font {
  /// A text in lines of at most `width`, broken at spaces, over-long words anywhere; what does not
  /// fit into `most` lines ends in an ellipsis. A line feed ends a line.
  func wrapped(_ text: String, size: Double, width: Double, most: Int) -> [String] {
    guard most > 0 else { return [] }
    var lines: [String] = []
    for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
      lines += wrappedParagraph(paragraph, size: size, width: width)
    }
    while lines.last == "" { lines.removeLast() }
    if lines.count <= most { return lines }
    let last = lines[most - 1] + "…"
    return lines.prefix(most - 1) + [elided(last, size: size, width: width)]
  }

  private func wrappedParagraph(_ text: Substring, size: Double, width: Double) -> [String] {
    var lines = [""]
    for word in text.split(whereSeparator: \.isWhitespace) {
      let line = lines[lines.count - 1]
      let joined = line.isEmpty ? String(word) : "\(line) \(word)"
      if self.width(of: joined, size: size) <= width {
        lines[lines.count - 1] = joined
        continue
      }
      var pieces = broken(word, size: size, width: width)
      if line.isEmpty { lines[lines.count - 1] = pieces.removeFirst() }
      lines += pieces
    }
    return lines
  }

  /// A word cut into pieces that fit, at least one character each.
  private func broken(_ word: Substring, size: Double, width: Double) -> [String] {
    var pieces = [""]
    for character in word {
      let longer = pieces[pieces.count - 1] + String(character)
      if pieces[pieces.count - 1].isEmpty || self.width(of: longer, size: size) <= width {
        pieces[pieces.count - 1] = longer
      } else {
        pieces.append(String(character))
      }
    }
    return pieces
  }

  /// The text, shortened from its end and closed by an ellipsis where it is wider than `width`.
  func elided(_ text: String, size: Double, width: Double) -> String {
    if self.width(of: text, size: size) <= width { return text }
    var shown = Substring(text)
    if shown.hasSuffix("…") { shown.removeLast() }
    while !shown.isEmpty {
      shown.removeLast()
      while shown.last?.isWhitespace == true { shown.removeLast() }
      let candidate = shown + "…"
      if self.width(of: String(candidate), size: size) <= width { return String(candidate) }
    }
    return "…"
  }
}
