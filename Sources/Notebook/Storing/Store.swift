import Foundation
import GRDB
import Tensors

/// Sessions and values that outlive the process: one SQLite file with a write-ahead log.
///
/// Any number of processes may use one store at the same time. What was written is there after the
/// process was killed; after a power cut, the last moments may be missing, nothing is torn.
public final class Store: Sendable {
  /// The store's file.
  public let file: URL
  let queue: DatabaseQueue

  /// Opens, and if need be makes, the store in a folder.
  ///
  /// - Throws: `EvokeError` (file) that says what is the matter: no permission, a full disk, a
  ///   damaged file, a store of a later version.
  public init(folder: URL) throws {
    file = folder.appendingPathComponent("store.sqlite")
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw EvokeError(
        .file, "the folder \(folder.path) for evoke's store cannot be made",
        hint: "set EVOKE_HOME to a folder that can be written to")
    }
    var configuration = Configuration()
    configuration.journalMode = .wal
    configuration.busyMode = .timeout(10)
    configuration.label = "evoke"
    let path = file.path
    do {
      queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.write { try Self.migrate($0, path: path) }
    } catch {
      throw Self.failure(error, file)
    }
  }

  /// The version of the tables; a store of a later one is left alone.
  private static let version = 1

  private static func migrate(_ db: Database, path: String) throws {
    let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    if found == version { return }
    guard found == 0 else {
      throw EvokeError(
        .file, "the store \(path) is of a later version of evoke",
        hint: "use that version, or set EVOKE_HOME to another folder")
    }
    try db.execute(
      sql: """
        CREATE TABLE session (
          id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL,
          folder TEXT NOT NULL, header TEXT NOT NULL, started INTEGER NOT NULL,
          touched INTEGER NOT NULL, isFinished INTEGER NOT NULL DEFAULT 0,
          process INTEGER NOT NULL, processStart TEXT NOT NULL);
        CREATE TABLE statement (
          session INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
          number INTEGER NOT NULL, source TEXT NOT NULL, isSilenced INTEGER NOT NULL,
          outputs TEXT, isInterrupted INTEGER NOT NULL DEFAULT 0,
          PRIMARY KEY (session, number)) WITHOUT ROWID;
        CREATE TABLE value (
          digest BLOB PRIMARY KEY, size INTEGER NOT NULL, bytes BLOB NOT NULL);
        CREATE TABLE call (
          key BLOB PRIMARY KEY, builtin TEXT NOT NULL, value BLOB NOT NULL REFERENCES value,
          draws INTEGER NOT NULL, isFinished INTEGER NOT NULL,
          session INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
          used INTEGER NOT NULL);
        CREATE INDEX callByValue ON call (value);
        CREATE INDEX callBySession ON call (session);
        PRAGMA user_version = \(version);
        """)
  }

  func read<T>(_ body: (Database) throws -> T) throws -> T {
    do { return try queue.read(body) } catch { throw Self.failure(error, file) }
  }

  func write<T>(_ body: (Database) throws -> T) throws -> T {
    do { return try queue.write(body) } catch { throw Self.failure(error, file) }
  }

  /// What is the matter with the store, for a person.
  static func failure(_ error: any Error, _ file: URL) -> EvokeError {
    if let error = error as? EvokeError { return error }
    if error is RowDecodingError {
      return failure(DatabaseError(resultCode: .SQLITE_CORRUPT), file)
    }
    guard let error = error as? DatabaseError else {
      return EvokeError(.file, "the store \(file.path) fails: \(error)")
    }
    switch error.resultCode {
    case .SQLITE_FULL:
      return EvokeError(
        .file, "the disk is full, so nothing more is kept in \(file.path)",
        hint: "make room; `evoke store compact` and `evoke store delete` free some")
    case .SQLITE_NOTADB, .SQLITE_CORRUPT:
      return EvokeError(
        .file, "the store \(file.path) is damaged",
        hint: "move it away, and evoke makes a new one")
    case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
      return EvokeError(
        .file, "the store \(file.path) cannot be written to",
        hint: "set EVOKE_HOME to a folder that can")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      return EvokeError(
        .file, "another process keeps the store \(file.path) locked",
        hint: "wait for it, or set EVOKE_HOME to another folder")
    default:
      return EvokeError(
        .file, "the store \(file.path) fails: \(error.message ?? "\(error.resultCode)")",
        hint: "is its disk full or gone?")
    }
  }
}

extension Row {
  /// A column's value; a damaged file may hold anything in its place.
  func read<T: DatabaseValueConvertible>(_ column: String, as type: T.Type = T.self) throws -> T {
    let raw: DatabaseValue = self[column]
    guard let value = T.fromDatabaseValue(raw) else {
      throw DatabaseError(resultCode: .SQLITE_CORRUPT)
    }
    return value
  }
}
