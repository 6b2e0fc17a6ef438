import Foundation
import Language
import Tensors

/// A session as one self-contained HTML page: prose, code, what every statement showed, pictures,
/// plots, and the session itself to be replayed.
public struct Page: Sendable {
  /// What a statement of the page left.
  struct Output: Sendable {
    /// What it printed, then its echo.
    var lines: [RecordedLine] = []
    var depictions: [Depiction] = []
    /// The error that ended the run here.
    var failure: String?
    /// Of a statement that was stopped: its text, and the text of the shorter one that it was.
    var shortened: (from: String, to: String)?
  }

  let document: SessionDocument
  let header: SessionHeader?
  let parts: [PagePart]
  /// One for each statement that there are results of.
  let outputs: [Output]
  /// The recorded session, for readers to replay.
  let session: String
  /// Whether what was recorded came out again; nil if nothing was compared.
  public var verdict: Verdict?
  /// Reads a picture that the prose names, nil if it cannot be had.
  public var picture: @Sendable (_ path: String) -> Data? = { _ in nil }

  /// The page of a run.
  ///
  /// - Parameter depictions: What to show behind each result, in the same order.
  /// - Throws: `Diagnostics` if the document cannot be parsed.
  public init(_ recording: Recording, depictions: [[Depiction]]) throws {
    document = recording.document
    header = recording.header
    session = recording.text
    let statements = try Script.statements(of: document.source, name: document.name)
    parts = PageCutter.parts(of: document, statements: statements.map(\.lines))
    var outputs = recording.results.enumerated().map { index, result in
      Output(
        lines: RecordedLine.lines(of: result).map(RecordedLine.init),
        depictions: index < depictions.count ? depictions[index] : [],
        shortened: result.isInterrupted ? (result.originalSource, result.source) : nil)
    }
    if let failure = recording.failure, outputs.count < statements.count {
      outputs.append(Output(failure: failure.rendered()))
    }
    self.outputs = outputs
  }

  /// The page of what was recorded, with nothing run: no pictures, no plots.
  ///
  /// - Throws: `Diagnostics` if the document cannot be parsed.
  public init(recorded document: SessionDocument) throws {
    self.document = document
    header = document.header
    session = document.text
    let statements = try Script.statements(of: document.source, name: document.name)
    parts = PageCutter.parts(of: document, statements: statements.map(\.lines))
    let anchors = document.anchors(statements.map(\.lines))
    outputs = anchors.indices.map { index in
      // Statements that share a place of outputs show them behind the last of them.
      let isLast = index + 1 == anchors.count || anchors[index + 1] != anchors[index]
      let lines = isLast ? document.recorded[anchors[index]] ?? [] : []
      return Output(lines: lines.map(RecordedLine.init))
    }
  }

  /// What there is to see behind a statement: what it asked to show, then its value unless `;`
  /// silenced it.
  ///
  /// - Throws: `EvokeError` for a value that cannot be drawn.
  public static func depictions(
    of result: StatementResult, displayed: [Value]
  ) throws -> [Depiction] {
    try (displayed + (result.echo == nil ? [] : [result.value])).flatMap(depictions)
  }

  private static func depictions(of value: Value) throws -> [Depiction] {
    switch value {
    case .object(let object as any Depictable): try object.depictions()
    case .list(let list) where list.count <= 16: try list.flatMap(depictions)
    default: []
    }
  }
}
