import Foundation
import Inversion
import Language
import Pictures
import Tensors
import Testing

@testable import Workbench

@Suite struct AnimateTests {
  private static let search = """
    m = model("demo")
    photos = images("PHOTOS")
    space = subspace(m, dim: 3, around: word(m, "star"))
    loss = denoising(m, photos, draws: 2, heldout_draws: 2)
    es = evolve(cma(space, population: 4), loss, generations: 2, check: 1)
    es = evolve(es, loss, generations: 3, check: 1)

    """

  private func value<V: Object>(_ name: String, _ outcome: Script.Outcome) throws -> V {
    guard case .object(let object as V) = outcome[name] else {
      throw EvokeError(.type, "\(name) is no \(V.typeName)")
    }
    return object
  }

  @Test("A search is retraced from its losses to the last bit, without the model")
  func retracing() throws {
    let outcome = try Script().run(Self.search)
    let run = (try value("es", outcome) as SearchValue).run
    let generations = try run.retraced()
    #expect(generations.map(\.generation) == [1, 2, 3, 4, 5])
    #expect(try run.meanEmbedding(after: 5) == run.meanEmbedding)
    #expect(try run.meanEmbedding(after: 0).values == run.subspace.origin)
    #expect(try run.meanEmbedding(after: 2) != run.meanEmbedding(after: 3))
    for (seen, report) in zip(generations, run.history) {
      #expect(seen.losses.min() == report.best)
      #expect(seen.candidates.count == 4)
    }
  }

  @Test("The population's view keeps distances and puts the answer on the first axis")
  func view() throws {
    let outcome = try Script().run(Self.search)
    let run = (try value("es", outcome) as SearchValue).run
    let generations = try run.retraced()
    let view = SearchView(generations, towards: run.search.mean)
    let start = view.place(generations[0].mean)
    let answer = view.place(run.search.mean)
    let length = zip(run.search.mean, generations[0].mean).reduce(0) {
      $0 + ($1.0 - $1.1) * ($1.0 - $1.1)
    }.squareRoot()
    #expect(start == (0, 0))
    #expect(abs(answer.x - length) < 1e-12 * length)
    #expect(abs(answer.y) < 1e-12 * length)
    // The first generation's covariance is σ² I, from whatever side.
    let seen = view.covariance(generations[0].covariance)
    #expect(abs(seen.xx - 1) < 1e-12 && abs(seen.yy - 1) < 1e-12 && abs(seen.xy) < 1e-12)
  }

  @Test("Populations move and stand still; films draw what the word was; both are written")
  func moving() throws {
    let script = try Script()
    let outcome = try script.run(
      Self.search + """
        moving = animate(es)
        again = animate(es)
        drawn = film(m, es, "a <w>", word: "<w>", every: 3, count: 2, seed: 1, steps: 1)
        last = generate(m, "a <w>", with: token("<w>", es.mean), count: 2, seed: 1, steps: 1)
        turns = animate(photos, captions: ["one"])
        chart = plot(es, as: .population)
        write(moving, to: "moving.png")
        """)
    let moving: AnimationValue = try value("moving", outcome)
    #expect(moving.labels.count == 5)
    #expect(moving.labels[0].hasPrefix("generation 1 of 5 · best "))
    #expect(outcome.digest("moving") == outcome.digest("again"))
    guard case .steps(let steps) = try #require(moving.depictions().first) else {
      Issue.record("an animation is no steps")
      return
    }
    for step in 0..<5 { #expect(steps.svg.contains("data-step=\"\(step)\"")) }
    #expect(!steps.svg.contains("data-step=\"5\""))
    // Axes and labels are there once.
    #expect(steps.svg.components(separatedBy: "from the start towards the answer").count == 2)

    let drawn: AnimationValue = try value("drawn", outcome)
    #expect(drawn.labels == ["start", "generation 3", "generation 5"])
    // The last frame is what the final mean draws.
    let last: ImagesValue = try value("last", outcome)
    let sheet = try ContactSheet(title: "generation 5", rows: [.init(pictures: last.pictures)])
      .rendered()
    #expect(drawn.animation.frames.last == sheet)

    let turns: AnimationValue = try value("turns", outcome)
    #expect(turns.labels.first == "one")
    let file = try Data(contentsOf: script.folder.appendingPathComponent("moving.png"))
    #expect(file.range(of: Data("acTL".utf8)) != nil)
  }

  @Test("What cannot move says why")
  func mistakes() throws {
    let script = try Script()
    #expect(
      script.failure("m = model(\"demo\")\nanimate(cma(subspace(m, dim: 2)))")
        .contains("no generations to look at yet"))
    #expect(
      script.failure(Self.search + "film(m, es, \"a star\")").contains("does not contain the word"))
    #expect(script.failure("animate([])").contains("no pictures"))
  }

  @Test("The token table can be plotted")
  func tokenTable() throws {
    let outcome = try Script().run(
      "m = model(\"demo\")\nchart = plot(m)\nall = plot(m.token_table, as: .histogram)")
    let chart: PlotValue = try value("chart", outcome)
    #expect(chart.svg.contains("aria-label=\"length of a token\""))
  }
}
