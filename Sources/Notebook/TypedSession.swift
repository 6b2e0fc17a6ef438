import Language

/// A session that was typed at a prompt: its statements in order, and what each gave.
public struct TypedSession: Sendable {
  public let header: SessionHeader
  public let results: [StatementResult]

  public init(_ results: [StatementResult], header: SessionHeader) {
    self.results = results
    self.header = header
  }

  /// The session as text: a script that replays.
  public var text: String {
    var lines = header.lines.map { "#! \($0)" }
    for result in results {
      let ending = result.isSilenced && !result.source.hasSuffix(";") ? ";" : ""
      lines.append(result.source + ending)
      lines += RecordedLine.lines(of: result).map { $0.isEmpty ? "#>" : "#> \($0)" }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
