import Language

/// A line that a statement showed: text, and the first 8 digits of the value's digest.
public struct RecordedLine: Sendable, Equatable {
  public let text: String
  /// Nil for a line that `print` wrote.
  public let digest: String?

  /// The column at which digests begin in a session.
  static let digestColumn = 60

  /// Reads a line of a session.
  init(_ line: String) {
    let end = line.suffix(8)
    let rest = line.dropLast(8)
    let isHexadecimal = end.count == 8 && end.allSatisfy { $0.isHexDigit && !$0.isUppercase }
    if isHexadecimal, rest.hasSuffix("  ") {
      text = rest.trimmed()
      digest = String(end)
    } else {
      text = line
      digest = nil
    }
  }

  /// The lines of a statement's result, as a session keeps them.
  static func lines(of result: StatementResult) -> [String] {
    (result.printed + (result.echo.map { [$0.line(column: digestColumn)] } ?? [])).map { line in
      var line = line[...]
      while line.last == " " || line.last == "\t" { line = line.dropLast() }
      return String(line)
    }
  }

  /// How far this line's numbers are from `other`'s, relative to their size; nil if the lines
  /// differ in more than numbers with a fraction, or one of these lies outside `tolerance`.
  func deviation(from other: RecordedLine, tolerance: Double) -> Double? {
    let (here, there) = (NumberText.split(text), NumberText.split(other.text))
    guard here.words == there.words, here.numbers.count == there.numbers.count else { return nil }
    var largest = 0.0
    for (a, b) in zip(here.numbers, there.numbers) {
      if a.text == b.text { continue }
      guard a.isFraction || b.isFraction else { return nil }
      let deviation = (a.value - b.value).magnitude / max(a.value.magnitude, b.value.magnitude)
      let isNegligible = max(a.value.magnitude, b.value.magnitude) <= 1e-6
      guard deviation <= tolerance || isNegligible else { return nil }
      if !isNegligible { largest = max(largest, deviation) }
    }
    return largest
  }
}

/// A text cut into numbers and what stands between them.
private struct NumberText {
  struct Number {
    let text: String
    let value: Double
    /// Whether it has a point or an exponent; whole numbers (counts, shapes) are compared as text.
    let isFraction: Bool
  }
  var words: [String] = [""]
  var numbers: [Number] = []

  static func split(_ text: String) -> NumberText {
    var result = NumberText()
    let characters = Array(text)
    var index = 0
    while index < characters.count {
      let start = index
      let isBoundary =
        start == 0 || !(characters[start - 1].isLetter || characters[start - 1].isNumber)
      if isBoundary, let end = numberEnd(characters, start) {
        let number = String(characters[start..<end])
        result.numbers.append(
          Number(
            text: number, value: Double(number) ?? 0,
            isFraction: number.contains { ".eE".contains($0) }))
        result.words.append("")
        index = end
      } else {
        result.words[result.words.count - 1].append(characters[index])
        index += 1
      }
    }
    return result
  }

  /// The end of the number that begins at `start`; nil if none does.
  private static func numberEnd(_ characters: [Character], _ start: Int) -> Int? {
    var index = start
    func isDigit() -> Bool { index < characters.count && ("0"..."9").contains(characters[index]) }
    func digits() { while isDigit() { index += 1 } }
    if characters[index] == "-" { index += 1 }
    guard isDigit() else { return nil }
    digits()
    if index < characters.count, characters[index] == "." {
      let point = index
      index += 1
      if isDigit() { digits() } else { index = point }
    }
    if index < characters.count, characters[index] == "e" {
      let mark = index
      index += 1
      if index < characters.count, "+-".contains(characters[index]) { index += 1 }
      if isDigit() { digits() } else { index = mark }
    }
    if index < characters.count, characters[index].isLetter { return nil }
    return index
  }
}
