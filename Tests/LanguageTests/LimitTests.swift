import Tensors
import Testing

@testable import Language

/// What a script makes must not exhaust the machine, however it is made: each ends in an error.
@Suite struct LimitTests {
  private func failure(_ source: String, _ limits: Limits) throws -> EvokeError? {
    let interpreter = Interpreter(registry: testRegistry, limits: limits)
    do {
      try interpreter.run(try interpreter.prepare(source, name: "test.evk")) { _ in }
      return nil
    } catch let diagnostic as Diagnostic {
      return diagnostic.error
    } catch let diagnostics as Diagnostics {
      return diagnostics.all.first?.error
    }
  }

  private static let little = {
    var limits = Limits.standard
    limits.memoryBytes = 64 << 20
    return limits
  }()

  @Test(
    "Values that are kept in growing numbers",
    .enabled(if: Memory.held() > 0),
    arguments: [
      "r = {}\nfor i in 0..<100000 { r = with(r, string(i), zeros([100000])) }",
      "r = {}\nfor i in 0..<100000 { r = with(r, string(i), list(0..<50000)) }",
      "s = join(repeated(\"abcdefgh\", 50000))\nl = []\nfor i in 0..<100000 { l = l + [s + string(i)] }",
      "a = zeros([16000])\nb = reshape(a, [16000, 1])\nc = a * b",
      "a = zeros([16000, 1])\nc = a @ zeros([1, 16000])",
    ])
  func memory(_ source: String) throws {
    #expect(try failure(source, Self.little)?.message.contains("more memory than there is") == true)
  }

  @Test("Output without an end")
  func output() throws {
    var limits = Limits.small
    limits.steps = 10_000_000
    let error = try failure("while true { print(\"all work and no play\") }", limits)
    #expect(error?.message.contains("printed more than 40000 bytes") == true)
  }

  @Test(
    "Work that a single call hides counts as steps",
    arguments: [
      "l = repeated(s, 1000)", "l = repeated(s, 1000);\ndigest(l)",
      "l = repeated(s, 1000);\nl == repeated(s, 1000)", "l = unique(repeated(s, 1000))",
      "l = sorted(repeated(s, 1000))", "for i in 0..<1000 { c = s[i] }",
      "for i in 0..<1000 { c = s.count }", "for i in 0..<1000 { c = \"b\" in s }",
      "for i in 0..<1000 { c = sum(t) }", "for i in 0..<1000 { c = t + 1 }",
      "u = reshape(t, [500, 1000]);\nfor i in 0..<1000 { c = u @ transpose(u) }",
    ])
  func hiddenWork(_ statement: String) throws {
    var limits = Limits.standard
    limits.steps = 20_000
    let made =
      "s = join(repeated(\"a\", 100000));\ns = join(repeated(s, 10));\nt = zeros([500000]);\n"
    #expect(
      try failure(made + statement, limits)?.message.contains("more than 20000 steps") == true)
  }

  @Test("Searching takes time by the lengths alone")
  func searches() throws {
    let source = """
      s = join(repeated("ab", 10000));
      check(count(split(s, "a")) == 10001)
      check(count(replace(s, "ab", "c")) == 10000)
      check(not ("bb" in s))
      check(replace("aab", "ab", "x") == "ax")
      check(split("abababc", "ababc") == ["ab", ""])
      """
    #expect(try failure(source, .standard) == nil)
  }

  @Test("Scripts that are too long, in every way")
  func longScripts() throws {
    let numbers = (0..<3000).map(String.init)
    let fine = [
      "f = (\(numbers.map { "a" + $0 }.joined(separator: ", "))) => 1",
      "func f(\(numbers.map { "a" + $0 }.joined(separator: ", "))) { return 1 }",
      "r = {\(numbers.map { "a\($0): \($0)" }.joined(separator: ", "))}",
      numbers.map { "a\($0) = \($0);" }.joined(separator: "\n"),
    ]
    for source in fine { #expect(try failure(source, .standard) == nil) }
    let names = numbers.map { "b = nothing\($0)" }.joined(separator: "\n")
    #expect(try failure(names, .standard)?.message.contains("nothing0") == true)
    let script = SourceText(String(repeating: "1;", count: 100), name: "t")
    let (tokens, errors) = Lexer.run(script, tokenLimit: 50)
    #expect(tokens.count == 51 && errors.map(\.error.message) == ["the script is too long"])
  }

  @Test("A key or a name as long as a page is looked for without suggestions")
  func longNames() throws {
    let page = String(repeating: "a", count: 50_000)
    let error = try failure(
      "s = \"\(page)\";\nr = with({}, s + \"b\", 1);\nr[s]", .standard)
    #expect(error?.message.contains("no key") == true)
    #expect(closest(to: page, among: [page + "b"]) == nil)
  }

  @Test("An error in an endless line shows its beginning")
  func endlessLines() throws {
    let source = "x = [\(String(repeating: "1, ", count: 10_000))] + nope"
    let interpreter = Interpreter(registry: testRegistry)
    let error = #expect(throws: Diagnostics.self) { try interpreter.prepare(source, name: "t") }
    #expect((error?.rendered().count ?? 0) < 1000)
  }
}
