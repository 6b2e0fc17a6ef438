import Foundation
import Synchronization
import Tensors
import Testing

@testable import Language

final class RecordingHost: ScriptHost {
  struct Seen {
    var notes: [String] = []
    var printed: [String] = []
    var shown: [String] = []
    var progress = 0
  }
  let seen = Mutex(Seen())
  let stopsAfter: Int
  init(stopsAfter: Int = .max) { self.stopsAfter = stopsAfter }
  func readURL(_ path: String) throws -> URL { URL(fileURLWithPath: "/files/\(path)") }
  func writeURL(_ path: String) throws -> URL { URL(fileURLWithPath: "/files/\(path)") }
  func progress(_ update: ProgressUpdate) { seen.withLock { $0.progress += 1 } }
  func note(_ text: String) { seen.withLock { $0.notes.append(text) } }
  func printed(_ line: String) { seen.withLock { $0.printed.append(line) } }
  func display(_ value: Value) { seen.withLock { $0.shown.append(value.description) } }
  var isCancelled: Bool { seen.withLock { $0.progress >= stopsAfter } }
}

@Suite struct InterpreterTests {
  private func run(
    _ source: String, on interpreter: Interpreter, overrides: [(name: String, value: String)] = []
  ) throws -> [StatementResult] {
    var results: [StatementResult] = []
    let program = try interpreter.prepare(source, name: "test.evk", overrides: overrides)
    try interpreter.run(program) { results.append($0) }
    return results
  }

  @Test func resultsTellEverything() throws {
    let host = RecordingHost()
    let interpreter = Interpreter(registry: testRegistry, host: host)
    let results = try run("x = 3\nprint(\"a\")\n\"b\";\nload(\"demo\")\n", on: interpreter)
    #expect(results.map(\.name) == ["x", nil, "ans", "ans"])
    #expect(results.map(\.source) == ["x = 3", "print(\"a\")", "\"b\"", "load(\"demo\")"])
    #expect(results.map(\.lines) == [1...1, 2...2, 3...3, 4...4])
    #expect(results.map(\.isSilenced) == [false, false, true, false])
    #expect(results[1].printed == ["a"])
    #expect(results[0].echo?.line(column: 20).hasPrefix("x: 3                ") == true)
    #expect(results[0].echo?.line(column: 20).count == 28)
    #expect(results[2].echo == nil)
    host.seen.withLock {
      #expect($0.printed == ["a"])
      #expect($0.notes == ["loaded demo"])
      #expect($0.shown == ["demo"])
    }
    #expect(interpreter.fingerprint.map(\.key) == ["model"])
    #expect(interpreter.bindings.map(\.name) == ["x", "ans"])
    #expect(interpreter["x"]?.description == "3")
    #expect(interpreter["nope"] == nil)
  }

  @Test func linesFollowEachOtherAsAtAPrompt() throws {
    let interpreter = Interpreter(registry: testRegistry)
    _ = try run("x = 3", on: interpreter)
    _ = try run("func f(a) { return a * x }", on: interpreter)
    #expect(try run("f(4)", on: interpreter)[0].value.description == "12")
    // A line that is refused leaves no trace.
    #expect(throws: Diagnostics.self) { try run("y = nope", on: interpreter) }
    #expect(throws: Diagnostics.self) { try run("y", on: interpreter) }
    #expect(throws: Diagnostics.self) { try run("f(1, 2)", on: interpreter) }
    #expect(throws: Diagnostics.self) { try run("point(f)", on: interpreter) }
  }

