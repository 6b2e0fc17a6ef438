import Diffusion
import Evolution
import Tensors

/// What happened in one generation.
public struct GenerationReport: Sendable, Equatable, Codable {
  /// Counted from 1.
  public let generation: Int
  /// The best candidate's loss on this generation's draws.
  public let best: Double
  /// The candidates' mean loss on them.
  public let mean: Double
  /// Step size after the generation.
  public let sigma: Double
  /// UNet samples spent so far.
  public let forwardPasses: Int
  /// Loss of the distribution's mean on the fixed held-out set, where it was measured.
  public let heldOutMean: Double?
  /// The lowest held-out loss seen so far, where it was measured.
  public let heldOutBest: Double?
  /// Every candidate's loss on this generation's draws, in the order of asking.
  public let losses: [Double]
}

/// An embedding with its loss on the held-out set.
public struct HeldOutEmbedding: Sendable, Equatable, Codable {
  /// Coordinates in the subspace.
  public let point: [Double]
  public let loss: Double
  /// The generation it comes from; 0 for the start.
  public let generation: Int
}

/// A forward-only inversion: a search in a subspace of embeddings with what it has seen.
///
/// An immutable value: ``evolved(on:generations:batch:checkEvery:progress:checkpoint:)`` gives the
/// next one. Evolving 20 generations and then 30 more, also after storing and reading it in between,
/// gives the same bits as evolving 50: what is measured only because an evolving ends (`answer`)
/// leaves no trace in what the next one goes on from.
public struct EvolutionRun: Sendable, Equatable, Codable {
  public internal(set) var search: AnySearch
  public let subspace: Subspace
  public internal(set) var history: [GenerationReport] = []
  /// What its losses are, in the objective's words; nil before the first generation.
  public internal(set) var measure: String?
  /// The start, e_0, measured on the held-out set; nil before the first generation.
  public internal(set) var start: HeldOutEmbedding?
  /// The lowest held-out loss of the regular measurements: over the start, the distribution's
  /// means, and the best candidates of their generations.
  public internal(set) var best: HeldOutEmbedding?
  /// The distribution's means of the last generations, oldest first.
  var recentMeans: [[Double]] = []
  /// The distribution's mean at the end, measured.
  public internal(set) var mean: HeldOutEmbedding?
  /// The embedding with the lowest held-out loss at the end: `best`, `mean`, or the average of the
  /// last means.
  public internal(set) var answer: HeldOutEmbedding?
  /// UNet samples spent, but for those of the measurement at the end.
  public internal(set) var forwardPasses = 0
  /// The sensitivity collected so far, of an adaptive objective.
  var profile: SensitivityProfile?
  /// Re-evaluation of candidates, where it was asked for.
  public internal(set) var noise: NoiseHandling?
  /// Why the held-out set says to stop; nil while it does not.
  public internal(set) var conclusion: String?
  /// Whether the last evolving was ended before its time.
  public internal(set) var isInterrupted = false

  /// - Throws: `EvokeError(.shape)` when search and subspace have other dimensions.
  public init(search: CMAES, subspace: Subspace) throws {
    try self.init(search: .cma(search), subspace: subspace)
  }

  /// The same for any of the searches.
  ///
  /// With `noise`, some candidates of each generation are judged again on other draws, and losses are
  /// taken over as many draws as their ranks need.
  public init(search: AnySearch, subspace: Subspace, noise: NoiseHandling? = nil) throws {
    guard search.dimension == subspace.dimension else {
      throw EvokeError(
        .shape,
        "a search in \(search.dimension) dimensions and a subspace of "
          + "\(subspace.dimension)")
    }
    self.search = search
    self.subspace = subspace
    self.noise = noise
  }

  public var generation: Int { search.generation }

  /// The answer, [ambient]: the embedding with the lowest held-out loss; e_0 before any.
  public var bestEmbedding: Tensor {
    subspace.embedding(answer?.point ?? .init(repeating: 0, count: subspace.dimension))
  }

  /// The distribution's mean, [ambient].
  public var meanEmbedding: Tensor { subspace.embedding(search.mean) }

  /// Means of this many last generations are averaged for one of the answers to choose from:
  /// under noise the mean wanders around where it should be.
  static let averaged = 10

  /// The average of the last means.
  var averagedMean: [Double] {
    (0..<subspace.dimension).map { i in
      recentMeans.reduce(0) { $0 + $1[i] } / Double(max(1, recentMeans.count))
    }
  }

  /// How much of the start's held-out loss the answer saves, as a share of it.
  public var improvement: Double {
    guard let start, let answer, start.loss > 0 else { return 0 }
    return 1 - answer.loss / start.loss
  }
}
