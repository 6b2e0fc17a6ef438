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

  /// What is shown when the process is killed: early, and while the search begins. The third lives.
  private static let moments: [String?] = ["x: ", "generation 0", nil]

  @Test func aKilledRunEndsInTheSameBytes() throws {
    let reference = try Workplace()
    try reference.write(Self.statements, to: "a.evk")
    #expect(try reference.evoke(["run", "a.evk", "--save", "whole.evk"]).status == 0)
    let whole = try reference.read("whole.evk")
    let place = try Workplace()
    try place.write(Self.statements, to: "a.evk")
    var kills = 0
    for moment in Self.moments {
      let outcome = try place.evoke(
        ["run", "a.evk", "--save", "whole.evk", "--resume"], killedAt: moment)
      kills += outcome.wasKilled ? 1 : 0
      #expect(!outcome.errors.contains("warning"))
    }
    #expect(kills == 2)
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
    for moment in Self.moments {
      let rest = Self.lines[done...].joined(separator: "\n")
      let resume = kills > 0 ? ":resume\n" : ""
      let outcome = try place.evoke(
        ["prompt"], input: resume + rest + "\n:save whole.evk\n", killedAt: moment)
      guard outcome.wasKilled else { break }
      kills += 1
      done = try place.statementsInStore()
    }
    #expect(kills == 2)
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
