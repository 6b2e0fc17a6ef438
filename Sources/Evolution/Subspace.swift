import Tensors

/// A low-dimensional affine picture of an embedding space: e = e_0 + W q.
///
/// Forward-only inversion searches q (Fei et al., arXiv 2304.05818, equation 3). The origin e_0 is
/// kept apart from W, so that q = 0 is always the embedding the search starts around.
public struct Subspace: Sendable, Equatable, Codable {
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// Principal components of the token table, coordinates in standard deviations.
    case pca
    /// Random directions scaled to the token table and to the search's step size.
    case prior
    /// Random directions, N(0, 1/d).
    case random
    /// Every coordinate of the embedding, in standard deviations of the token table.
    case full
  }

  public let kind: Kind
  /// e_0.
  public let origin: [Float]
  /// W, one row a direction: [dimension, ambient], a step of one along q.
  public let directions: Matrix
  /// Variances of the token table along its principal components, descending; for `.pca` only.
  public let spectrum: [Double]

  /// Coordinates of q.
  public var dimension: Int { directions.rows }
  /// Coordinates of the embedding.
  public var ambient: Int { directions.columns }

  /// Share of the token table's variance that the kept components hold; 1 for `.full`, nil where
  /// the directions are random.
  public var explainedVariance: Double? {
    switch kind {
    case .full: return 1
    case .prior, .random: return nil
    case .pca:
      let total = spectrum.reduce(0, +)
      return total > 0 ? spectrum.prefix(dimension).reduce(0, +) / total : 0
    }
  }

  /// Norms of the directions: what one unit of each coordinate moves.
  public var scales: [Double] {
    (0..<dimension).map { row in
      let values = directions.values[row * ambient..<(row + 1) * ambient]
      return values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
  }

  /// e_0 + W q, [ambient].
  public func embedding(_ q: [Double]) -> Tensor {
    precondition(q.count == dimension)
    var sum = origin.map(Double.init)
    directions.values.withUnsafeBufferPointer { w in
      sum.withUnsafeMutableBufferPointer { sum in
        for (row, factor) in q.enumerated() where factor != 0 {
          for i in 0..<ambient { sum[i] += factor * w[row * ambient + i] }
        }
      }
    }
    return Tensor(shape: [ambient], values: sum.map(Float.init))
  }

  /// The same subspace around another origin.
  ///
  /// - Throws: `EvokeError` when the origin has another width.
  public func around(_ origin: Tensor) throws -> Subspace {
    try Subspace(
      kind: kind, origin: Self.checkedOrigin(origin, width: ambient), directions: directions,
      spectrum: spectrum)
  }

  init(kind: Kind, origin: [Float], directions: Matrix, spectrum: [Double] = []) throws {
    self.kind = kind
    self.origin = origin
    self.directions = directions
    self.spectrum = spectrum
  }

  static func checkedOrigin(_ origin: Tensor, width: Int) throws -> [Float] {
    guard origin.count == width else {
      throw EvokeError(
        .shape, "an embedding of shape \(origin.shape) in a space of \(width) coordinates",
        hint: "a subspace starts around one embedding of the same model")
    }
    return origin.values
  }

  static func checkedDimension(_ dimension: Int, limit: Int, of what: String) throws {
    guard dimension >= 1, dimension <= limit else {
      throw EvokeError(
        .value, "a subspace of \(dimension) dimensions, but \(what) \(limit)",
        hint: "choose 1 to \(limit)")
    }
  }
}
