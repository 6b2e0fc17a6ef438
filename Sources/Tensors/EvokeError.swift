/// The one error that everything a user types, loads or replays can fail with.
public struct EvokeError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What went wrong, coarsely: it chooses the exit status and lets tests be specific.
  public enum Kind: String, Sendable {
    case usage, name, type, value, shape, file, format, numeric, interrupted
  }

  public let kind: Kind
  /// What is wrong, with the offending thing quoted.
  public let message: String
  /// What to try.
  public let hint: String?

  public init(_ kind: Kind, _ message: String, hint: String? = nil) {
    self.kind = kind
    self.message = message
    self.hint = hint
  }

  public var description: String {
    guard let hint else { return message }
    return "\(message) (\(hint))"
  }
}
