import Inversion
import Language
import Tensors

/// A gradient inversion, with everything it has seen.
public struct DescentValue: Object {
  public static let typeName = "Descent"
  public static let memberNames = [
    "best", "last", "start", "step", "batch", "forwards", "history", "reasons", "improvement",
    "sensitivity",
  ]

  public let run: DescentRun

  public init(_ run: DescentRun) { self.run = run }

  public var summary: String { "" }

  public var echo: String {
    var text = "AdamW \(run.optimiser.point.count)-d, step \(run.step)"
    if let answer = run.answer {
      text += ", held-out \(Format.number(answer.loss)) (\(Format.change(-run.improvement)))"
    }
    if run.conclusion != nil { text += ", stopped: level" }
    return text
  }

  public func hash(into digest: inout Digest) {
    digest.int(run.step)
    digest.doubles(run.optimiser.point)
    digest.tensor(run.bestEmbedding)
    for report in run.history {
      digest.double(report.loss)
      digest.double(report.gradientNorm)
      digest.double(report.rate)
      digest.double(report.heldOut ?? 0)
    }
  }

  public func member(_ name: String) throws -> Value? {
    switch name {
    case "best": .object(EmbeddingValue(run.bestEmbedding))
    case "last": .object(EmbeddingValue(run.embedding))
    case "start":
      run.start.map { start in
        .object(
          EmbeddingValue(Tensor(shape: run.shape, values: start.point.map { Float($0) })))
      } ?? .object(EmbeddingValue(run.embedding))
    case "step": .int(run.step)
    case "batch": .int(run.batch * run.accumulation)
    case "forwards": .int(run.forwardPasses)
    case "history": .list(run.history.map(Self.row))
    case "reasons": .strings(run.conclusion.map { [$0] } ?? [])
    case "improvement": .double(run.improvement)
    case "sensitivity": .doubles(run.profile?.means ?? [])
    default: nil
    }
  }

  /// A step as a row of `table(ad.history)`.
  private static func row(_ report: StepReport) -> Value {
    .record([
      "step": .int(report.step), "loss": .double(report.loss),
      "gradient": .double(report.gradientNorm), "rate": .double(report.rate),
      "held_out": report.heldOut.map(Value.double) ?? .none,
      "forwards": .int(report.forwardPasses),
    ])
  }
}
