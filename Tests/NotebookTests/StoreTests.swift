import Foundation
import GRDB
import Language
import Tensors
import Testing

@testable import Notebook

@Suite struct JournalTests {
  @Test func everyStatementIsThereBeforeItsResultIsShown() throws {
    let folder = try TemporaryFolder()
    let sitting = try Sitting(folder.url)
    let reader = try Store(folder: folder.url)
    var seen: [[StoredStatement]] = []
    _ = try Recorder.run(
      SessionDocument("x = 1\ny = x + 1;\nprint(\"a\\n\")\n", name: "a.evk"),
      with: sitting.interpreter, version: "0.1", journal: sitting.journal
    ) { _ in seen.append(try reader.statements(of: sitting.journal.session ?? 0)) }
    #expect(seen.map(\.count) == [1, 2, 3])
    #expect(seen[0][0].outputs?.first?.hasPrefix("x: 1 ") == true)
    #expect(seen[1][1].text == "y = x + 1;")
    #expect(seen[1][1].outputs == [])
    #expect(seen[2][2].outputs == ["a", ""])
  }

  @Test func aStatementIsNotedBeforeItRuns() throws {
    let folder = try TemporaryFolder()
    let sitting = try Sitting(folder.url)
    sitting.journal.begin("x = 1", isSilenced: true)
    let statements = try Store(folder: folder.url).statements(of: sitting.journal.session ?? 0)
    #expect(statements.map(\.text) == ["x = 1;"])
    #expect(statements[0].outputs == nil)
    sitting.journal.cut(to: 0)
    #expect(try sitting.store.statements(of: sitting.journal.session ?? 0).isEmpty)
  }

  @Test func whatIsShownAsTextReplays() throws {
    let folder = try TemporaryFolder()
    let sitting = try Sitting(folder.url)
    try sitting.run("seed(4)\nx = normal([2])\nprint(\"a\")\nfor i in 0..<2 { print(i) }\n")
    let text = try sitting.store.text(of: sitting.journal.session ?? 0)
    #expect(text.hasPrefix("#! evoke 0.1   seed 0\n"))
    #expect(try replay(text).verdict == .exact)
  }

  @Test func listsWhatWasCutOff() throws {
    let folder = try TemporaryFolder()
    let sitting = try Sitting(folder.url)
    try sitting.run("x = 1\ny = 2\n")
    let id = try #require(sitting.journal.session)
    #expect(try sitting.store.session(id).isRunning)
    #expect(try sitting.store.interrupted(.prompt, folder: "/f") == nil)
    try Self.kill(id, sitting.store)
    let found = try #require(try sitting.store.interrupted(.prompt, folder: "/f"))
    #expect(found.id == id)
    #expect(found.count == 2)
    #expect(found.last == "y = 2")
    #expect(try sitting.store.interrupted(.prompt, folder: "/elsewhere") == nil)
    #expect(try sitting.store.interrupted(.run, folder: "/f") == nil)
    sitting.journal.close()
    #expect(try sitting.store.interrupted(.prompt, folder: "/f") == nil)
    #expect(throws: EvokeError.self) { try sitting.store.session(id + 1) }
  }

  /// Makes a session look as if its process had been killed.
  static func kill(_ id: Int, _ store: Store) throws {
    try store.write { db in
      try db.execute(
        sql: "UPDATE session SET processStart = 'gone' WHERE id = ?", arguments: [id])
    }
  }

  @Test func aLaterProcessOfTheSameNumberIsAnother() {
    #expect(ProcessIdentity.own.isAlive)
    #expect(!ProcessIdentity(number: ProcessIdentity.own.number, start: "1").isAlive)
    #expect(!ProcessIdentity(number: Int32.max, start: "").isAlive)
  }

  @Test func twoSessionsShareAStore() async throws {
    let folder = try TemporaryFolder()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          let sitting = try Sitting(folder.url)
          try sitting.run((0..<25).map { "x\($0) = slow(\($0))\n" }.joined())
          #expect(sitting.trouble.messages.isEmpty)
        }
      }
      try await group.waitForAll()
    }
    let store = try Store(folder: folder.url)
    #expect(try store.sessions().map(\.count) == [25, 25, 25, 25])
    #expect(try store.size().calls == 25)
  }
}

@Suite struct StoreTroubleTests {
  @Test func saysThatAStoreIsDamaged() throws {
    let folder = try TemporaryFolder()
    try Data(repeating: 7, count: 5000).write(to: folder.url.appendingPathComponent("store.sqlite"))
    let error = #expect(throws: EvokeError.self) { try Store(folder: folder.url) }
    #expect(error?.message.contains("is damaged") == true)
  }

