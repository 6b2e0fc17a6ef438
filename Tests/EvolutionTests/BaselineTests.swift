import Foundation
import Tensors
import Testing

@testable import Evolution

@Suite struct BaselineTests {
  private static let n = 6

  /// A shifted ellipsoid: the searches start at the origin.
  private static func loss(_ x: [Double]) -> Double {
    x.indices.reduce(0) { $0 + Double(1 + $1) * (x[$1] - 1) * (x[$1] - 1) }
  }

  static func searches() throws -> [(name: String, search: AnySearch, generations: Int)] {
    let random = Philox(seed: 3)
    func cma() throws -> CMAES { try CMAES(dimension: n, sigma: 1, population: 8, random: random) }
    func natural(_ kind: NaturalEvolution.Kind) throws -> AnySearch {
      .natural(try NaturalEvolution(kind, dimension: n, sigma: 1, population: 16, random: random))
    }
    func pairs(_ kind: AntitheticSearch.Kind, window: Int? = nil) throws -> AnySearch {
      .antithetic(
        try AntitheticSearch(
          kind, dimension: n, sigma: 0.1, pairs: 6, rate: 0.05, window: window, random: random))
    }
    return try [
      ("cma", .cma(cma()), 80), ("ipop", .restarted(RestartedCMAES(cma(), policy: .ipop)), 80),
      ("bipop", .restarted(RestartedCMAES(cma(), policy: .bipop)), 80),
      ("snes", natural(.separable), 150), ("xnes", natural(.exponential), 200),
      ("spsa", pairs(.spsa), 150), ("spsa, projected", pairs(.spsa, window: 20), 150),
      ("openai", pairs(.openai), 150),
      (
        "local",
        .random(
          RandomSearch(.local, dimension: n, sigma: 0.1, population: 12, random: random)), 200
      ),
    ]
  }

  @Test func allDescend() throws {
    for (name, start, generations) in try Self.searches() {
      var search = start
      for _ in 0..<generations {
        let asked = search.ask()
        try search.update(asked, losses: asked.candidates.map(Self.loss))
      }
      #expect(Self.loss(search.mean) < 0.05 * 21, "\(name): \(Self.loss(search.mean))")
      #expect(search.generation == generations && search.best != nil, "\(name)")
    }
  }

  @Test func goOnAsIfTheyHadNeverStopped() throws {
    for (name, start, _) in try Self.searches() {
      var (straight, stored) = (start, start)
      for generation in 0..<25 {
        let asked = straight.ask()
        try straight.update(asked, losses: asked.candidates.map(Self.loss))
        if generation % 10 == 5 {
          stored = try JSONDecoder().decode(AnySearch.self, from: JSONEncoder().encode(stored))
        }
        let again = stored.ask()
        #expect(again == asked, "\(name)")
        try stored.update(again, losses: again.candidates.map(Self.loss))
      }
      #expect(stored == straight, "\(name)")
      #expect(straight.restarted() == start, "\(name)")
    }
  }

  /// xNES is invariant under a change of the coordinates that its start undergoes too: on a sphere
  /// its matrix keeps determinant 1.
  @Test func theMatrixKeepsItsVolume() throws {
    var search = try NaturalEvolution(
      .exponential, dimension: 4, sigma: 1, population: 12, random: Philox(seed: 1))
    for _ in 0..<30 {
      let asked = search.ask()
      try search.update(asked, losses: asked.candidates.map { Self.loss($0) })
    }
    let values = try LinearAlgebra.singularValues(Matrix(rows: 4, columns: 4, values: search.shape))
    #expect(abs(values.values.reduce(1, *) - 1) < 1e-9)
  }

  @Test func restartsDoubleThePopulation() throws {
    var first = try CMAES(dimension: 2, sigma: 1, population: 6, random: Philox(seed: 1))
    first.criteria.maxGenerations = 3
    for policy in RestartedCMAES.Policy.allCases {
      var search = RestartedCMAES(first, policy: policy)
      var populations = [search.population]
      for _ in 0..<400 where search.restarts < 3 {
        let asked = search.ask()
        try search.update(asked, losses: asked.candidates.map { TestFunction.rastrigin($0) })
        if search.population != populations.last { populations.append(search.population) }
      }
      #expect(search.restarts >= 1 && populations.contains(12), "\(policy) \(populations)")
      #expect(search.best!.evaluation <= search.evaluations)
    }
  }

  @Test func projectionRemovesIdleDirections() {
    var trail = Trail(window: 4, threshold: 1e-3)
    for step in 0..<4 { trail.follow([Double(step), 0, 0.001 * Double(step % 2)]) }
    let projected = trail.projected([1, 2, 3])
    #expect(abs(projected[0] - 1) < 0.02 && abs(projected[1]) < 1e-12 && abs(projected[2]) < 0.02)
  }

  /// AdamW's first step is the rate along the gradient's signs, behind the decay.
  @Test func adamStepsAndSchedules() {
    var adam = AdamW(AdamSettings(rate: 0.1), start: [1, -2, 3])
    adam.descend([0.5, -0.001, 4])
    for (found, expected) in zip(adam.point, [1 * 0.999 - 0.1, -2 * 0.999 + 0.1, 3 * 0.999 - 0.1]) {
      #expect(abs(found - expected) < 2e-6)
    }
    var settings = AdamSettings(rate: 1)
    settings.schedule = .cosine
    settings.warmup = 10
    settings.horizon = 110
    let rates = [0, 5, 10, 60, 110, 500].map { settings.rate(at: $0) }
    for (found, expected) in zip(rates, [0, 0.5, 1, 0.5, 0, 0]) {
      #expect(abs(found - expected) < 1e-12)
    }
    settings = AdamSettings(rate: 1)
    settings.clip = 1
    settings.weightDecay = 0
    var clipped = AdamW(settings, start: [0, 0])
    #expect(clipped.descend([30, 40]) == 50)
  }

  @Test func noiseIsNoticed() {
    var random = Philox(seed: 1)
    let losses = (0..<12).map(Double.init)
    #expect(NoiseHandling.strength(losses, Array(losses[..<4])) <= 0)
    let shuffled = random.shuffled(losses)
    #expect(NoiseHandling.strength(losses, shuffled) > 0)
    var handling = NoiseHandling(mostEffort: 2)
    for _ in 0..<3 { handling.observe(losses, again: shuffled) }
    #expect(handling.effort == 2 && handling.strength > 0)
    handling.observe(losses, again: losses)
    #expect(handling.effort < 2)
  }

  @Test func refusals() {
    let random = Philox(seed: 1)
    #expect(throws: EvokeError.self) {
      try NaturalEvolution(dimension: 0, sigma: 1, random: random)
    }
    #expect(throws: EvokeError.self) {
      try AntitheticSearch(dimension: 2, sigma: 1, pairs: 0, rate: 1, random: random)
    }
    #expect(throws: EvokeError.self) {
      try RandomSearch(dimension: 2, sigma: -1, population: 4, random: random)
    }
  }
}
