import Evolution
import Inversion
import Language

/// `nes`, `spsa`, `randomsearch`: what CMA-ES is compared with, by forward passes as well.
extension SearchBuiltins {
  private static let population = Parameter(
    label: "population", .int, default: 20, unit: "candidates", "candidates a generation")

  /// The dimension, step size and candidates of a search.
  private static func sizes(_ arguments: Arguments) throws -> (Int, Double, Int) {
    (
      try arguments.object("space", as: SubspaceValue.self).subspace.dimension,
      try arguments.double("sigma", in: 1e-12...1e12),
      try arguments.int("population", in: 2...100_000)
    )
  }

  static let nes = Builtin(
    "nes", topic: Topic.search,
    summary: "A natural evolution strategy in a subspace, ready to evolve",
    parameters: [
      space,
      Parameter(
        label: "kind", .member, default: .member("separable"),
        choices: NaturalEvolution.Kind.allCases.map(\.rawValue) + ["openai"],
        "SNES with one deviation a coordinate, xNES with a whole matrix, or OpenAI's with a fixed one"
      ),
      Parameter(
        label: "sigma", .number, default: 1, "the first step size; the only one of `.openai`"),
      population,
      Parameter(label: "rate", .number, default: 0.1, "Adam's step size, of `.openai`"),
      noise, Shared.seed,
    ],
    returns: .object(SearchValue.typeName),
    example: "es = nes(space, kind: .separable)",
    source:
      "xNES: Glasmachers et al., GECCO 2010; SNES: Schaul et al., GECCO 2011; Salimans et al., arXiv 1703.03864"
  ) { arguments, context in
    let (dimension, sigma, population) = try sizes(arguments)
    let random = context.random(seed: try arguments.seed())
    guard let kind = NaturalEvolution.Kind(rawValue: try arguments.member("kind")) else {
      return try begun(
        .antithetic(
          AntitheticSearch(
            .openai, dimension: dimension, sigma: sigma, pairs: (population + 1) / 2,
            rate: arguments.double("rate", in: 1e-12...1e6), random: random)), arguments)
    }
    return try begun(
      .natural(
        NaturalEvolution(
          kind, dimension: dimension, sigma: sigma, population: population, random: random)),
      arguments)
  }

  static let spsa = Builtin(
    "spsa", topic: Topic.search,
    summary: "Simultaneous perturbation with antithetic pairs and Adam's scaling, ready to evolve",
    parameters: [
      space,
      Parameter(label: "sigma", .number, default: 0.3, "how far candidates are from the mean"),
      Parameter(label: "rate", .number, default: 0.1, "Adam's step size"),
      Parameter(label: "pairs", .int, default: 10, "antithetic pairs a generation"),
      Parameter(
        label: "window", .int, default: .none, unit: "generations",
        "after so many, directions that were hardly moved along are projected out; never if left out"
      ),
      Parameter(
        label: "idle", .number, default: 1e-3,
        "the share of the variance below which a direction counts as such"),
      noise, Shared.seed,
    ],
    returns: .object(SearchValue.typeName),
    example: "es = spsa(space, sigma: 0.3, rate: 0.1, pairs: 10, window: 128)",
    source: "Spall 1992; Seo et al., CVPR 2025, arXiv 2503.14868"
  ) { arguments, context in
    let dimension = try arguments.object("space", as: SubspaceValue.self).subspace.dimension
    return try begun(
      .antithetic(
        AntitheticSearch(
          dimension: dimension, sigma: arguments.double("sigma", in: 1e-12...1e12),
          pairs: arguments.int("pairs", in: 1...50_000),
          rate: arguments.double("rate", in: 1e-12...1e6),
          window: arguments.ifGiven("window") { try $0.int($1, in: 2...100_000) },
          threshold: arguments.double("idle", in: 0...1),
          random: context.random(seed: arguments.seed()))), arguments)
  }

  static let randomsearch = Builtin(
    "randomsearch", topic: Topic.search,
    summary: "Random candidates, the floor under every search, ready to evolve",
    parameters: [
      space,
      Parameter(
        label: "around", .member, default: .member("start"), choices: ["start", "best"],
        "where candidates are drawn"),
      Parameter(label: "sigma", .number, default: 1, "their standard deviation"),
      population, noise, Shared.seed,
    ],
    returns: .object(SearchValue.typeName),
    example: "es = randomsearch(space, around: .best, sigma: 0.5)"
  ) { arguments, context in
    let (dimension, sigma, population) = try sizes(arguments)
    return try begun(
      .random(
        RandomSearch(
          arguments.member("around") == "start" ? .global : .local, dimension: dimension,
          sigma: sigma, population: population, random: context.random(seed: arguments.seed()))),
      arguments)
  }
}