  @Test func saysThatAFolderCannotBeMade() throws {
    let error = #expect(throws: EvokeError.self) {
      try Store(folder: URL(fileURLWithPath: "/dev/null/evoke"))
    }
    #expect(error?.message.contains("cannot be made") == true)
  }

  @Test func leavesAStoreOfALaterVersionAlone() throws {
    let folder = try TemporaryFolder()
    try Store(folder: folder.url).write { try $0.execute(sql: "PRAGMA user_version = 99") }
    let error = #expect(throws: EvokeError.self) { try Store(folder: folder.url) }
    #expect(error?.message.contains("later version") == true)
  }

  @Test func goesOnWithoutAFullStore() throws {
    let folder = try TemporaryFolder()
    let sitting = try Sitting(folder.url)
    try sitting.store.write { db in
      let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
      try db.execute(sql: "PRAGMA max_page_count = \(pages + 2)")
    }
    let text = String(repeating: "a", count: 20_000)
    let recording = try sitting.run("x = 1\ny = slow(\"\(text)\")\nz = x + 1\nw = slow(2)\n")
    #expect(recording.results.count == 4)
    #expect(recording.failure == nil)
    #expect(sitting.trouble.messages.contains { $0.contains("the disk is full") })
    #expect(sitting.trouble.messages.count <= 2)
  }

  @Test func goesOnWhenTheStoreIsDamagedMeanwhile() throws {
    let folder = try TemporaryFolder()
    let sitting = try Sitting(folder.url)
    try sitting.run("x = 1\n")
    try sitting.store.write { try $0.execute(sql: "DROP TABLE statement") }
    #expect(try sitting.run("y = 2\n").failure == nil)
    #expect(sitting.trouble.messages.count == 1)
  }
}

@Suite struct UpkeepTests {
  @Test func deletesSessionsWithTheirValues() throws {
    let folder = try TemporaryFolder()
    let (a, b) = (try Sitting(folder.url), try Sitting(folder.url))
    try a.run("x = slow([1, 2])\n")
    try b.run("y = slow([3])\n")
    #expect(try a.store.size().calls == 2)
    let ids = [try #require(a.journal.session), try #require(b.journal.session)]
    #expect(throws: EvokeError.self) { try a.store.delete([ids[0]]) }
    for id in ids { try JournalTests.kill(id, a.store) }
    try a.store.delete([ids[0]])
    #expect(try a.store.sessions().map(\.id) == [ids[1]])
    #expect(try a.store.size().calls == 1)
    try a.store.delete([ids[1]])
    #expect(try a.store.size().values == 0)
    #expect(throws: EvokeError.self) { try a.store.delete([ids[1]]) }
  }

  @Test func compactGivesRoomBack() throws {
    let folder = try TemporaryFolder()
    let sitting = try Sitting(folder.url)
    try sitting.run("x = slow(zeros([300, 300]))\n")
    let before = try sitting.store.size().files
    let id = try #require(sitting.journal.session)
    try JournalTests.kill(id, sitting.store)
    try sitting.store.delete([id])
    try sitting.store.compact()
    #expect(try sitting.store.size().files < before - 300_000)
  }

  @Test func trimsWhatWasUsedLongestAgo() throws {
    let folder = try TemporaryFolder()
    let sitting = try Sitting(folder.url)
    let (short, long) = (String(repeating: "a", count: 100), String(repeating: "b", count: 300))
    try sitting.run("x = slow(\"\(short)\")\ny = slow(\"\(long)\")\n")
    try sitting.store.write { db in
      try db.execute(
        sql: "UPDATE call SET used = (SELECT size FROM value WHERE digest = call.value)")
    }
    try sitting.store.trim(to: 350)
    #expect(try sitting.store.size().calls == 1)
    #expect((300..<350).contains(try sitting.store.size().values))
  }
}

@Suite struct DamageTests {
  /// Whatever the file holds: sessions run, and give what they give without it.
  @Test func anyDamageIsSurvived() throws {
    let source = "x = slow([1, 2])\ny = draw()\nk = walk(kept(0), steps: 3)\n"
    let folder = try TemporaryFolder()
    let digests = try Sitting(folder.url).run(source).results.map { $0.echo?.digest }
    let file = folder.url.appendingPathComponent("store.sqlite")
    // Everything into the one file.
    try Store(folder: folder.url).compact()
    let whole = try Data(contentsOf: file)
    var random = Philox(seed: 3)
    for turn in 0..<60 {
      let other = try TemporaryFolder()
      var damaged = whole
      for _ in 0..<(turn % 3 == 0 ? 1 : 40) {
        let place = Int(random.nextUInt64() % UInt64(damaged.count - 100)) + 100
        damaged[place] = UInt8(truncatingIfNeeded: random.nextUInt64())
      }
      if turn % 5 == 0 { damaged = damaged.prefix(damaged.count * (turn % 4 + 1) / 5) }
      try damaged.write(to: other.url.appendingPathComponent("store.sqlite"))
      guard let sitting = try? Sitting(other.url, recalls: true) else { continue }
      let recording = try sitting.run(source)
      #expect(recording.results.map { $0.echo?.digest } == digests)
      if let session = try? sitting.store.sessions().first {
        _ = try? sitting.store.text(of: session.id)
        _ = try? sitting.store.delete([session.id])
      }
      _ = try? sitting.store.trim(to: 10)
    }
  }
}
