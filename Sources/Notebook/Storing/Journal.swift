import Foundation
import GRDB
import Language
import Tensors

/// Keeps the statements of a running session in the store: each before it runs, and again with what
/// it gave before that is shown.
///
/// A store that fails is given up with one remark, and the session goes on without it.
public final class Journal {
  private let store: Store
  private let trouble: (EvokeError) -> Void
  private let kind: StoredSession.Kind
  private let name: String
  private let folder: String
  /// The session's number in the store, once it has a statement.
  public private(set) var session: Int?
  /// Statements that finished.
  public private(set) var count = 0
  /// Whether the store still takes what it is given.
  public private(set) var isKept = true

  /// - Parameters:
  ///   - name: the script's path with what was given for its names; empty at the prompt.
  ///   - folder: where the session's relative paths begin.
  ///   - trouble: told once, when the store fails.
  public init(
    _ store: Store, _ kind: StoredSession.Kind, name: String = "", folder: String,
    trouble: @escaping (EvokeError) -> Void
  ) {
    self.store = store
    self.kind = kind
    self.name = name
    self.folder = folder
    self.trouble = trouble
  }

  /// Goes on with a session of the store, of which `count` statements stand.
  public func adopt(_ id: Int, count: Int) {
    guard session == nil else { return }
    attempt { db in
      try db.execute(
        sql: "UPDATE session SET process = ?, processStart = ?, isFinished = 0 WHERE id = ?",
        arguments: [ProcessIdentity.own.number, ProcessIdentity.own.start, id])
    }
    session = id
    self.count = count
  }

  /// Notes a statement that is about to run.
  public func begin(_ source: String, isSilenced: Bool) {
    let number = count
    attempt { db in
      let id = try self.begun(db)
      try Self.cut(db, id, number)
      try db.execute(
        sql: "INSERT INTO statement (session, number, source, isSilenced) VALUES (?, ?, ?, ?)",
        arguments: [id, number, source, isSilenced])
    }
  }

  /// Notes what the statement gave; call it before that is shown.
  public func finish(_ result: StatementResult, header: SessionHeader) {
    let outputs = RecordedLine.lines(of: result).joined(separator: "\n")
    let number = count
    attempt { db in
      let id = try self.begun(db)
      try db.execute(
        sql: """
          INSERT OR REPLACE INTO statement
            (session, number, source, isSilenced, outputs, isInterrupted)
          VALUES (?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          id, number, result.source, result.isSilenced, outputs, result.isInterrupted,
        ])
      try db.execute(
        sql: "UPDATE session SET header = ?, touched = ? WHERE id = ?",
        arguments: [header.lines.joined(separator: "\n"), Self.now, id])
    }
    count += 1
  }

  /// Forgets the statements from `count` on: they failed, or were taken back.
  public func cut(to count: Int) {
    self.count = count
    guard let session else { return }
    attempt { db in try Self.cut(db, session, count) }
  }

  /// Puts statements back that were taken back.
  public func append(_ results: [StatementResult], header: SessionHeader) {
    for result in results { finish(result, header: header) }
  }

  /// Notes that the session came to its end.
  public func close() {
    guard let session else { return }
    attempt { db in
      try db.execute(
        sql: "UPDATE session SET isFinished = 1, touched = ? WHERE id = ?",
        arguments: [Self.now, session])
    }
  }

  /// The session's number; makes the session first if there is none yet.
  private func begun(_ db: Database) throws -> Int {
    if let session { return session }
    try Self.forgetOldest(db)
    try db.execute(
      sql: """
        INSERT INTO session (kind, name, folder, header, started, touched, process, processStart)
        VALUES (?, ?, ?, '', ?, ?, ?, ?)
        """,
      arguments: [
        kind.rawValue, name, folder, Self.now, Self.now, ProcessIdentity.own.number,
        ProcessIdentity.own.start,
      ])
    let id = Int(db.lastInsertedRowID)
    session = id
    return id
  }

  /// Sessions that are kept; beyond them the oldest go.
  static let mostSessions = 500

  private static func forgetOldest(_ db: Database) throws {
    try db.execute(
      sql: """
        DELETE FROM session WHERE id IN
          (SELECT id FROM session ORDER BY touched DESC, id DESC LIMIT -1 OFFSET ?)
        """, arguments: [mostSessions])
  }

  private static func cut(_ db: Database, _ id: Int, _ count: Int) throws {
    try db.execute(
      sql: "DELETE FROM statement WHERE session = ? AND number >= ?", arguments: [id, count])
  }

  private static var now: Int { Int(Date().timeIntervalSince1970) }

  /// Writes, or gives the store up.
  private func attempt(_ body: (Database) throws -> Void) {
    guard isKept else { return }
    let before = session
    do {
      try store.write(body)
    } catch {
      session = before
      isKept = false
      trouble(error as? EvokeError ?? EvokeError(.file, "the store fails: \(error)"))
    }
  }
}
