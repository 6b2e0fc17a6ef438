import Foundation
import Tensors
import Testing

@testable import Language

/// Random programs, the same every time: whatever is thrown at it, the language answers with
/// results or errors, within its limits.
@Suite struct FuzzTests {
  private static let fragments = [
    "x", "y", "f", "ans", "=", "==", "+", "-", "*", "/", "//", "%", "@", "^", "(", ")", "[", "]",
    "{", "}", ",", ":", ";", ".", "..<", "...", "=>", "?", "\n", "\n", " ", " ", "1", "0", "2.5",
    "9223372036854775807", "-1", "\"a\"", "\"\\(x)\"", "\"\\(", "\"", "\\", "#", "for x in ",
    "while ", "if ", "else ", "func f(a, b: 2) {", "return ", "break", "continue", "true", "false",
    "none", "and ", "or ", "not ", "in ", "[1, 2, 3]", "{a: 1}", "0..<3", "zeros([2, 2])",
    "tensor(0..<6)", "map(", "sum(", "max(", "count(", "point(1)", ".x", ".count", ".sorted()",
    "x => x", "(a, b) => a", "unit: .foot", "scale: 3", "pack(3)", "repeated(x, 100)", "string(x)",
    "reshape(x, [2, -1])", "x = ", "y = ", "x = [x, x]\n", "x = x + x\n", "é", "\u{0}", "“",
    "normal([2])", "seed(1)\n", "print(x)\n", "[0, ...]", "[-1]", "x[1..<2]", "f(f)", "digest(x)",
    "x == x", "axis: 0", "shuffled(x)", "split(\"a b\")", "join(x, y)", "reduce(x, f)",
  ]

  /// `EVOKE_FUZZ=5` runs five times as many programs as usual: 100,000.
  private static let scale =
    ProcessInfo.processInfo.environment["EVOKE_FUZZ"].flatMap(Int.init) ?? 1

  private static let limits = Limits(
    steps: 2000, callDepth: 50, depth: 32, elements: 500, stringBytes: 2000, tensorElements: 2000)

  private func program(_ random: inout Philox) -> String {
    let count = 1 + random.integer(below: 40)
    return (0..<count).map { _ in
      let spaced = random.integer(below: 3) == 0
      return Self.fragments[random.integer(below: Self.fragments.count)] + (spaced ? " " : "")
    }.joined()
  }

  /// A known script with bytes changed, removed, doubled or swapped with another's.
  private func mutated(_ script: [UInt8], _ other: [UInt8], _ random: inout Philox) -> String {
    var bytes = script
    for _ in 0...random.integer(below: 4) where !bytes.isEmpty {
      let place = random.integer(below: bytes.count)
      switch random.integer(below: 5) {
      case 0: bytes.remove(at: place)
      case 1: bytes.insert(bytes[place], at: place)
      case 2: bytes[place] = UInt8(random.integer(below: 256))
      case 3: bytes.removeSubrange(place..<min(bytes.count, place + random.integer(below: 20)))
      default:
        let start = random.integer(below: max(1, other.count))
        bytes.insert(contentsOf: other[start..<min(other.count, start + 15)], at: place)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func feed(_ source: String) {
    let interpreter = Interpreter(registry: testRegistry, limits: Self.limits)
    do {
      let program = try interpreter.prepare(source, name: "fuzz")
      try interpreter.run(program) { result in
        #expect(result.lines.lowerBound <= result.lines.upperBound)
      }
    } catch let diagnostics as Diagnostics {
      #expect(!diagnostics.all.isEmpty, "\(source)")
      for diagnostic in diagnostics.all { check(diagnostic, source) }
    } catch let diagnostic as Diagnostic {
      check(diagnostic, source)
    } catch {
      Issue.record("unforeseen \(error) from \(source)")
    }
    _ = Completeness.of(source)
  }

  private func check(_ diagnostic: Diagnostic, _ source: String) {
    #expect(diagnostic.line >= 1 && diagnostic.column >= 1 && diagnostic.length >= 1, "\(source)")
    #expect(!diagnostic.error.message.isEmpty)
    _ = diagnostic.rendered()
  }

  @Test(arguments: 0..<20) func randomProgramsNeverCrash(_ part: Int) {
    var random = Philox(seed: UInt64(part), stream: "fuzz")
    for _ in 0..<300 * Self.scale { feed(program(&random)) }
  }

  @Test(arguments: 0..<20) func damagedScriptsNeverCrash(_ part: Int) {
    let scripts = CaseTests.cases.map { Array($0.lines.joined(separator: "\n").utf8) }
    var random = Philox(seed: UInt64(part), stream: "damage")
    for _ in 0..<700 * Self.scale {
      let script = scripts[random.integer(below: scripts.count)]
      let other = scripts[random.integer(below: scripts.count)]
      feed(mutated(script, other, &random))
    }
  }

  /// What the fuzzer (scripts/fuzz) found once.
  @Test func foundInputsNeverCrash() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Fuzz/Seeds").standardizedFileURL
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(!names.isEmpty)
    for name in names {
      let bytes = try Data(contentsOf: folder.appendingPathComponent(name))
      feed(String(decoding: bytes, as: UTF8.self))
    }
  }

  @Test(arguments: [
    String(repeating: "(", count: 100_000), String(repeating: "[", count: 100_000),
    String(repeating: "-", count: 100_000) + "1",
    "x = " + String(repeating: "not ", count: 100_000),
    String(repeating: "{a: ", count: 50_000), String(repeating: "if true {", count: 50_000),
    "x = 1" + String(repeating: " + 1", count: 100_000),
    "x = 1" + String(repeating: ".f", count: 100_000),
    "x = 1" + String(repeating: "()", count: 100_000),
    "x = 1" + String(repeating: "[0]", count: 100_000),
    "x = 2" + String(repeating: " ^ 2", count: 100_000),
    "x = " + String(repeating: "true ? 1 : ", count: 50_000) + "2",
    "x = " + String(repeating: "a => ", count: 100_000) + "1",
    String(repeating: "\"\\(", count: 50_000),
    String(repeating: "func f() {", count: 50_000),
    "if true { }" + String(repeating: " else if true { }", count: 20_000),
    String(repeating: "x = func () { return 1 + ", count: 5_000),
    "x = [" + String(repeating: "1, ", count: 100_000) + "]",
    String(repeating: "}", count: 10_000), String(repeating: "\u{301}", count: 10_000),
  ])
  func deepNestingIsAnError(_ source: String) { feed(source) }
}
