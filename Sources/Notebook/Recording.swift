import Language
import Tensors

/// What a run of a document left: the results of the statements that finished, and how it ended.
public struct Recording: Sendable {
  public let document: SessionDocument
  public let header: SessionHeader
  /// The results in order; fewer than there are statements if the run failed or was stopped.
  public internal(set) var results: [StatementResult]
  /// Why the run ended early, if it did.
  public internal(set) var failure: Diagnostic?

  /// The session as text: the document with the outputs of this run in place of older ones.
  ///
  /// Of a script that failed or was stopped, the statements that finished are kept, so that the
  /// session replays; a notebook keeps all of its text.
  public var text: String {
    SessionWriter(document: document, header: header, results: results, failure: failure).text
  }
}

/// Runs documents and keeps what they give.
public enum Recorder {
  /// Runs a document.
  ///
  /// - Parameters:
  ///   - document: A script or notebook; older outputs in it are ignored.
  ///   - interpreter: Fresh, or one that has run before.
  ///   - version: evoke's version, for the header.
  ///   - environment: What else the header says, by key.
  ///   - overrides: `name=value` from the command line; the recording has them applied.
  ///   - journal: Where each statement is noted before it runs, and again before `onResult`.
  ///   - onResult: Called behind each statement.
  /// - Returns: The recording; `failure` tells of a statement that failed or was stopped.
  /// - Throws: `Diagnostics` or `EvokeError` if the document cannot be run at all; what `onResult`
  ///   throws.
  public static func run(
    _ document: SessionDocument, with interpreter: Interpreter, version: String,
    environment: [(key: String, value: String)] = [],
    overrides: [(name: String, value: String)] = [], journal: Journal? = nil,
    onResult: (StatementResult) throws -> Void = { _ in }
  ) throws -> Recording {
    let program = try interpreter.prepare(
      document.source, name: document.name, overrides: overrides)
    var results: [StatementResult] = []
    var failure: Diagnostic?
    let seed = interpreter.seed
    let statements = program.statements
    func header() -> SessionHeader {
      SessionHeader(
        version: version, seed: seed, environment: environment,
        fingerprint: interpreter.fingerprint)
    }
    do {
      try interpreter.run(program) { index in
        journal?.begin(statements[index].source, isSilenced: statements[index].isSilenced)
      } onResult: { result in
        journal?.finish(result, header: header())
        results.append(result)
        try onResult(result)
      }
    } catch let diagnostic as Diagnostic {
      failure = diagnostic
    }
    return Recording(
      document: overrides.isEmpty ? document : document.replacingSource(program.source),
      header: header(), results: results, failure: failure)
  }
}

extension SessionDocument {
  /// The document with other code, of the same number of lines or, for a script, of any number.
  func replacingSource(_ newSource: String) -> SessionDocument {
    guard kind == .markdown else { return SessionDocument(newSource, name: name) }
    let new = newSource.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard new.count == lines.count else { return self }
    var text = lines
    for fence in fenceEnds {
      for line in fence.code.dropFirst().dropLast() { text[line - 1] = new[line - 1] }
    }
    return SessionDocument(text.joined(separator: "\n"), name: name)
  }
}

/// Puts outputs into a document's text.
struct SessionWriter {
  let document: SessionDocument
  let header: SessionHeader
  let results: [StatementResult]
  let failure: Diagnostic?

  var text: String {
    let anchors = document.anchors(results.map(\.lines))
    var outputs: [Int: [String]] = [:]
    var lines = document.lines
    for (result, anchor) in zip(results, anchors) {
      outputs[anchor, default: []] += RecordedLine.lines(of: result)
      if result.isInterrupted { replace(result, in: &lines) }
    }
    var end = lines.count
    if document.kind == .script, failure != nil || results.last?.isInterrupted == true {
      end = anchors.last ?? 0
    }
    return (headerLines + body(lines[..<end], outputs) + stopLines).joined(separator: "\n")
      + (document.kind == .script && end < lines.count ? "\n" : "")
  }

  private var headerLines: [String] {
    header.lines.map { document.kind == .script ? "#! \($0)" : "<!-- #! \($0) -->" }
  }

  private var stopLines: [String] {
    guard document.kind == .script, let failure else { return [] }
    return ["# stopped at line \(failure.line): \(failure.error.message)"]
  }

  private func body(_ lines: ArraySlice<String>, _ outputs: [Int: [String]]) -> [String] {
    var result: [String] = []
    for (index, line) in lines.enumerated() {
      let number = index + 1
      if !document.generated.contains(number) { result.append(line) }
      guard let shown = outputs[number], !shown.isEmpty else { continue }
      if document.kind == .script {
        result += shown.map { $0.isEmpty ? "#>" : "#> \($0)" }
      } else {
        result += ["```output"] + shown + ["```"]
      }
    }
    return result
  }

  /// Writes a statement that was stopped as the shorter one that it was.
  private func replace(_ result: StatementResult, in lines: inout [String]) {
    let place = result.lines.lowerBound - 1..<min(result.lines.upperBound, lines.count)
    let old = lines[place].joined(separator: "\n")
    guard let range = old.firstRange(of: result.originalSource) else { return }
    let new = old[..<range.lowerBound] + result.source + old[range.upperBound...]
    var parts = new.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    // The number of lines must not change while others are addressed by number.
    while parts.count < place.count { parts.append("") }
    lines.replaceSubrange(place, with: parts.prefix(place.count))
  }
}
