import Diffusion
import Tensors

/// What a search minimises: how bad candidates are, on draws that all candidates of a generation
/// share, and on one fixed set of other draws, never searched on, that measures progress.
///
/// A loss is a pure function of objective, candidate and generation: neither what else is judged beside
/// it nor the batch nor the threads change a bit of it.
public protocol Objective: Sendable {
  var model: DiffusionModel { get }
  /// Rows of an embedding that the word takes in a prompt.
  var vectors: Int { get }
  /// What a loss is, in words; losses of other objectives' measures do not compare.
  var measure: String { get }
  /// Draws that a candidate is judged on in a generation.
  var draws: Int { get }
  /// Draws of the fixed held-out set.
  var heldOutDraws: Int { get }
  /// UNet samples that a draw costs.
  var samplesPerDraw: Int { get }
  /// What timesteps are drawn from in proportion to the sensitivity collected on the way; nil where
  /// they are not.
  var adaptiveTimesteps: Range<Int>? { get }

  /// The losses of candidates, embeddings [d] or [vectors, d], on some draws of a generation, and how
  /// far they spread at the timesteps drawn, where the objective draws any.
  ///
  /// - Parameters:
  ///   - distribution: what timesteps are drawn from; the objective's own if nil.
  ///   - batch: UNet samples in one call; changes memory and speed, no bit of the result.
  ///   - checkpoint: called between batches; what it throws ends the evaluation.
  /// - Throws: `EvokeError(.shape)` for embeddings of another size.
  func evaluated(
    _ candidates: [Tensor], generation: Int, draws: Int, distribution: TimestepDistribution?,
    batch: Int?, checkpoint: () throws -> Void
  ) throws -> (losses: [Double], spreads: [(timestep: Int, value: Double)])

  /// The losses of candidates on the fixed held-out set.
  func heldOutLosses(
    _ candidates: [Tensor], batch: Int?, checkpoint: () throws -> Void
  ) throws -> [Double]
}

extension Objective {
  /// Numbers that the word is made of.
  public var wordSize: Int { vectors * model.textEncoder.width }

  /// The losses of candidates on the draws of a generation.
  public func losses(
    _ candidates: [Tensor], generation: Int, batch: Int? = nil,
    checkpoint: () throws -> Void = {}
  ) throws -> [Double] {
    try evaluated(
      candidates, generation: generation, draws: draws, distribution: nil, batch: batch,
      checkpoint: checkpoint
    ).losses
  }

  /// The losses of candidates on the fixed held-out set.
  public func heldOutLosses(_ candidates: [Tensor], batch: Int? = nil) throws -> [Double] {
    try heldOutLosses(candidates, batch: batch, checkpoint: {})
  }

  /// The loss of one candidate on the fixed held-out set.
  public func heldOutLoss(_ candidate: Tensor) throws -> Double {
    try heldOutLosses([candidate])[0]
  }

  /// Throws `EvokeError(.shape)` for candidates of another size than the word's.
  func requireWordSize(_ candidates: [Tensor]) throws {
    for candidate in candidates where candidate.count != wordSize {
      throw EvokeError(
        .shape,
        "an embedding of shape \(candidate.shape) for a word of "
          + "\(vectors)×\(model.textEncoder.width) numbers")
    }
  }
}

extension DenoisingObjective: Objective {
  public var measure: String { "denoising loss" }
  public var samplesPerDraw: Int { 1 }
  public var adaptiveTimesteps: Range<Int>? { isAdaptive ? timesteps : nil }
}