  @Test func aFailedStatementChangesNothing() throws {
    let interpreter = Interpreter(registry: testRegistry)
    _ = try run("x = 1\ny = normal([2])", on: interpreter)
    #expect(throws: Diagnostic.self) {
      try run("if true { x = 2\nz = normal([2])\nseed(9)\nx = 1 / 0 }", on: interpreter)
    }
    #expect(interpreter["x"]?.description == "1")
    #expect(interpreter["z"] == nil)
    #expect(interpreter.seed == 0)
    let other = Interpreter(registry: testRegistry)
    _ = try run("x = 1\ny = normal([2])", on: other)
    #expect(
      try run("z = normal([2])", on: interpreter)[0].echo
        == run("z = normal([2])", on: other)[0].echo)
  }

  @Test func statesCanBeGoneBackTo() throws {
    let interpreter = Interpreter(registry: testRegistry)
    _ = try run("x = 1", on: interpreter)
    let before = interpreter.state
    let first = try run("y = normal([2])", on: interpreter)[0].echo
    _ = try run("x = 2\nseed(4)", on: interpreter)
    interpreter.state = before
    #expect(interpreter["x"]?.description == "1")
    #expect(interpreter["y"] == nil)
    #expect(interpreter.seed == 0)
    #expect(interpreter.bindings.map(\.name) == ["x", "ans"])
    #expect(try run("y = normal([2])", on: interpreter)[0].echo == first)
  }

  @Test func stopsBetweenStatements() throws {
    let host = RecordingHost(stopsAfter: 0)
    let interpreter = Interpreter(registry: testRegistry, host: host)
    let error = #expect(throws: Diagnostic.self) { try run("x = 1", on: interpreter) }
    #expect(error?.error.kind == .interrupted)
    #expect(interpreter["x"] == nil)
  }

  @Test func keepsWhatAnInterruptedStatementHad() throws {
    let interpreter = Interpreter(registry: testRegistry, host: RecordingHost(stopsAfter: 4))
    var results: [StatementResult] = []
    let program = try interpreter.prepare("n = 2\nx = evolve(n)\ny = 1", name: "t")
    let error = #expect(throws: Diagnostic.self) {
      try interpreter.run(program) { results.append($0) }
    }
    #expect(error?.error.kind == .interrupted)
    #expect(results.count == 2)
    #expect(results[1].source == "x = evolve(n, generations: 4)")
    #expect(results[1].isInterrupted)
    #expect(interpreter["x"]?.description == "6")
  }

  @Test func keepsNothingThatNoTextSays() throws {
    // The draws of the last statement are keyed by its text: a shorter one would draw others.
    for (source, isKept) in [
      ("evolve(2)", true), ("x = evolve(int(normal([1]).sum()))", true),
      ("evolve(int(normal([1], seed: 1).sum()))", true), ("evolve(int(normal([1]).sum()))", false),
    ] {
      let interpreter = Interpreter(registry: testRegistry, host: RecordingHost(stopsAfter: 4))
      let program = try interpreter.prepare(source, name: "t")
      var results: [StatementResult] = []
      let error = #expect(throws: Diagnostic.self) {
        try interpreter.run(program) { results.append($0) }
      }
      #expect(error?.error.kind == .interrupted)
      #expect(results.count == (isKept ? 1 : 0), "\(source)")
      #expect(error?.error.hint?.contains("bind a name") == (isKept ? nil : true))
    }
  }

  @Test func stopsALoop() throws {
    let host = RecordingHost(stopsAfter: 1)
    let interpreter = Interpreter(registry: testRegistry, host: host)
    let program = try interpreter.prepare("while true { }", name: "t")
    host.seen.withLock { $0.progress = 0 }
    let stopper = Thread { host.seen.withLock { $0.progress = 1 } }
    stopper.start()
    let error = #expect(throws: Diagnostic.self) { try interpreter.run(program) { _ in } }
    #expect(error?.error.kind == .interrupted)
  }

  @Test(arguments: [
    ("n", "41", "n = 41"), ("n", "-0.5", "n = -0.5"), ("n", "[1, 2]", "n = [1, 2]"),
    ("n", ".pca", "n = .pca"), ("n", "0..<5", "n = 0..<5"), ("n", "true", "n = true"),
    ("n", "none", "n = none"), ("n", "my/folder", "n = \"my/folder\""),
    ("n", "\"quoted\"", "n = \"quoted\""), ("n", "say \"hi\"", "n = \"say \\\"hi\\\"\""),
    ("n", "x", "n = \"x\""), ("n", "", "n = \"\""), ("n", "1; 2", "n = \"1; 2\""),
    ("photos", "my/folder", "photos = load(\"my/folder\")"), ("photos", "3", "photos = 3"),
  ])
  func overridesReplaceRightHandSides(_ name: String, _ value: String, _ wanted: String) throws {
    let source = "# a script\nn = 1 + 2\nphotos = load(\"a\")\nn = 5\n"
    let changed = try Overrides.apply([(name: name, value: value)], to: source, name: "t")
    #expect(changed.contains("\n\(wanted)\n"))
    #expect(changed.hasSuffix("n = 5\n"))
  }

  @Test func overridesOfUnknownNamesAreRefused() {
    let error = #expect(throws: EvokeError.self) {
      try Overrides.apply([(name: "phots", value: "a")], to: "photos = 1", name: "t")
    }
    #expect(error?.hint == "did you mean `photos`?")
  }

  @Test(arguments: [
    ("x = 1", Completeness.complete), ("", .complete), ("for i in 0..<3 {", .incomplete(indent: 1)),
    ("for i in 0..<3 {\n  if i > 1 {", .incomplete(indent: 2)), ("f(1,", .incomplete(indent: 1)),
    ("x = 1 +", .incomplete(indent: 0)), ("x = [1, 2", .incomplete(indent: 1)),
    ("x = )", .invalid), ("x = \"abc", .invalid), ("if true { }\nx = 1", .complete),
    ("x = \"\\(1 + \"", .invalid), ("func f(a", .incomplete(indent: 1)),
    ("x = {a: 1,", .incomplete(indent: 1)),
    ("f(x =>", .incomplete(indent: 1)), ("}", .invalid), ("x = true ?", .incomplete(indent: 0)),
  ])
  func judgesCompleteness(_ text: String, _ wanted: Completeness) {
    #expect(Completeness.of(text) == wanted)
  }

  @Test func diagnosticsPoint() throws {
    let interpreter = Interpreter(registry: testRegistry)
    do {
      _ = try interpreter.prepare("x = 1\n\ty = pont(x)", name: "dir/a.evk")
      Issue.record("no error")
    } catch let diagnostics as Diagnostics {
      #expect(
        diagnostics.rendered() == """
          dir/a.evk:2:6: error: there is no name `pont`
            \ty = pont(x)
            \t    ^~~~
            did you mean `point`?
          """)
      #expect(diagnostics.rendered(color: true).contains("\u{1b}[1;31merror:"))
    }
  }

  @Test func errorsInFunctionsTellTheCalls() throws {
    let source = "func f(x) {\n  return 1 / x\n}\nfunc g(x) { return f(x - 1) }\ny = g(1)\n"
    let error = #expect(throws: Diagnostic.self) {
      try run(source, on: Interpreter())
    }
    #expect(
      error?.rendered() == """
        test.evk:2:12: error: division by zero
            return 1 / x
                     ^
          called from test.evk:4: f(x - 1)
          called from test.evk:5: g(1)
        """)
  }

  @Test func scriptsCanBeLookedAtWithoutRunning() throws {
    let statements = try Script.statements(of: "a = nope(1)\nshow(a)", name: "t")
    #expect(statements.map(\.name) == ["a", nil])
    #expect(throws: Diagnostics.self) { try Script.statements(of: "a = (", name: "t") }
  }

  @Test func programsListTheirStatements() throws {
    let program = try Interpreter().prepare("a = 1\n[\n1]\n", name: "t")
    #expect(program.statements.map(\.source) == ["a = 1", "[\n1]"])
    #expect(program.statements.map(\.lines) == [1...1, 2...3])
    #expect(program.statements.map(\.name) == ["a", nil])
    #expect(program.name == "t")
  }

  @Test func windowsLineEndsAreWhiteSpace() throws {
    let results = try run("x = 1\r\ny = x + 1\r\n", on: Interpreter())
    #expect(results.map(\.value.description) == ["1", "2"])
    #expect(throws: Diagnostics.self) { try run("x = nope\r\n", on: Interpreter()) }
  }
}

@Suite struct HighlightingTests {
  @Test func tellsThePartsApart() {
    let parts = Highlighting.parts(of: "# note\nes = cma(space, by: .pca, n: 3) # \"x\"\n")
    let kinds = parts.filter { $0.kind != .plain }.map { "\($0.text)|\($0.kind)" }
    #expect(
      kinds == [
        "# note|comment", "es|name", "=|symbol", "cma|name", "(|symbol", "space|name", ",|symbol",
        "by|label", ":|symbol", ".|symbol", "pca|member", ",|symbol", "n|label", ":|symbol",
        "3|number", ")|symbol", "# \"x\"|comment",
      ])
  }

  @Test(arguments: [
    "", "x", "\n\n", "x = \"a \\(1) b\"  ", "if true { }", "x = “broken” $$ #", "\"open",
    "é = 1\r\n",
  ])
  func losesNothing(_ text: String) {
    #expect(Highlighting.parts(of: text).map(\.text).joined() == text)
  }
}
