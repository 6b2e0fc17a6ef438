import Diffusion
import Evolution
import Inversion
import Language
import Tensors

/// `cma`, `evolve`: who searches, and the search itself.
enum SearchBuiltins {
  static let all = [cma, nes, spsa, randomsearch, evolve]

  static let space = Parameter("space", .object(SubspaceValue.typeName), "where it may go")
  static let noise = Parameter(
    label: "noise", .member, default: .member("accept"), choices: ["accept", "reevaluate"],
    "whether some candidates are judged again on other draws, and losses taken over more draws where their ranks change too much"
  )

  /// A search in the subspace given as `space`, ready to evolve.
  static func begun(_ search: AnySearch, _ arguments: Arguments) throws -> Value {
    let subspace = try arguments.object("space", as: SubspaceValue.self).subspace
    let noise = try arguments.member("noise") == "reevaluate" ? NoiseHandling() : nil
    return .object(
      SearchValue(try EvolutionRun(search: search, subspace: subspace, noise: noise)))
  }

  static let cma = Builtin(
    "cma", topic: Topic.search,
    summary: "A covariance matrix adaptation evolution strategy in a subspace, ready to evolve",
    parameters: [
      space,
      Parameter(
        label: "sigma", .number, default: 1,
        "the first step size, in the subspace's units (standard deviations for `.pca`)"),
      Parameter(
        label: "population", .int, default: 20, unit: "candidates", "candidates a generation"),
      Parameter(
        label: "covariance", .member, default: .member("full"), choices: ["full", "separable"],
        "a whole matrix, or its diagonal alone: for many dimensions and few generations"),
      Parameter(
        label: "active", .bool, default: true, "whether bad candidates are unlearnt"),
      Parameter(
        label: "bounds", .number, default: .none,
        "no coordinate leaves −bounds…bounds; unbounded if left out"),
      Parameter(
        label: "restarts", .member, default: .member("none"),
        choices: ["none"] + RestartedCMAES.Policy.allCases.map(\.rawValue),
        "what follows when the search has a reason to stop: the end, or a new one with twice the population (`.ipop`), by turns with small ones (`.bipop`)"
      ),
      noise, Shared.seed,
    ],
    returns: .object(SearchValue.typeName),
    example: "es = cma(space, sigma: 1, population: 20)",
    source:
      "Hansen, arXiv 1604.00772; separable: Ros & Hansen 2008; restarts: Auger & Hansen 2005, Hansen 2009; noise: Hansen et al. 2009"
  ) { arguments, context in
    let subspace = try arguments.object("space", as: SubspaceValue.self).subspace
    let bounds = try arguments.ifGiven("bounds") { try $0.double($1, in: 1e-9...1e9) }
    let d = subspace.dimension
    let population = try arguments.int("population", in: 2...100_000)
    // Candidates, their steps and their places in the model's space.
    try context.requireMemory(population * (2 * d + subspace.ambient) * 8)
    let search = try CMAES(
      dimension: d, sigma: arguments.double("sigma"),
      population: population,
      covariance: arguments.member("covariance") == "full" ? .full : .separable,
      bounds: bounds.map { try Bounds(dimension: d, -$0...$0) },
      active: arguments.bool("active"), random: context.random(seed: arguments.seed()))
    let policy = RestartedCMAES.Policy(rawValue: try arguments.member("restarts"))
    return try begun(
      policy.map { .restarted(RestartedCMAES(search, policy: $0)) } ?? .cma(search), arguments)
  }

  static let evolve = Builtin(
    "evolve", topic: Topic.search,
    summary: "Runs a search for some generations; the result can be evolved further",
    parameters: [
      Parameter("search", .object(SearchValue.typeName), "the search so far"),
      Shared.objective,
      Parameter(
        label: "generations", .int, default: 40, unit: "generations",
        "how many more; fewer are done if the search has a reason to stop"),
      Parameter(
        label: "check", .int, default: 10, unit: "generations",
        "between measurements on the held-out draws"),
      Shared.patience,
    ],
    returns: .object(SearchValue.typeName),
    example: "es = evolve(es, loss, generations: 40)",
    source: "Fei et al., arXiv 2304.05818, algorithm 1"
  ) { arguments, context in
    let run = try arguments.object("search", as: SearchValue.self).run
    let objective = try arguments.objective()
    let generations = try arguments.int("generations", in: 0...1_000_000)
    guard run.subspace.ambient == objective.wordSize else {
      throw arguments.error(
        "search", .shape,
        "this search moves in embeddings of \(run.subspace.ambient) numbers, the objective's have \(objective.wordSize)",
        hint: "make the subspace and the objective from the same model")
    }
    let first = run.generation
    let spent = run.forwardPasses
    context.progress(
      ProgressUpdate("evolve", completed: 0, total: generations, unit: "generation"))
    let reached = context.resumed(as: SearchValue.self)?.run ?? run
    let evolved = try reached.evolved(
      on: objective, generations: generations - (reached.generation - first),
      batch: WorkbenchSettings.batch, checkEvery: arguments.int("check", in: 1...1_000_000),
      stop: arguments.patience(),
      progress: { report in
        var detail = "best \(Format.number(report.best))"
        if let heldOut = report.heldOutBest { detail += "  held-out \(Format.number(heldOut))" }
        detail += "  sigma \(Format.number(report.sigma))"
        context.progress(
          ProgressUpdate(
            "evolve", completed: report.generation - first, total: generations, unit: "generation",
            detail: detail, work: report.forwardPasses - spent))
      }, checkpoint: context.checkCancellation,
      keep: { context.checkpoint(.object(SearchValue($0))) })
    if evolved.isInterrupted {
      context.recordInterrupted("generations", as: .int(evolved.generation - first))
    }
    return .object(SearchValue(evolved))
  }
}
