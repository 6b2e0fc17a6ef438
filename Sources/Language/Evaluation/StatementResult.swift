/// What a statement left behind.
public struct StatementResult: Sendable {
  /// The statement's text; as a shorter run if it was interrupted (``Context/recordInterrupted``).
  public let source: String
  /// The statement's text as it was given.
  public let originalSource: String
  /// The first and the last line of the statement in its file, from 1.
  public let lines: ClosedRange<Int>
  /// The name it bound, `ans` for a value that no name was given to, nil for no value.
  public let name: String?
  public let value: Value
  /// The lines that `print` wrote.
  public let printed: [String]
  /// The echo: nil for no value and behind `;`.
  public let echo: Echo?
  /// Whether a `;` stands behind it.
  public let isSilenced: Bool
  /// Whether the user stopped it; its value is what there was by then.
  public let isInterrupted: Bool
}

/// The line that a statement shows: `es: CMA-ES 32-d, generation 50, best 0.0871     c55d03b1`.
public struct Echo: Sendable, Equatable {
  public let text: String
  /// SHA-256 of the value's bytes, 64 hexadecimal digits.
  public let digest: String

  public init(text: String, digest: String) {
    self.text = text
    self.digest = digest
  }

  /// The first 8 digits, which lines and sessions show.
  public var shortDigest: String { String(digest.prefix(8)) }

  /// The text, and the short digest from column `column` on.
  public func line(column: Int = 64) -> String {
    let gap = max(2, column - text.count)
    return text + String(repeating: " ", count: gap) + shortDigest
  }
}
