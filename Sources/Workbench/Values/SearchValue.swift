import Evolution
import Inversion
import Language
import Tensors

/// A search in a subspace, with everything it has seen.
public struct SearchValue: Object {
  public static let typeName = "Search"
  public static let memberNames = [
    "best", "mean", "start", "sigma", "generation", "population", "dimension", "evaluations",
    "forwards", "history", "deviations", "axes", "eigenvalues", "condition", "reasons",
    "improvement", "center", "effort",
  ]

  public let run: EvolutionRun

  public init(_ run: EvolutionRun) { self.run = run }

  private var search: AnySearch { run.search }

  /// What searches by a covariance have beside their mean and step size.
  private var strategy: CMAES? {
    switch search {
    case .cma(let search): search
    case .restarted(let search): search.current
    default: nil
    }
  }

  private var kind: String {
    switch search {
    case .cma(let search):
      search.parameters.covariance == .full ? "CMA-ES" : "separable CMA-ES"
    case .restarted(let search):
      "\(search.policy == .ipop ? "IPOP" : "BIPOP") CMA-ES (\(search.restarts) restarts)"
    case .natural(let search): search.kind == .separable ? "SNES" : "xNES"
    case .antithetic(let search): search.kind == .spsa ? "SPSA" : "OpenAI-ES"
    case .random(let search): search.kind == .global ? "random search" : "local random search"
    }
  }

  /// Variances of the coordinates in units of the step size.
  private var variances: [Double] {
    if let strategy { return strategy.variances }
    let covariance = search.covarianceMatrix
    return (0..<search.dimension).map { covariance[$0, $0] }
  }

  private var axes: [Double] {
    strategy?.axisLengths ?? variances.map { $0.squareRoot() }.sorted()
  }

  /// The largest over the smallest of the variances.
  private var spread: Double { (variances.max() ?? 1) / (variances.min() ?? 1) }

  public var summary: String { "" }

  public var echo: String {
    var text = "\(kind) \(search.dimension)-d, generation \(search.generation)"
    if let answer = run.answer {
      text += ", held-out \(Format.number(answer.loss)) (\(Format.change(-run.improvement)))"
    }
    text += ", sigma \(Format.number(search.sigma))"
    if let reason = search.stoppingReasons.first { text += ", stopped: \(reason.rawValue)" }
    if run.conclusion != nil { text += ", stopped: level" }
    return text
  }

  public func hash(into digest: inout Digest) {
    digest.doubles(search.mean)
    digest.double(search.sigma)
    digest.int(search.generation)
    digest.doubles(variances)
    digest.tensor(run.bestEmbedding)
    for report in run.history {
      digest.double(report.best)
      digest.double(report.mean)
      digest.double(report.sigma)
      digest.double(report.heldOutMean ?? 0)
      digest.double(report.heldOutBest ?? 0)
    }
  }

  public func member(_ name: String) throws -> Value? {
    switch name {
    case "best": .object(EmbeddingValue(run.bestEmbedding))
    case "mean": .object(EmbeddingValue(run.meanEmbedding))
    case "start":
      .object(EmbeddingValue(Tensor(shape: [run.subspace.ambient], values: run.subspace.origin)))
    case "sigma": .double(search.sigma)
    case "generation": .int(search.generation)
    case "population": .int(search.population)
    case "dimension": .int(search.dimension)
    case "evaluations": .int(search.evaluations)
    case "forwards": .int(run.forwardPasses)
    case "history": .list(run.history.map(Self.row))
    case "deviations": .doubles(variances.map { search.sigma * $0.squareRoot() })
    case "axes": .doubles(axes)
    case "eigenvalues": .doubles(axes.map { $0 * $0 })
    case "condition": .double(strategy?.condition ?? spread)
    case "reasons":
      .strings(search.stoppingReasons.map(\.explanation) + (run.conclusion.map { [$0] } ?? []))
    case "improvement": .double(run.improvement)
    case "center": .doubles(search.mean)
    case "effort": .double(run.noise?.effort ?? 1)
    default: nil
    }
  }

  /// A generation as a row of `table(es.history)`.
  private static func row(_ report: GenerationReport) -> Value {
    .record([
      "generation": .int(report.generation), "best": .double(report.best),
      "mean": .double(report.mean),
      "held_out": report.heldOutBest.map(Value.double) ?? .none,
      "sigma": .double(report.sigma), "forwards": .int(report.forwardPasses),
    ])
  }
}
