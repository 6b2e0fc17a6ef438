import Language
import Tensors

/// Whether a replay gave what was recorded.
public enum Verdict: String, Sendable {
  /// Every recorded line, digests included, is the same.
  case exact
  /// Recorded with another version, backend or precision, and everything lies within tolerance.
  case close
  /// Something is not the same.
  case differs

  /// The status that `evoke replay` exits with.
  public var exitStatus: Int32 {
    switch self {
    case .exact: 0
    case .close: 3
    case .differs: 4
    }
  }
}

/// What a replay found.
public struct ReplayReport: Sendable {
  /// A statement that gave something else.
  public struct Divergence: Sendable {
    /// The statement's first line.
    public let line: Int
    public let source: String
    public let recorded: [String]
    public let now: [String]
    /// Why the statement failed, if it did.
    public let failure: Diagnostic?
  }
  public let verdict: Verdict
  /// The statements whose recorded lines were compared.
  public let compared: Int
  /// The first statement that is not the same within tolerance.
  public let divergence: Divergence?
  /// Statements whose bytes differ although their text agrees within tolerance: line, the lines now,
  /// and the largest relative deviation of a number in them.
  public let deviations: [(line: Int, text: String, deviation: Double)]
  /// What is not the same in the headers.
  public let environment: [HeaderDifference]
  /// The session as recorded by this replay, for `--accept`.
  public let recording: Recording

  /// The largest relative deviation of a number; 0 if none.
  public var largestDeviation: Double { deviations.map(\.deviation).max() ?? 0 }

  /// The report as text, the verdict first.
  public func rendered() -> String {
    var lines = [headline]
    if let divergence {
      lines.append("  line \(divergence.line): \(firstLine(divergence.source))")
      lines += divergence.recorded.map { "    recorded  \($0)" }
      if divergence.recorded.isEmpty { lines.append("    recorded  nothing") }
      lines += divergence.now.map { "    now       \($0)" }
      if let failure = divergence.failure {
        lines.append("    now       fails: \(failure.error.message)")
        if let hint = failure.error.hint { lines.append("              \(hint)") }
      } else if divergence.now.isEmpty {
        lines.append("    now       nothing")
      }
    }
    for deviation in largestDeviations.prefix(Self.listed) {
      let size =
        deviation.deviation == 0
        ? "other bytes, same text" : "off by \(formatted(deviation.deviation, significant: 2))"
      lines.append("  line \(deviation.line): \(size): \(deviation.text)")
    }
    if deviations.count > Self.listed {
      lines.append("  and \(deviations.count - Self.listed) more that are smaller")
    }
    for difference in environment {
      let recorded = difference.recorded.isEmpty ? "nothing" : difference.recorded
      let now = difference.now.isEmpty ? "nothing" : difference.now
      lines.append("  \(difference.key): recorded \(recorded), now \(now)")
    }
    return lines.joined(separator: "\n")
  }

  /// Deviations that are listed, the largest first.
  private static let listed = 24

  private var largestDeviations: [(line: Int, text: String, deviation: Double)] {
    deviations.sorted {
      $0.deviation == $1.deviation ? $0.line < $1.line : $0.deviation > $1.deviation
    }
  }

  private var headline: String {
    let count = "\(compared) statement\(compared == 1 ? "" : "s")"
    switch verdict {
    case .exact: return "exact: \(count) gave the same text and bytes"
    case .close:
      return "close: \(count) within tolerance, "
        + "largest deviation \(formatted(largestDeviation, significant: 2))"
    case .differs: return "differs"
    }
  }

  private func firstLine(_ text: String) -> String {
    let lines = text.split(separator: "\n")
    return (lines.first.map(String.init) ?? "") + (lines.count > 1 ? " …" : "")
  }
}

/// Runs recorded sessions again and compares.
public struct Replay {
  public let document: SessionDocument
  public let version: String
  public let environment: [(key: String, value: String)]
  /// How far numbers may be off where versions, backends or precisions differ, relative to their
  /// size.
  public let tolerance: Double
  /// Whether to go on behind a divergence, to have the whole new recording.
  public let goesOn: Bool

  public init(
    _ document: SessionDocument, version: String,
    environment: [(key: String, value: String)] = [], tolerance: Double = 1e-3,
    goesOn: Bool = false
  ) {
    self.document = document
    self.version = version
    self.environment = environment
    self.tolerance = tolerance
    self.goesOn = goesOn
  }

