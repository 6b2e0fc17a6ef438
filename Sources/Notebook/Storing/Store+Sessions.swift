import Foundation
import GRDB
import Language
import Tensors

/// A session in the store.
public struct StoredSession: Sendable {
  public enum Kind: String, Sendable { case prompt, run }

  public let id: Int
  public let kind: Kind
  /// The script's path with what was given for its names; empty for a session at the prompt.
  public let name: String
  /// The folder in which its relative paths begin.
  public let folder: String
  /// The lines of its header.
  public let header: [String]
  /// Seconds since 1970.
  public let started: Int
  public let touched: Int
  /// Whether it came to its end: the script's, or the user left.
  public let isFinished: Bool
  /// Whether a process is at it now.
  public let isRunning: Bool
  /// Statements that were accepted.
  public let count: Int
  /// The last statement.
  public let last: String
}

/// A statement as it was journalled.
public struct StoredStatement: Sendable, Equatable {
  public let source: String
  public let isSilenced: Bool
  /// What it showed, as a recording has it; nil if it was cut off.
  public let outputs: [String]?
  /// Whether the user stopped it.
  public let isInterrupted: Bool

  /// Whether `result` is what this statement gave; nil if it is another statement, or this one was
  /// cut off or stopped.
  public func agrees(with result: StatementResult) -> Bool? {
    guard let outputs, !isInterrupted, !result.isInterrupted, source == result.source else {
      return nil
    }
    return outputs == RecordedLine.lines(of: result)
  }

  /// The statement with its `;`.
  public var text: String { source + (isSilenced && !source.hasSuffix(";") ? ";" : "") }
}

extension Store {
  private static let columns = """
    SELECT session.*, (SELECT count(*) FROM statement WHERE session = id) AS count,
      ifnull((SELECT source FROM statement WHERE session = id ORDER BY number DESC LIMIT 1), '')
        AS last
    FROM session
    """

  /// All sessions, the latest first.
  public func sessions() throws -> [StoredSession] {
    try read { db in
      try Row.fetchAll(db, sql: Self.columns + " ORDER BY touched DESC, id DESC")
        .map(Self.session)
    }
  }

  /// One session.
  ///
  /// - Throws: `EvokeError` (name) if there is none of that number.
  public func session(_ id: Int) throws -> StoredSession {
    let found = try read { db in
      try Row.fetchOne(db, sql: Self.columns + " WHERE id = ?", arguments: [id]).map(Self.session)
    }
    guard let found else {
      throw EvokeError(
        .name, "there is no session \(id) in the store", hint: "`evoke store` lists them")
    }
    return found
  }

  /// The latest session that was cut off: of this kind and name, in this folder, at no process.
  public func interrupted(
    _ kind: StoredSession.Kind, name: String = "", folder: String
  ) throws -> StoredSession? {
    let found = try read { db in
      try Row.fetchAll(
        db,
        sql: Self.columns + """
           WHERE kind = ? AND name = ? AND folder = ? AND NOT isFinished AND id IN
            (SELECT session FROM statement) ORDER BY touched DESC, id DESC
          """, arguments: [kind.rawValue, name, folder]
      ).map(Self.session)
    }
    return found.first { !$0.isRunning }
  }

  /// The statements of a session, in order; the last one may have been cut off.
  public func statements(of session: Int) throws -> [StoredStatement] {
    try read { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM statement WHERE session = ? ORDER BY number", arguments: [session]
      ).map { row in
        let isCutOff = try row.read("outputs", as: DatabaseValue.self).isNull
        let outputs = isCutOff ? nil : try row.read("outputs", as: String.self)
        return StoredStatement(
          source: try row.read("source"), isSilenced: try row.read("isSilenced"),
          outputs: outputs.map { $0.isEmpty ? [] : $0.split("\n") },
          isInterrupted: try row.read("isInterrupted"))
      }
    }
  }

  /// A session as text: a script with its outputs, which replays.
  public func text(of id: Int) throws -> String {
    var lines = try session(id).header.map { "#! \($0)" }
    for statement in try statements(of: id) {
      lines.append(statement.outputs == nil ? "# cut off: \(statement.source)" : statement.text)
      lines += (statement.outputs ?? []).map { $0.isEmpty ? "#>" : "#> \($0)" }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func session(_ row: Row) throws -> StoredSession {
    let process = ProcessIdentity(
      number: try row.read("process"), start: try row.read("processStart"))
    let header: String = try row.read("header")
    let isFinished: Bool = try row.read("isFinished")
    return StoredSession(
      id: try row.read("id"), kind: .init(rawValue: try row.read("kind")) ?? .prompt,
      name: try row.read("name"), folder: try row.read("folder"),
      header: header.isEmpty ? [] : header.split("\n"), started: try row.read("started"),
      touched: try row.read("touched"), isFinished: isFinished,
      isRunning: !isFinished && process.isAlive, count: try row.read("count"),
      last: try row.read("last"))
  }
}

extension String {
  /// The parts between `separator`, empty ones included.
  fileprivate func split(_ separator: Character) -> [String] {
    split(separator: separator, omittingEmptySubsequences: false).map(String.init)
  }
}
