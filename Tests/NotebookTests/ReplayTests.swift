import Language
import Tensors
import Testing

@testable import Notebook

@Suite struct ReplayTests {
  static let script = """
    seed(3)
    m = model("demo")
    x = measure(0.5)
    y = normal([2]);
    y
    for i in 0..<2 { print(i) }

    """

  /// The recorded line of a name.
  private func outputLine(of name: String, in text: String) throws -> String {
    let lines = text.split(separator: "\n").map(String.init)
    return try #require(lines.first { $0.hasPrefix("#> \(name):") })
  }

  @Test func isExactWhenNothingChanged() throws {
    let report = try replay(try session(Self.script))
    #expect(report.verdict == .exact)
    #expect(report.compared == 4)
    #expect(report.verdict.exitStatus == 0)
    #expect(report.rendered().hasPrefix("exact: 4 statements"))
    #expect(report.environment.isEmpty)
  }

  @Test func insertingAnUnrelatedLineChangesNothingElse() throws {
    let text = try session(Self.script)
    let edited = text.replacing("x = measure", with: "other = normal([5]);\nx = measure")
    #expect(try replay(edited).verdict == .exact)
  }

  @Test func namesAnAlteredDigest() throws {
    let text = try session(Self.script)
    let line = try outputLine(of: "x", in: text)
    let altered = text.replacing(line, with: String(line.dropLast(8)) + "00000000")
    let report = try replay(altered)
    #expect(report.verdict == .differs)
    #expect(report.verdict.exitStatus == 4)
    #expect(report.divergence?.source == "x = measure(0.5)")
    #expect(report.rendered().contains("recorded  x: 0.5"))
    #expect(report.rendered().contains("now       x: 0.5"))
  }

  @Test func namesAnAlteredText() throws {
    let altered = try session(Self.script).replacing("#> 1", with: "#> 2")
    let report = try replay(altered)
    #expect(report.verdict == .differs)
    #expect(report.divergence?.source == "for i in 0..<2 { print(i) }")
    #expect(report.divergence?.recorded == ["0", "2"])
    #expect(report.divergence?.now == ["0", "1"])
  }

  @Test func namesAMissingOutput() throws {
    let text = try session(Self.script)
    let line = try outputLine(of: "x", in: text)
    let report = try replay(text.replacing(line + "\n", with: ""))
    #expect(report.verdict == .differs)
    #expect(report.rendered().contains("recorded  nothing"))
  }

  @Test func namesAnExtraOutput() throws {
    let text = try session(Self.script)
    let report = try replay(text.replacing("seed(3)\n", with: "seed(3)\n#> hello\n"))
    #expect(report.verdict == .differs)
    #expect(report.divergence?.line == 3)
    #expect(report.rendered().contains("now       nothing"))
  }

  @Test func namesAnotherModel() throws {
    let report = try replay(try session(Self.script), model: "other")
    #expect(report.verdict == .differs)
    #expect(report.divergence?.source == "m = model(\"demo\")")
    #expect(
      report.environment == [
        HeaderDifference(key: "model", recorded: "demo sha256:4", now: "other sha256:5")
      ])
    #expect(report.rendered().contains("model: recorded demo sha256:4, now other sha256:5"))
  }

  @Test func namesAStatementThatFailsNow() throws {
    let text = try session("a = 2\nb = 4 / a\nc = 1\n").replacing("a = 2\n", with: "a = 0;\n")
    let report = try replay(text.replacing(try Regex("#> a: .*\n"), with: ""))
    #expect(report.verdict == .differs)
    #expect(report.divergence?.source == "b = 4 / a")
    #expect(report.rendered().contains("fails: division by zero"))
  }

  @Test func driftInTheSameVersionDiffers() throws {
    let report = try replay(try session(Self.script), drift: 1e-6)
    #expect(report.verdict == .differs)
    #expect(report.divergence?.source == "x = measure(0.5)")
  }

  @Test func driftInAnotherVersionIsClose() throws {
    let report = try replay(try session(Self.script), version: "0.2", drift: 1e-6)
    #expect(report.verdict == .close)
    #expect(report.verdict.exitStatus == 3)
    #expect(abs(report.largestDeviation - 1e-6) < 1e-8)
    #expect(report.deviations.first?.line == 6)
    #expect(report.environment.first == HeaderDifference(key: "evoke", recorded: "0.1", now: "0.2"))
    #expect(
      report.rendered().hasPrefix("close: 4 statements within tolerance, largest deviation 1"))
    #expect(report.rendered().contains("evoke: recorded 0.1, now 0.2"))
  }

  @Test func tooMuchDriftInAnotherVersionDiffers() throws {
    let text = try session(Self.script)
    #expect(try replay(text, version: "0.2", drift: 0.01).verdict == .differs)
    #expect(try replay(text, version: "0.2", drift: 0.01, tolerance: 0.1).verdict == .close)
  }

  @Test func anotherVersionWithTheSameBytesIsExact() throws {
    #expect(try replay(try session(Self.script), version: "0.2").verdict == .exact)
  }

  @Test func goesOnBehindADivergenceToAccept() throws {
    let text = try session("x = measure(2)\ny = 3\n")
    let short = try replay(text, drift: 0.5)
    #expect(short.recording.results.count == 1)
    let whole = try replay(text, drift: 0.5, goesOn: true)
    #expect(whole.recording.results.count == 2)
    #expect(whole.recording.text.contains("#> x: 3.0"))
    #expect(try replay(whole.recording.text, drift: 0.5).verdict == .exact)
  }

  @Test func refusesWhatWasNeverRecorded() {
    #expect(throws: EvokeError.self) { try replay("x = 1\n") }
  }

  @Test func stopsWhenAsked() throws {
    let text = try session("a = evolve(1)\nb = 2\n")
    let host = TestHost(stopsAfter: 2)
    #expect(throws: Diagnostic.self) {
      try Replay(SessionDocument(text, name: "a.evk"), version: "0.1", environment: environment)
        .run(registry: registry(), host: host)
    }
  }

  @Test(arguments: [
    ("x: 0.5", "x: 0.5004", 1e-3, true), ("x: 0.5", "x: 0.6", 1e-3, false),
    ("x: 5", "x: 6", 1.0, false), ("x: 64×64, mean 0.1", "x: 64×64, mean 0.10001", 1e-3, true),
    ("x: 64×64", "x: 64×65", 1.0, false), ("x: a", "x: b", 1.0, false),
    ("x: 1e-09", "x: 3e-09", 1e-3, true), ("x: -0.5", "x: 0.5", 1e-3, false),
    ("x: sha1f.5", "x: sha1f.6", 1e-3, false), ("x: 1.5e+20", "x: 1.5001e+20", 1e-3, true),
    ("x: 5.", "x: 5.", 0, true), ("x: v2b", "x: v2b", 0, true), ("x: 1.0", "x: 1", 1e-3, true),
  ])
  func comparesNumbersWithinTolerance(_ a: String, _ b: String, _ tolerance: Double, _ close: Bool)
  {
    let deviation = RecordedLine(a).deviation(from: RecordedLine(b), tolerance: tolerance)
    #expect((deviation != nil) == close)
  }

  @Test func readsDigestsOffTheEndsOfLines() {
    #expect(RecordedLine("x: 2      0123abcd").digest == "0123abcd")
    #expect(RecordedLine("x: 2      0123abcd").text == "x: 2")
    #expect(RecordedLine("x: 2 0123abcd").digest == nil)
    #expect(RecordedLine("x: 2      0123ABCD").digest == nil)
    #expect(RecordedLine("").digest == nil)
  }
}

