import Foundation
import Testing

/// Sessions that are killed and go on; scripts/kills does the same 200 times.
@Suite(.serialized) struct KillTests {
  /// One statement a line; with the built-in model, a search that takes a while.
  static let statements = """
    seed(7)
    m = model("demo")
    start = word(m, "star")
    x = normal([4])
    photos = generate(m, "a photo of a star", steps: 2)
    loss = denoising(m, photos, draws: 1, heldout_draws: 1)
    es = cma(subspace(m, dim: 4, around: start), population: 4)
    es = evolve(es, loss, generations: 20, check: 10)
    print("evolved", es.generation)
    y = x + normal([4])
    """
  private static let lines = statements.split(separator: "\n").map(String.init)

  @Test func aKilledRunEndsInTheSameBytes() throws {
    let reference = try Workplace()
    try reference.write(Self.statements, to: "a.evk")
    #expect(try reference.evoke(["run", "a.evk", "--save", "whole.evk"]).status == 0)
    let whole = try reference.read("whole.evk")
    let place = try Workplace()
    try place.write(Self.statements, to: "a.evk")
    var kills = 0
    for delay in [0.3, 0.6, 1.0, nil] {
      let outcome = try place.evoke(
        ["run", "a.evk", "--save", "whole.evk", "--resume"], killedAfter: delay)
      kills += outcome.wasKilled ? 1 : 0
      #expect(!outcome.errors.contains("warning"))
      if !outcome.wasKilled { break }
    }
    #expect(kills > 0)
    #expect(try place.read("whole.evk") == whole)
  }

  @Test func aKilledPromptGoesOnWhereItWas() throws {
    let reference = try Workplace()
    let input = Self.statements + "\n"
    #expect(try reference.evoke(["prompt"], input: input + ":save whole.evk\n").status == 0)
    let whole = try reference.read("whole.evk")
    let place = try Workplace()
    var done = 0
    var kills = 0
    for delay in [0.4, 0.8, nil] {
      let rest = Self.lines[done...].joined(separator: "\n")
      let resume = kills > 0 ? ":resume\n" : ""
      let outcome = try place.evoke(
        ["prompt"], input: resume + rest + "\n:save whole.evk\n", killedAfter: delay)
      guard outcome.wasKilled else { break }
      kills += 1
      done = try place.statementsInStore()
    }
    #expect(kills > 0)
    #expect(try place.read("whole.evk") == whole)
  }
}

extension Workplace {
  /// The statements of the session that was cut off last, the one that was running included.
  func statementsInStore() throws -> Int {
    let listing = try evoke(["store"]).lines.dropFirst()
    guard let session = listing.first(where: { $0.contains("cut off") }) else { return 0 }
    let words = session.split(separator: " ")
    return words.indices.first { words[$0].hasPrefix("statement") }
      .flatMap { Int(words[$0 - 1]) } ?? 0
  }
}
