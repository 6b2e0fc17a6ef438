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
    "improvement", "center",
  ]

  public let run: EvolutionRun

  public init(_ run: EvolutionRun) { self.run = run }

  private var search: CMAES { run.search }

  public var summary: String { "" }

  public var echo: String {
    let kind = search.parameters.covariance == .full ? "CMA-ES" : "separable CMA-ES"
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
    digest.doubles(search.variances)
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
    case "deviations": .doubles(search.variances.map { search.sigma * $0.squareRoot() })
    case "axes": .doubles(search.axisLengths)
    case "eigenvalues": .doubles(search.axisLengths.map { $0 * $0 })
    case "condition": .double(search.condition)
    case "reasons":
      .strings(search.stoppingReasons.map(\.explanation) + (run.conclusion.map { [$0] } ?? []))
    case "improvement": .double(run.improvement)
    case "center": .doubles(search.mean)
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
