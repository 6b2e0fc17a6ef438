import Foundation
import Language
import Tensors
import Testing

@testable import Notebook

@Suite struct MemoryTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Runs `first`, then `second` with what was kept; gives the second's digests and its calls.
  private func again(_ first: String, _ second: String? = nil, version: String = "1") throws
    -> (Recording, Calls)
  {
    try Sitting(folder.url).run(first)
    let later = try Sitting(folder.url, recalls: true, version: version)
    return (try later.run(second ?? first), later.calls)
  }

  private func digests(_ recording: Recording) -> [String] {
    recording.results.compactMap { $0.echo?.digest }
  }

  @Test func anUnchangedCallIsNotMadeAgain() throws {
    let source = "x = slow([1, \"a\", 2.5])\ny = draw()\nz = draw()\nk = walk(kept(1))\n"
    let plain = try Sitting(try TemporaryFolder().url).run(source)
    let (recording, calls) = try again(source)
    #expect(digests(recording) == digests(plain))
    #expect(calls[\.slow] == 0)
    #expect(calls[\.draws] == 0)
    #expect(calls[\.steps] == 0)
  }

  @Test func withoutRecallingEverythingIsMadeAgain() throws {
    try Sitting(folder.url).run("x = slow(1)\n")
    let later = try Sitting(folder.url)
    try later.run("x = slow(1)\n")
    #expect(later.calls[\.slow] == 1)
  }

  @Test func anotherArgumentIsAnotherCall() throws {
    #expect(try again("x = slow(1)\n", "x = slow(2)\n").1[\.slow] == 1)
    #expect(try again("x = slow(1)\n", "x = slow(1.0)\n").1[\.slow] == 1)
  }

  @Test func anotherVersionIsAnotherCall() throws {
    #expect(try again("x = slow(1)\n", version: "2").1[\.slow] == 1)
  }

  @Test func whatTheDigestLeavesOutCounts() throws {
    let (recording, calls) = try again(
      "x = walk(kept(1, hidden: 5), steps: 2)\n", "x = walk(kept(1, hidden: 6), steps: 2)\n")
    #expect(calls[\.steps] == 2)
    guard case .object(let value as Kept)? = recording.results.last?.value else {
      Issue.record("no value")
      return
    }
    #expect(value.hidden != 5 * 31 * 31)
  }

  @Test func anotherSeedOrNameIsAnotherDraw() throws {
    #expect(try again("x = draw()\n", "seed(1)\nx = draw()\n").1[\.draws] == 1)
    #expect(try again("x = draw()\n", "y = draw()\n").1[\.draws] == 1)
    #expect(try again("x = draw()\n", "a = 1\nx = draw()\n").1[\.draws] == 0)
  }

  @Test func drawsBehindAKnownCallAreTheSame() throws {
    let source = "f = () => draw()\nx = [draw(), draw(), f(), f()]\nx = draw()\nx = draw()\n"
    let plain = try Sitting(try TemporaryFolder().url).run(source)
    let (recording, calls) = try again("x = [draw()]\n", source)
    #expect(digests(recording) == digests(plain))
    #expect(calls[\.draws] == 5)
  }

  @Test func whatPrintsOrCallsBackIsMadeAgain() throws {
    let (recording, calls) = try again("x = talk()\ny = map([1], v => slow(v))\n")
    #expect(recording.results[0].printed == ["hello"])
    #expect(calls[\.slow] == 1)
  }

  @Test func whatIsNotStorableIsMadeAgain() throws {
    #expect(try again("x = slow(opaque())\n").1[\.slow] == 1)
    #expect(try again("x = slow(v => v)\n").1[\.slow] == 1)
  }

  @Test func aDamagedValueIsMadeAgain() throws {
    let first = try Sitting(folder.url)
    try first.run("x = slow(1)\n")
    try first.store.write { try $0.execute(sql: "UPDATE value SET bytes = x'690200000000000000'") }
    let later = try Sitting(folder.url, recalls: true)
    #expect(
      digests(try later.run("x = slow(1)\n"))
        == digests(try Sitting(folder.url).run("x = slow(1)\n")))
    #expect(later.calls[\.slow] == 1)
  }

  @Test func aLongCallGoesOnWhereItWasCutOff() throws {
    let source = "k = walk(kept(3), steps: 8)\n"
    let whole = try Sitting(try TemporaryFolder().url).run(source)
    let calls = Calls()
    calls.counts.withLock { $0.diesAt = 5 }
    #expect(try Sitting(folder.url, calls: calls).run(source).failure != nil)
    let later = try Sitting(folder.url, recalls: true)
    #expect(digests(try later.run(source)) == digests(whole))
    #expect(later.calls[\.steps] == 3)
    // The walk, which has no checkpoint any more, and what it began with.
    #expect(try later.store.size().calls == 2)
  }

  @Test func aStoppedCallIsKnownAsTheShorterOneThatItWas() throws {
    let host = TestHost(stopsAfter: 4)
    let stopped = try Sitting(folder.url, host: host).run("k = walk(kept(0), steps: 9)\n")
    #expect(stopped.text.contains("k = walk(kept(0), steps: 4)"))
    let later = try Sitting(folder.url, recalls: true)
    try later.run("k = walk(kept(0), steps: 4)\n")
    #expect(later.calls[\.steps] == 0)
    let longer = try Sitting(folder.url, recalls: true)
    try longer.run("k = walk(kept(0), steps: 9)\n")
    #expect(longer.calls[\.steps] == 5)
  }
}

