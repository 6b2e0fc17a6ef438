import Language
import Tensors

/// One input given to lexer, parser, checker and evaluator: whatever it is, there must be results or
/// errors, within the limits, and the same ones each time.
enum Trial {
  private static let limits = Limits(
    steps: 2000, callDepth: 50, depth: 32, elements: 500, stringBytes: 2000, tensorElements: 2000)

  static func run(_ source: String, isRepeated: Bool) {
    let seen = outcome(of: source)
    if isRepeated { require(outcome(of: source) == seen, "another outcome", source) }
    _ = Completeness.of(source)
    let parts = Highlighting.parts(of: source)
    require(parts.map(\.text).joined().utf8.elementsEqual(source.utf8), "highlighting", source)
  }

  /// What a run shows: echo lines with digests, printed lines, errors as rendered.
  private static func outcome(of source: String) -> [String] {
    var seen: [String] = []
    let interpreter = Interpreter(registry: testRegistry, limits: limits)
    func note(_ diagnostic: Diagnostic) {
      require(
        diagnostic.line >= 1 && diagnostic.column >= 1 && diagnostic.length >= 1, "place", source)
      require(!diagnostic.error.message.isEmpty, "message", source)
      seen.append(diagnostic.rendered())
    }
    do {
      let program = try interpreter.prepare(source, name: "fuzz")
      try interpreter.run(program) { result in
        require(result.lines.lowerBound <= result.lines.upperBound, "lines", source)
        if let echo = result.echo {
          require(echo.text.utf8.count < 4000 && !echo.text.contains("\n"), "echo", source)
          seen.append(echo.line())
        }
        seen += result.printed
      }
    } catch let diagnostics as Diagnostics {
      require(!diagnostics.all.isEmpty, "no diagnostic", source)
      diagnostics.all.forEach(note)
    } catch let diagnostic as Diagnostic {
      note(diagnostic)
    } catch {
      fatalError("unforeseen \(error) from \(source)")
    }
    return seen
  }

  private static func require(_ condition: Bool, _ what: String, _ source: String) {
    if !condition { fatalError("\(what): \(source.debugDescription)") }
  }
}