@Suite struct HeaderTests {
  @Test func roundTrips() throws {
    let header = SessionHeader(
      version: "0.1", seed: -7,
      environment: [(key: "precision", value: "float32"), (key: "backend", value: "own gemm")],
      fingerprint: [(key: "model", value: "demo sha256:1f"), (key: "model", value: "b sha256:2a")])
    let read = try #require(SessionHeader(lines: header.lines))
    #expect(read.differences(to: header).isEmpty)
    #expect(read["backend"] == "own gemm")
    #expect(header.seed == -7)
    #expect(SessionHeader(lines: ["nothing of the kind"]) == nil)
    #expect(SessionHeader(lines: []) == nil)
  }

  @Test func listsDifferences() {
    let a = SessionHeader([.init("evoke", "0.1"), .init("seed", "1")])
    let b = SessionHeader([.init("evoke", "0.1"), .init("seed", "2"), .init("isa", "avx2")])
    #expect(
      a.differences(to: b) == [
        HeaderDifference(key: "seed", recorded: "1", now: "2"),
        HeaderDifference(key: "isa", recorded: "", now: "avx2"),
      ])
  }
}

@Suite struct DiffTests {
  private func diff(_ a: String, _ b: String) throws -> SessionDiff {
    try SessionDiff(SessionDocument(a, name: "a.evk"), SessionDocument(b, name: "b.evk"))
  }

  @Test func ofTheSameSessionIsEmpty() throws {
    let text = try session("x = 1\ny = 2; z = 3\n")
    let result = try diff(text, text)
    #expect(result.isEmpty)
    #expect(result.rendered(nameA: "a", nameB: "b") == "no difference")
  }

  @Test func findsInsertedRemovedAndChanged() throws {
    let a = try session("x = measure(1)\ny = 2\nw = 4\n")
    let b = try session("x  =  measure(1)\nz = 3\nw = 4\n", drift: 0.5)
    let result = try diff(a, b)
    guard case .changed(_, let lines, let old, let new) = result.entries[0] else {
      Issue.record("the first entry is \(result.entries[0])")
      return
    }
    #expect(lines == (3, 3))
    #expect(old[0].hasPrefix("x: 1.0"))
    #expect(new[0].hasPrefix("x: 1.5"))
    let rest: [SessionDiff.Entry] = [
      .onlyA("y = 2", line: 5), .onlyB("z = 3", line: 5), .same("w = 4"),
    ]
    #expect(Array(result.entries.dropFirst()) == rest)
    let text = result.rendered(nameA: "a.evk", nameB: "b.evk")
    #expect(text.contains("~ a.evk:3 b.evk:3  x = measure(1)\n    - x: 1.0"))
    #expect(text.contains("- a.evk:5  y = 2\n+ b.evk:5  z = 3"))
  }

  @Test func namesTheEnvironment() throws {
    let a = try session("x = 1\n", seed: 1)
    let b = try session("x = 1\n", seed: 2)
    let result = try diff(a, b)
    #expect(!result.isEmpty)
    #expect(result.rendered(nameA: "a", nameB: "b") == "seed: 1 → 2")
  }

  @Test func ofWhatCannotBeParsedFails() {
    #expect(throws: Diagnostics.self) { try diff("x = (", "x = 1") }
  }
}