  /// Replays the session in an interpreter that begins with the recorded seed.
  ///
  /// - Parameter onResult: Called behind each statement.
  /// - Throws: `Diagnostics` if the session cannot be run at all; `EvokeError` (usage) if nothing
  ///   was recorded in it; a `Diagnostic` of kind `interrupted` if the user stopped it.
  public func run(
    registry: Registry, host: any ScriptHost, limits: Limits = .standard,
    onResult: (StatementResult) throws -> Void = { _ in }
  ) throws -> ReplayReport {
    guard document.isRecorded else {
      throw EvokeError(
        .usage, "\(document.name) carries no recording",
        hint: "record one with: evoke run \(document.name) --save SESSION")
    }
    let interpreter = Interpreter(
      registry: registry, host: host, seed: document.header?.seed ?? 0, limits: limits)
    let program = try interpreter.prepare(document.source, name: document.name)
    var comparison = Comparison(self, program)
    struct Enough: Error {}
    var failure: Diagnostic?
    do {
      try interpreter.run(program) { result in
        try onResult(result)
        // The interpreter throws behind a statement that was stopped.
        if result.isInterrupted { return }
        comparison.add(result)
        if comparison.divergence != nil, !goesOn { throw Enough() }
      }
    } catch let diagnostic as Diagnostic {
      if diagnostic.error.kind == .interrupted, host.isCancelled { throw diagnostic }
      failure = diagnostic
      comparison.fail(diagnostic)
    } catch is Enough {}
    let now = header(of: interpreter)
    let recording = Recording(
      document: document, header: now, results: comparison.results, failure: failure)
    return comparison.report(recording, differences(to: now, isWhole: comparison.isWhole))
  }

  private func header(of interpreter: Interpreter) -> SessionHeader {
    SessionHeader(
      version: version, seed: document.header?.seed ?? 0, environment: environment,
      fingerprint: interpreter.fingerprint)
  }

  /// What the headers do not have in common; of a replay that ended early, fingerprints that it had
  /// not come to are left out.
  private func differences(to now: SessionHeader, isWhole: Bool) -> [HeaderDifference] {
    (document.header?.differences(to: now) ?? []).filter { isWhole || !$0.now.isEmpty }
  }
}

/// Compares results with a recording, statement by statement.
private struct Comparison {
  let replay: Replay
  let statements: [Program.Statement]
  let anchors: [Int]
  /// Whether headers differ in something that lets numbers deviate.
  let isTolerant: Bool
  /// The recorded lines that were not compared yet, by anchor.
  var remaining: [Int: ArraySlice<String>]
  var results: [StatementResult] = []
  var compared = 0
  var divergence: ReplayReport.Divergence?
  var deviations: [(line: Int, text: String, deviation: Double)] = []

  init(_ replay: Replay, _ program: Program) {
    self.replay = replay
    statements = program.statements
    anchors = replay.document.anchors(statements.map(\.lines))
    remaining = replay.document.recorded.mapValues { $0[...] }
    let header = replay.document.header
    let now = SessionHeader(
      version: replay.version, seed: 0, environment: replay.environment, fingerprint: [])
    isTolerant = SessionHeader.tolerantKeys.contains { key in
      header?[key] != nil && header?[key] != now[key]
    }
  }

  var isWhole: Bool { results.count == statements.count }

  mutating func add(_ result: StatementResult) {
    let index = results.count
    results.append(result)
    let now = RecordedLine.lines(of: result)
    let isLast = index + 1 == anchors.count || anchors[index + 1] != anchors[index]
    let recorded = take(now.count, behind: anchors[index], all: isLast)
    if !recorded.isEmpty || !now.isEmpty { compared += 1 }
    if recorded == now { return }
    guard isTolerant, recorded.count == now.count else { return diverge(index, recorded, now) }
    for (old, new) in zip(recorded, now) where old != new {
      let line = RecordedLine(new)
      guard
        let deviation = line.deviation(
          from: RecordedLine(old), tolerance: replay.tolerance)
      else { return diverge(index, recorded, now) }
      deviations.append((line: result.lines.lowerBound, text: line.text, deviation: deviation))
    }
  }

  /// Notes that the statement behind the last result failed.
  mutating func fail(_ diagnostic: Diagnostic) {
    let index = results.count
    guard index < statements.count else { return }
    let recorded = take(1, behind: anchors[index], all: true)
    diverge(index, recorded, [], diagnostic)
  }

  /// The next recorded lines at an anchor: as many as `count`, or all that are left.
  private mutating func take(_ count: Int, behind anchor: Int, all: Bool) -> [String] {
    let lines = remaining[anchor] ?? []
    let taken = all ? lines : lines.prefix(count)
    remaining[anchor] = lines.dropFirst(taken.count)
    return Array(taken)
  }

  private mutating func diverge(
    _ index: Int, _ recorded: [String], _ now: [String], _ failure: Diagnostic? = nil
  ) {
    guard divergence == nil else { return }
    let statement = statements[index]
    divergence = ReplayReport.Divergence(
      line: statement.lines.lowerBound, source: statement.source, recorded: recorded, now: now,
      failure: failure)
  }

  func report(_ recording: Recording, _ environment: [HeaderDifference]) -> ReplayReport {
    let verdict: Verdict =
      divergence != nil ? .differs : deviations.isEmpty ? .exact : .close
    return ReplayReport(
      verdict: verdict, compared: compared, divergence: divergence, deviations: deviations,
      environment: environment, recording: recording)
  }
}
