import Foundation
import Tensors
import Testing

@testable import Language

/// One small script with its expectations; see `Cases/README.md`.
struct Case: CustomTestStringConvertible, Sendable {
  let file: String
  let title: String
  /// The lines behind the title, expectations included: they are comments.
  let lines: [String]

  var testDescription: String { "\(file): \(title)" }

  /// What running the script shows, as lines of expectations by the script line they stand behind.
  func observed() -> [(line: Int, text: String)] {
    let lines = lines.filter { !Case.isExpectation($0) }
    let source = lines.joined(separator: "\n") + "\n"
    let interpreter = Interpreter(registry: testRegistry, limits: .small)
    var seen: [(line: Int, text: String)] = []
    func error(_ diagnostic: Diagnostic) {
      let place = "\(diagnostic.line):\(diagnostic.column)"
      seen.append((diagnostic.line, "#error \(place) \(diagnostic.error.message)"))
      if let hint = diagnostic.error.hint { seen.append((diagnostic.line, "#hint \(hint)")) }
    }
    do {
      let program = try interpreter.prepare(source, name: file)
      try interpreter.run(program) { result in
        let shown = result.printed + (result.echo.map { [$0.text] } ?? [])
        for line in shown { seen.append((result.lines.upperBound, "#> \(line)")) }
      }
    } catch let diagnostics as Diagnostics {
      diagnostics.all.forEach(error)
    } catch let diagnostic as Diagnostic {
      error(diagnostic)
    } catch {
      seen.append((lines.count, "#unforeseen \(error)"))
    }
    return seen
  }

  static func isExpectation(_ line: String) -> Bool {
    line.hasPrefix("#> ") || line.hasPrefix("#error ") || line.hasPrefix("#hint ")
  }

  static func load() -> [Case] {
    guard let folder = Bundle.module.url(forResource: "Cases", withExtension: nil),
      let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    else { return [] }
    return names.filter { $0.hasSuffix(".evk") }.sorted().flatMap { name -> [Case] in
      let text =
        (try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)) ?? ""
      return parse(text, file: name)
    }
  }

  static func parse(_ text: String, file: String) -> [Case] {
    var cases: [Case] = []
    var title: String?
    var lines: [String] = []
    func close() {
      if let title { cases.append(Case(file: file, title: title, lines: lines)) }
    }
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line.hasPrefix("#--- ") {
        close()
        title = String(line.dropFirst(5))
        lines = []
      } else {
        lines.append(line)
      }
    }
    close()
    return cases
  }
}

extension Limits {
  /// Bounds that tests can reach quickly.
  static let small = Limits(
    steps: 200_000, callDepth: 200, depth: 64, elements: 10_000, stringBytes: 10_000,
    tensorElements: 100_000)
}

@Suite struct CaseTests {
  static let cases = Case.load()

  @Test(arguments: cases) func holds(_ script: Case) {
    let expected = script.lines.filter(Case.isExpectation)
    let observed = script.observed().map(\.text)
    #expect(observed.count == expected.count, "saw:\n\(observed.joined(separator: "\n"))")
    for (seen, wanted) in zip(observed, expected) {
      if wanted.hasPrefix("#> ") {
        #expect(seen == wanted)
      } else {
        // Messages may say more than the expectation quotes.
        let parts = wanted.split(separator: " ", maxSplits: 2).map(String.init)
        if parts[0] == "#hint" {
          #expect(seen.hasPrefix("#hint ") && seen.contains(wanted.dropFirst(6)), "saw: \(seen)")
        } else {
          #expect(seen.hasPrefix("\(parts[0]) \(parts[1]) "), "saw: \(seen)")
          #expect(parts.count < 3 || seen.contains(parts[2]), "saw: \(seen)")
        }
      }
    }
  }

  @Test func areMany() { #expect(Self.cases.count >= 400) }

  /// Rewrites the expectations in the folder that `EVOKE_RECORD_CASES` names.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["EVOKE_RECORD_CASES"] != nil))
  func record() throws {
    let folder = ProcessInfo.processInfo.environment["EVOKE_RECORD_CASES"] ?? ""
    for (file, cases) in Dictionary(grouping: Self.cases, by: \.file) {
      var text: [String] = []
      for script in cases {
        text.append("#--- \(script.title)")
        let seen = script.observed()
        for (index, line) in script.lines.filter({ !Case.isExpectation($0) }).enumerated() {
          text.append(line)
          text += seen.filter { $0.line == index + 1 }.map(\.text)
        }
        if let last = text.last, last.isEmpty { text.removeLast() }
      }
      let url = URL(fileURLWithPath: folder).appendingPathComponent(file)
      try (text.joined(separator: "\n") + "\n").write(to: url, atomically: true, encoding: .utf8)
    }
  }
}
