import Evolution
import Tensors

/// What happened in one step of a descent.
public struct StepReport: Sendable, Equatable, Codable {
  /// Counted from 1.
  public let step: Int
  /// The loss on this step's draws, before it.
  public let loss: Double
  /// The norm of its gradient, before clipping.
  public let gradientNorm: Double
  /// The step size.
  public let rate: Double
  /// UNet samples spent so far; one that went backwards too counts three.
  public let forwardPasses: Int
  /// The loss after it on the fixed held-out set, where it was measured.
  public let heldOut: Double?
}

/// A gradient inversion (Gal et al., arXiv 2208.01618): a word moved by AdamW along the gradient of
/// the denoising loss, with what it has seen. Only the word's own rows exist to be moved.
///
/// An immutable value, as ``EvolutionRun`` is: descending 20 steps and then 30, also after storing and
/// reading it in between, gives the same bits as descending 50.
public struct DescentRun: Sendable, Equatable, Codable {
  public internal(set) var optimiser: AdamW
  /// The shape of the embedding, [d] or [vectors, d].
  public let shape: [Int]
  /// Denoising tasks a step, and how many such batches a step is the mean of.
  public let batch: Int
  public let accumulation: Int
  public internal(set) var history: [StepReport] = []
  /// The start, measured on the held-out set; nil before the first step.
  public internal(set) var start: HeldOutEmbedding?
  /// The lowest held-out loss of the regular measurements, the start among them.
  public internal(set) var best: HeldOutEmbedding?
  /// The embedding with the lowest held-out loss at the end: `best`, or the last one.
  public internal(set) var answer: HeldOutEmbedding?
  /// UNet samples spent, but for those of the measurement at the end.
  public internal(set) var forwardPasses = 0
  /// The sensitivity collected so far, of an adaptive objective.
  public internal(set) var profile: SensitivityProfile?
  /// Why the held-out set says to stop; nil while it does not.
  public internal(set) var conclusion: String?
  /// Whether the last descending was ended before its time.
  public internal(set) var isInterrupted = false

  /// - Parameters:
  ///   - start: an embedding [d] or [vectors, d].
  ///   - batch: denoising tasks that go through the model together.
  ///   - accumulation: batches, each with its own draws, that a step's gradient is the mean of.
  /// - Throws: `EvokeError(.value)` for settings out of range, `.numeric` for a start that is not
  ///   finite.
  public init(
    _ settings: AdamSettings, start: Tensor, batch: Int = 4, accumulation: Int = 1
  ) throws {
    guard settings.rate > 0, settings.rate.isFinite, settings.betas.count == 2,
      settings.betas.allSatisfy({ (0..<1).contains($0) }), settings.epsilon > 0,
      settings.weightDecay >= 0, settings.clip.map({ $0 > 0 }) ?? true, settings.warmup >= 0
    else {
      throw EvokeError(
        .value, "AdamW needs a positive rate and epsilon, betas in 0..<1, and no negative decay")
    }
    guard batch >= 1, accumulation >= 1 else {
      throw EvokeError(.value, "a step needs a batch of 1 or more")
    }
    let point = start.values.map(Double.init)
    guard point.allSatisfy(\.isFinite) else {
      throw EvokeError(.numeric, "the start of the descent is not finite")
    }
    optimiser = AdamW(settings, start: point)
    shape = start.shape
    self.batch = batch
    self.accumulation = accumulation
  }

  public var step: Int { optimiser.step }

  /// The answer, shaped as the start: the embedding with the lowest held-out loss; the start before any.
  public var bestEmbedding: Tensor { tensor(answer?.point ?? optimiser.point) }

  /// Where the descent is.
  public var embedding: Tensor { tensor(optimiser.point) }

  /// How much of the start's held-out loss the answer saves, as a share of it.
  public var improvement: Double {
    guard let start, let answer, start.loss > 0 else { return 0 }
    return 1 - answer.loss / start.loss
  }

  private func tensor(_ point: [Double]) -> Tensor {
    Tensor(shape: shape, values: point.map { Float($0) })
  }
}
