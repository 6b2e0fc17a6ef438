import Foundation
import GRDB
import Tensors

extension Store {
  /// What the store takes, in bytes: its files, and the values in them.
  public func size() throws -> (files: Int, values: Int, calls: Int) {
    let files = ["", "-wal", "-shm"].reduce(0) { sum, ending in
      let attributes = try? FileManager.default.attributesOfItem(atPath: file.path + ending)
      return sum + ((attributes?[.size] as? Int) ?? 0)
    }
    return try read { db in
      (
        files, try Int.fetchOne(db, sql: "SELECT ifnull(sum(size), 0) FROM value") ?? 0,
        try Int.fetchOne(db, sql: "SELECT count(*) FROM call") ?? 0
      )
    }
  }

  /// Deletes sessions and the values that only they used.
  ///
  /// - Throws: `EvokeError` (name) if there is none of a number, `.value` for one that is running;
  ///   then nothing is deleted.
  public func delete(_ ids: [Int]) throws {
    for id in ids {
      guard try !session(id).isRunning else {
        throw EvokeError(
          .value, "session \(id) is running", hint: "leave it before it is deleted")
      }
    }
    try write { db in
      for id in ids {
        try db.execute(sql: "DELETE FROM session WHERE id = ?", arguments: [id])
      }
      try Self.forgetUnused(db)
    }
  }

  /// Gives space back to the disk: what nothing refers to, and the checkpoints of calls that ended.
  public func compact() throws {
    try write { db in
      try db.execute(
        sql: """
          DELETE FROM call WHERE NOT isFinished AND session IN
            (SELECT id FROM session WHERE isFinished)
          """)
      try Self.forgetUnused(db)
    }
    do {
      try queue.vacuum()
      _ = try queue.writeWithoutTransaction { try $0.checkpoint(.truncate) }
    } catch { throw Self.failure(error, file) }
  }

  /// Deletes the values used longest ago until the others take `bytes` at most.
  public func trim(to bytes: Int) throws {
    guard try size().values > bytes else { return }
    try write { db in
      var size = try Int.fetchOne(db, sql: "SELECT ifnull(sum(size), 0) FROM value") ?? 0
      let calls = try Row.fetchAll(
        db, sql: "SELECT key, size FROM call JOIN value ON digest = value ORDER BY used")
      for call in calls where size > bytes {
        try db.execute(
          sql: "DELETE FROM call WHERE key = ?", arguments: [try call.read("key", as: Data.self)])
        size -= try call.read("size")
      }
      try Self.forgetUnused(db)
    }
  }

  private static func forgetUnused(_ db: Database) throws {
    try db.execute(sql: "DELETE FROM value WHERE digest NOT IN (SELECT value FROM call)")
  }
}
