/// Text pasted at the prompt.
public enum Transcript {
  /// The inputs in a pasted transcript: what stands behind prompts, without outputs.
  ///
  /// Text without any prompt is returned as it is, but for `#>` lines.
  public static func inputs(
    of text: String, prompt: String = "evoke>", continuation: String = "...>"
  ) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    func behind(_ mark: String, _ line: String) -> String? {
      let trimmed = line.trimmed()
      guard trimmed.hasPrefix(mark) else { return nil }
      let rest = trimmed.dropFirst(mark.count)
      return String(rest.first == " " ? rest.dropFirst() : rest)
    }
    guard lines.contains(where: { behind(prompt, $0) != nil }) else {
      return lines.filter { !$0.hasPrefix("#>") }.joined(separator: "\n")
    }
    return lines.compactMap { behind(prompt, $0) ?? behind(continuation, $0) }
      .joined(separator: "\n")
  }
}
