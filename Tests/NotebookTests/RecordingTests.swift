import Language
import Tensors
import Testing

@testable import Notebook

@Suite struct RecordingTests {
  @Test func putsOutputsBehindStatements() throws {
    let text = try session(
      """
      # a comment
      seed(7)
      m = model("demo")
      x = 1 + 1   # two
      print("hello")
      y = [
        1,
        2,
      ]
      z = 3;

      """)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines[0] == "#! evoke 0.1   seed 0   precision float32   model demo sha256:4")
    #expect(lines[1] == "#! isa avx2")
    #expect(lines[2...4] == ["# a comment", "seed(7)", "m = model(\"demo\")"])
    #expect(lines[5].hasPrefix("#> m: {model: \"demo\"}  "))
    #expect(lines[6] == "x = 1 + 1   # two")
    #expect(RecordedLine(String(lines[7].dropFirst(3))).text == "x: 2")
    #expect(RecordedLine(String(lines[7].dropFirst(3))).digest?.count == 8)
    #expect(lines[8...9] == ["print(\"hello\")", "#> hello"])
    #expect(lines[13] == "]")
    #expect(lines[14].hasPrefix("#> y: [1, 2]  "))
    #expect(lines[15...] == ["z = 3;", ""])
  }

  @Test func recordsAgainWithoutPilingUp() throws {
    let once = try session("x = 1\ny = 2; z = 3\nprint(\"a\"); print(\"b\")\n")
    let twice = try session(once)
    #expect(once == twice)
    #expect(once.contains("print(\"a\"); print(\"b\")\n#> a\n#> b"))
  }

  @Test func keepsTheSeedItBeganWith() throws {
    let text = try session("x = normal([2])\n", seed: 5)
    #expect(text.hasPrefix("#! evoke 0.1   seed 5   "))
    #expect(try replay(text).verdict == .exact)
  }

  @Test func appliesOverrides() throws {
    let interpreter = Interpreter(registry: registry())
    let recording = try Recorder.run(
      SessionDocument("n = 1\nm = n + 1\n", name: "a.evk"), with: interpreter, version: "0.1",
      overrides: [(name: "n", value: "41")])
    #expect(recording.text.contains("n = 41\n#> n: 41"))
    #expect(recording.text.contains("#> m: 42"))
  }

  @Test func keepsWhatFinishedBeforeAFailure() throws {
    let text = try session("a = 1\nb = a / 0\nc = 3\n")
    #expect(text.contains("a = 1\n#> a: 1"))
    #expect(text.contains("# stopped at line 2: division by zero"))
    #expect(!text.contains("c = 3"))
    #expect(try replay(text).verdict == .exact)
  }

  @Test func recordsAnInterruptedStatementAsTheShorterOne() throws {
    let host = TestHost(stopsAfter: 3)
    let text = try session("a = 1\nb = evolve(a)\nc = 3\n", host: host)
    #expect(text.contains("b = evolve(a, generations: 3)\n#> b: 4"))
    #expect(!text.contains("c = 3"))
    #expect(try replay(text).verdict == .exact)
  }

  @Test func replacesTheArgumentOfAnInterruptedStatement() throws {
    let text = try session(
      "b = evolve(\n  1,\n  generations: 2 * 4)\n", host: TestHost(stopsAfter: 2))
    #expect(text.contains("b = evolve(\n  1,\n  generations: 2)\n#> b: 3"))
    #expect(try replay(text).verdict == .exact)
  }

  @Test func anInterruptedLoopLeavesNothing() throws {
    let text = try session(
      "a = 1\nfor i in 0..<9 { a = evolve(a) }\n", host: TestHost(stopsAfter: 13))
    #expect(text.contains("a = 1\n#> a: 1"))
    #expect(!text.contains("for"))
  }

  @Test func interruptedInsideAFunctionLeavesNothing() throws {
    let text = try session(
      "func f() { return evolve(1) }\nx = f()\n", host: TestHost(stopsAfter: 2))
    #expect(!text.contains("x = f()"))
  }

  @Test func tellsTheCallerOfEveryResult() throws {
    var names: [String?] = []
    let interpreter = Interpreter(registry: registry())
    let recording = try Recorder.run(
      SessionDocument("a = 1\nprint(2)\n3\n", name: "a.evk"), with: interpreter, version: "0.1"
    ) { names.append($0.name) }
    #expect(names == ["a", nil, "ans"])
    #expect(recording.results.count == 3)
    #expect(recording.failure == nil)
  }

  @Test func whatWasTypedReplays() throws {
    let interpreter = Interpreter(registry: registry())
    var results: [StatementResult] = []
    for line in ["seed(4)", "x = normal([2])", "y = 1;", "print(\"a\")\nprint()", "[\n  y]"] {
      try interpreter.run(try interpreter.prepare(line, name: "input")) { results.append($0) }
    }
    let header = SessionHeader(
      version: "0.1", seed: 0, environment: environment, fingerprint: interpreter.fingerprint)
    let text = TypedSession(results, header: header).text
    #expect(text.contains("\ny = 1;\nprint(\"a\")\n#> a\nprint()\n#>\n[\n  y]\n#> ans: [1]"))
    #expect(try replay(text).verdict == .exact)
  }

  @Test func refusesWhatCannotRun() {
    #expect(throws: Diagnostics.self) { try session("x = nope\n") }
  }

  @Test func keepsEmptyPrintedLines() throws {
    let text = try session("print()\nprint(\"a  \")\nx = 1\n")
    #expect(text.contains("print()\n#>\nprint(\"a  \")\n#> a\n"))
    #expect(try replay(text).verdict == .exact)
  }
}

