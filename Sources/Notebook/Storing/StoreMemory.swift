import Crypto
import Foundation
import GRDB
import Language
import Tensors

/// The store as the memory of calls: values by content digest, calls by what they depend on.
public final class StoreMemory: CallMemory {
  private let store: Store
  private let registry: Registry
  /// What results depend on besides the call: version, build, backend.
  private let circumstances: [UInt8]
  /// Whether earlier values are used, and not only kept.
  public var recalls: Bool { didSet { if recalls { learnBuiltins() } } }
  private let session: () -> Int?
  private let trouble: (EvokeError) -> Void
  private var builtins: Set<String> = []
  private var isKept = true
  public let threshold: Duration

  /// - Parameters:
  ///   - circumstances: version, build and backend, as text; values of others are not used.
  ///   - recalls: whether earlier values are used, and not only kept.
  ///   - threshold: the shortest duration of a call that is worth keeping.
  ///   - session: the session whose calls these are.
  ///   - trouble: told once, when the store fails.
  public init(
    _ store: Store, registry: Registry, circumstances: String, recalls: Bool,
    threshold: Duration = .milliseconds(20), session: @escaping () -> Int?,
    trouble: @escaping (EvokeError) -> Void
  ) {
    self.store = store
    self.registry = registry
    self.circumstances = Array(circumstances.utf8)
    self.recalls = recalls
    self.threshold = threshold
    self.session = session
    self.trouble = trouble
    if recalls { learnBuiltins() }
  }

  private func learnBuiltins() {
    let found = attempt { db in try String.fetchAll(db, sql: "SELECT DISTINCT builtin FROM call") }
    builtins.formUnion(found ?? [])
  }

  public func mayKnow(_ builtin: String) -> Bool { recalls && builtins.contains(builtin) }

  public func finished(_ key: CallKey) -> (value: Value, draws: Int)? {
    guard let found = find(key, isFinished: true) else { return nil }
    return found
  }

  public func unfinished(_ key: CallKey) -> Value? { find(key, isFinished: false)?.value }

  public func keep(_ value: Value, for key: CallKey, draws: Int, duration: Duration) {
    keep(value, key, draws: draws, isFinished: true)
  }

  public func keep(unfinished value: Value, for key: CallKey) {
    keep(value, key, draws: 0, isFinished: false)
  }

  // MARK: Rows

  /// A call's key under these circumstances.
  private func rowKey(_ key: CallKey) -> Data {
    var hash = SHA256()
    hash.update(data: circumstances)
    hash.update(data: [0])
    hash.update(data: key.digest)
    return Data(hash.finalize())
  }

  private func find(_ key: CallKey, isFinished: Bool) -> (value: Value, draws: Int)? {
    let rowKey = rowKey(key)
    let session = session()
    let row = attempt { db -> (bytes: Data, digest: Data, draws: Int)? in
      let row = try Row.fetchOne(
        db,
        sql: """
          SELECT bytes, digest, draws FROM call JOIN value ON value.digest = call.value
          WHERE key = ? AND isFinished = ?
          """, arguments: [rowKey, isFinished])
      guard let row else { return nil }
      try db.execute(
        sql: "UPDATE call SET used = ?, session = ifnull(?, session) WHERE key = ?",
        arguments: [Int(Date().timeIntervalSince1970), session, rowKey])
      return (try row.read("bytes"), try row.read("digest"), try row.read("draws"))
    }
    guard let row = row ?? nil, Data(SHA256.hash(data: row.bytes)) == row.digest,
      let value = try? ValueDecoder.value(of: Array(row.bytes), registry: registry)
    else { return nil }
    return (value, row.draws)
  }

  private func keep(_ value: Value, _ key: CallKey, draws: Int, isFinished: Bool) {
    guard isKept, let session = session(), let encoded = ValueEncoder.bytes(of: value) else {
      return
    }
    let bytes = Data(encoded)
    let digest = Data(SHA256.hash(data: bytes))
    let rowKey = rowKey(key)
    attempt { db in
      let old = try Data.fetchOne(
        db, sql: "SELECT value FROM call WHERE key = ?", arguments: [rowKey])
      try db.execute(
        sql: "INSERT OR IGNORE INTO value (digest, size, bytes) VALUES (?, ?, ?)",
        arguments: [digest, bytes.count, bytes])
      try db.execute(
        sql: """
          INSERT OR REPLACE INTO call (key, builtin, value, draws, isFinished, session, used)
          VALUES (?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          rowKey, key.builtin, digest, draws, isFinished, session,
          Int(Date().timeIntervalSince1970),
        ])
      if let old, old != digest { try Store.forgetUnused(db, old) }
    }
    if recalls { builtins.insert(key.builtin) }
  }

  @discardableResult
  private func attempt<T>(_ body: (Database) throws -> T) -> T? {
    guard isKept else { return nil }
    do {
      return try store.write(body)
    } catch {
      isKept = false
      trouble(error as? EvokeError ?? EvokeError(.file, "the store fails: \(error)"))
      return nil
    }
  }
}

extension Store {
  /// Deletes a value that no call gives any more.
  static func forgetUnused(_ db: Database, _ digest: Data) throws {
    try db.execute(
      sql: "DELETE FROM value WHERE digest = ? AND digest NOT IN (SELECT value FROM call)",
      arguments: [digest])
  }
}
