import Foundation

/// Tells the inputs of a transcript, typed or pasted at the prompt, from what evoke had answered.
struct PastedText {
  static let prompt = "evoke> "
  static let continuation = "  ...> "

  /// Whether a line behind a prompt was seen, so that lines without one are answers.
  private(set) var isTranscript = false

  /// What of a line, or of several pasted at once, is input; nil if nothing is.
  mutating func input(_ text: String) -> String? {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.contains(where: { Self.behindPrompt($0) != nil }) { isTranscript = true }
    let inputs = lines.compactMap { line -> Substring? in
      if let input = Self.behindPrompt(line) { return input }
      if isTranscript || Self.isAnswer(line) { return nil }
      return line
    }
    return inputs.isEmpty ? nil : inputs.joined(separator: "\n")
  }

  /// Forgets that a transcript was being pasted.
  mutating func end() { isTranscript = false }

  private static func behindPrompt(_ line: Substring) -> Substring? {
    for mark in [prompt, continuation] {
      if line.hasPrefix(mark) { return line.dropFirst(mark.count) }
      // An empty input, whose trailing space was lost.
      if line == mark.dropLast() { return "" }
    }
    return nil
  }

  /// `#> …` of a session, or `es: CMA-ES 32-d …     c55d03b1` of a prompt: never a statement.
  private static func isAnswer(_ line: Substring) -> Bool {
    if line.hasPrefix("#>") || line.hasPrefix("#!") { return true }
    let digits = line.suffix(8)
    guard digits.count == 8, digits.allSatisfy({ $0.isHexDigit && !$0.isUppercase }),
      line.dropLast(8).hasSuffix("  "), let colon = line.firstIndex(of: ":")
    else { return false }
    let name = line[..<colon]
    return !name.isEmpty && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
  }
}