@Suite struct NotebookTests {
  static let notebook = """
    # A lesson

    First we count.

    ```evoke
    x = 1 + 1
    y = x * 2
    ```

    Then we draw.

    ```evoke
    normal([2])
    ```

    ```python
    x = not evoke
    ```

    """

  @Test func runsItsFencesOnly() throws {
    let text = try session(Self.notebook, name: "lesson.md")
    #expect(
      text.hasPrefix(
        "<!-- #! evoke 0.1   seed 0   precision float32 -->\n<!-- #! isa avx2 -->\n# A"))
    #expect(text.contains("y = x * 2\n```\n```output\nx: 2  "))
    #expect(text.contains("\nans: tensor 2 ["))
    #expect(text.contains("```python\nx = not evoke\n```"))
    #expect(try session(text, name: "lesson.md") == text)
    #expect(try replay(text, name: "lesson.md").verdict == .exact)
  }

  @Test func errorsNameTheLineOfTheFile() throws {
    do {
      _ = try session("# title\n\n```evoke\nx = nope\n```\n", name: "lesson.md")
      Issue.record("no error")
    } catch let diagnostics as Diagnostics {
      #expect(diagnostics.all.first?.line == 4)
    }
  }

  @Test func aChangedOutputIsFound() throws {
    let text = try session(Self.notebook, name: "lesson.md")
    let changed = text.replacing("y: 4", with: "y: 5")
    let report = try replay(changed, name: "lesson.md")
    #expect(report.verdict == .differs)
    #expect(report.divergence?.source == "y = x * 2")
    #expect(report.divergence?.line == 9)
  }

  @Test func keepsItsTextWhenAStatementFails() throws {
    let text = try session("```evoke\nx = 1\ny = x / 0\n```\n\nMore prose.\n", name: "a.md")
    #expect(text.contains("```output\nx: 1  "))
    #expect(text.hasSuffix("More prose.\n"))
  }

  @Test func appliesOverrides() throws {
    let recording = try Recorder.run(
      SessionDocument("Prose\n```evoke\nn = 1\n```\n", name: "a.md"),
      with: Interpreter(registry: registry()), version: "0.1",
      overrides: [(name: "n", value: "2")])
    #expect(recording.text.contains("Prose\n```evoke\nn = 2\n```\n```output\nn: 2"))
  }

  @Test func aFenceThatDoesNotEndIsNotRun() throws {
    let text = try session("```evoke\nx = 1\n", name: "a.md")
    #expect(text.hasSuffix("```evoke\nx = 1\n"))
  }
}