@Suite struct ResumptionTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func resumed(_ id: Int, calls: Calls = Calls()) throws -> (Sitting, Resumption) {
    let sitting = try Sitting(folder.url, calls: calls, recalls: true)
    let resumption = try Resumption(
      try sitting.store.statements(of: id), in: sitting.interpreter, host: TestHost())
    return (sitting, resumption)
  }

  @Test func bringsEverythingBack() throws {
    let first = try Sitting(folder.url)
    try first.run(
      "seed(3)\nx = slow([1])\ny = draw();\nfunc f(a) { return a + 1 }\nz = f(2)\nprint(z)\n")
    let id = try #require(first.journal.session)
    let (later, resumption) = try resumed(id)
    #expect(resumption.results.count == 6)
    #expect(resumption.obstacle == nil)
    #expect(resumption.pending == nil)
    #expect(later.calls[\.slow] == 0)
    #expect(later.calls[\.draws] == 0)
    #expect(later.interpreter["y"]?.digest == first.interpreter["y"]?.digest)
    let next = "w = draw()\nz = f(x[0])\n"
    #expect(
      try later.run(next).results.map { $0.echo?.digest }
        == first.run(next).results.map { $0.echo?.digest })
  }

  @Test func goesOnWithTheStatementThatWasCutOff() throws {
    let source = "a = 1\nk = walk(kept(a), steps: 6)\n"
    let calls = Calls()
    let first = try Sitting(folder.url, calls: calls)
    try first.run("a = 1\n")
    // As if killed: noted and checkpointed, but never finished.
    first.journal.begin("k = walk(kept(a), steps: 6)", isSilenced: false)
    calls.counts.withLock { $0.diesAt = 4 }
    let program = try first.interpreter.prepare("k = walk(kept(a), steps: 6)", name: "input")
    #expect(throws: Diagnostic.self) { try first.interpreter.run(program) { _ in } }
    let (later, resumption) = try resumed(try #require(first.journal.session))
    #expect(resumption.results.count == 1)
    let pending = try #require(resumption.pending)
    later.journal.adopt(try #require(first.journal.session), count: 1)
    let digest = try later.run(pending.text).results[0].echo?.digest
    #expect(later.calls[\.steps] == 2)
    let whole = try Sitting(try TemporaryFolder().url).run(source)
    #expect(whole.results[1].echo?.digest == digest)
    let statements = try later.store.statements(of: try #require(first.journal.session))
    #expect(statements.map { $0.outputs == nil } == [false, false])
  }

  @Test func stopsAtAStatementThatGivesSomethingElse() throws {
    let first = try Sitting(folder.url)
    try first.run("a = 1\nb = 2\nc = 3\n")
    try first.store.write { db in
      try db.execute(sql: "UPDATE statement SET outputs = 'b: 7  00000000' WHERE number = 1")
    }
    let (later, resumption) = try resumed(try #require(first.journal.session))
    #expect(resumption.results.map(\.source) == ["a = 1"])
    guard case .differs(let statement, let now)? = resumption.obstacle else {
      Issue.record("no obstacle")
      return
    }
    #expect(statement.source == "b = 2")
    #expect(now.first?.hasPrefix("b: 2") == true)
    #expect(later.interpreter["b"] == nil)
  }

  @Test func stoppedByTheUserItLeavesNothing() throws {
    let first = try Sitting(folder.url)
    try first.run("x = draw()\nk = walk(kept(0), steps: 4)\n")
    let statements = try first.store.statements(of: try #require(first.journal.session))
    let sitting = try Sitting(folder.url)
    #expect(throws: Diagnostic.self) {
      try Resumption(statements, in: sitting.interpreter, host: TestHost(stopsAfter: 1))
    }
    #expect(sitting.interpreter.bindings.isEmpty)
    let again = try Resumption(statements, in: sitting.interpreter, host: TestHost())
    #expect(again.results.count == 2)
    #expect(again.obstacle == nil)
  }

  @Test func stopsAtAStatementThatFails() throws {
    let first = try Sitting(folder.url)
    try first.run("a = 1\nb = 2\n")
    try first.store.write { db in
      try db.execute(sql: "UPDATE statement SET source = 'b = nope' WHERE number = 1")
    }
    let (_, resumption) = try resumed(try #require(first.journal.session))
    guard case .fails(let statement, _)? = resumption.obstacle else {
      Issue.record("no obstacle")
      return
    }
    #expect(statement.source == "b = nope")
  }

  @Test func tellsWhetherAStatementGaveTheSame() throws {
    let first = try Sitting(folder.url)
    let recording = try first.run("a = 1\nb = 2\n")
    let statements = try first.store.statements(of: try #require(first.journal.session))
    #expect(statements[0].agrees(with: recording.results[0]) == true)
    #expect(statements[0].agrees(with: recording.results[1]) == nil)
    let changed = StoredStatement(
      source: "b = 2", isSilenced: false, outputs: ["b: 3"], isInterrupted: false)
    #expect(changed.agrees(with: recording.results[1]) == false)
  }
}
