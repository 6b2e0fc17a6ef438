import Foundation
import Language
import Testing

@testable import Workbench

@Suite struct VocabularyTests {
  @Test(
    "Every builtin says what it does, with an example and a help for each parameter",
    arguments: Workbench.registry.builtins.map(\.name))
  func isDocumented(name: String) throws {
    let builtin = try #require(Workbench.registry[name])
    #expect(builtin.summary.count >= 10 && !builtin.summary.hasSuffix("."))
    #expect(builtin.example.contains(name))
    for parameter in builtin.parameters {
      #expect(parameter.help.count >= 3, "\(name): \(parameter.name)")
    }
    #expect(builtin.help().contains(builtin.summary))
  }

  @Test("The vocabulary that scripts may rely on is there")
  func isComplete() {
    let promised = [
      "model", "images", "read", "write", "seed", "tokenize", "tokens", "encode", "latents",
      "decode", "noise", "predict", "features", "schedule", "word", "attend", "caption", "classify",
      "sentence", "lpips", "subspace",
      "denoising", "similarity", "cma", "evolve", "token", "generate", "align", "show", "grid",
      "plot", "table",
      "print",
    ]
    for name in promised { #expect(Workbench.registry[name] != nil, "\(name)") }
  }

  @Test("docs/reference.md is what the declarations say")
  func referenceIsTrue() throws {
    let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../docs/reference.md").standardizedFileURL
    let expected = Workbench.registry.referencePage() + "\n"
    if ProcessInfo.processInfo.environment["EVOKE_RECORD_REFERENCE"] != nil {
      try expected.write(to: page, atomically: true, encoding: .utf8)
    }
    let text = try String(contentsOf: page, encoding: .utf8)
    #expect(text == expected, "make it anew: evoke reference > docs/reference.md")
  }

  @Test("Every domain value names the members it has")
  func membersAreKnown() throws {
    let script = try Script()
    let outcome = try script.run(
      """
      m = model("demo")
      photos = images("PHOTOS")
      start = word(m, "star")
      space = subspace(m, dim: 4, around: start)
      loss = denoising(m, photos, draws: 2, heldout_draws: 2)
      es = evolve(cma(space, population: 4), loss, generations: 2, check: 1)
      sn = evolve(nes(space, population: 4, noise: .reevaluate), loss, generations: 1)
      xn = evolve(nes(space, kind: .exponential, population: 4), loss, generations: 1)
      sp = evolve(spsa(space, pairs: 2), loss, generations: 1)
      rs = evolve(randomsearch(space, population: 4), loss, generations: 1)
      ip = cma(space, population: 4, restarts: .ipop)
      ad = descend(adam(start, batch: 2), loss, steps: 1, check: 1)
      g = sensitivity(m, photos, at: [300, 600], draws: 2)
      star = token("<x>", es.best, model: m)
      chart = plot(es)
      """)
    for (name, value) in outcome.interpreter.bindings {
      guard case .object(let object) = value else { continue }
      for member in type(of: object).memberNames {
        let found = try object.member(member)
        #expect(found.map(\.echo) != nil, "\(name).\(member)")
      }
      let none = try object.member("no such member")
      #expect(none.map(\.echo) == nil)
      #expect(!value.echo.isEmpty)
    }
  }
}
