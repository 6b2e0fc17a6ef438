import Tensors

extension Subspace {
  /// The first principal components of the token table, each scaled to the standard deviation of
  /// the table along it, so that one unit of q is one standard deviation.
  ///
  /// The released code of arXiv 2304.05818 leaves the components at unit length, which makes steps
  /// of norm √d against embeddings of norm 0.4, and adds the table's mean to the start.
  ///
  /// - Parameters:
  ///   - table: token embeddings [V, ambient].
  ///   - rows: the rows to use, all by default; rows that training never touched would drown
  ///     the spectrum in noise.
  ///   - dimension: components kept, at most the ambient width and one less than the rows.
  ///   - origin: e_0, [ambient].
  /// - Throws: `EvokeError` for a dimension out of range or an origin of another width.
  public static func pca(
    of table: Tensor, rows: [Int]? = nil, dimension: Int, around origin: Tensor
  ) throws -> Subspace {
    let sample = try TableSample(table, rows: rows)
    try checkedDimension(
      dimension, limit: min(sample.width, sample.count - 1), of: "the token table supports")
    let n = sample.width
    guard let eigen = symmetricAxes(of: sample.covariance().values, dimension: n) else {
      throw EvokeError(.numeric, "the token table has values that are not finite numbers")
    }
    // Ascending eigenvalues: the last row of the axes is the first component.
    var directions = [Double](repeating: 0, count: dimension * n)
    for component in 0..<dimension {
      let row = n - 1 - component
      let deviation = max(0, eigen.values[row]).squareRoot()
      for i in 0..<n { directions[component * n + i] = deviation * eigen.axes[row * n + i] }
    }
    return try Subspace(
      kind: .pca, origin: checkedOrigin(origin, width: n),
      directions: Matrix(rows: dimension, columns: n, values: directions),
      spectrum: eigen.values.reversed().map { max(0, $0) })
  }

  /// Random directions W ~ N(0, s²) with s = α σ_E / (√d σ), σ_E the standard deviation of all
  /// entries of the token table: under the search's first distribution every coordinate of the
  /// embedding then spreads by α σ_E (arXiv 2304.05818, prior normalisation; 2205.11200).
  ///
  /// - Parameters:
  ///   - sigma: σ, the step size that the search will start with.
  ///   - alpha: α, the wanted spread in units of the table's.
  public static func prior(
    of table: Tensor, rows: [Int]? = nil, dimension: Int, sigma: Double, alpha: Double = 1,
    around origin: Tensor, random: Philox
  ) throws -> Subspace {
    let sample = try TableSample(table, rows: rows)
    guard sigma > 0, alpha > 0, sigma.isFinite, alpha.isFinite else {
      throw EvokeError(.value, "sigma and alpha must be positive, not \(sigma) and \(alpha)")
    }
    let scale = alpha * sample.deviation() / (Double(dimension).squareRoot() * sigma)
    return try projection(
      .prior, width: sample.width, dimension: dimension, scale: scale, around: origin,
      random: random)
  }

  /// Random directions W ~ N(0, 1/d): every coordinate of the embedding spreads as one of q does.
  public static func random(
    ambient: Int, dimension: Int, around origin: Tensor, random: Philox
  ) throws -> Subspace {
    try projection(
      .random, width: ambient, dimension: dimension,
      scale: 1 / Double(dimension).squareRoot(), around: origin, random: random)
  }

  /// The whole embedding space, each coordinate in standard deviations of the token table.
  public static func full(
    of table: Tensor, rows: [Int]? = nil, around origin: Tensor
  ) throws -> Subspace {
    let sample = try TableSample(table, rows: rows)
    let n = sample.width
    let variances = sample.covariance()
    var directions = [Double](repeating: 0, count: n * n)
    for i in 0..<n { directions[i * n + i] = max(0, variances.values[i * n + i]).squareRoot() }
    return try Subspace(
      kind: .full, origin: checkedOrigin(origin, width: n),
      directions: Matrix(rows: n, columns: n, values: directions))
  }

  private static func projection(
    _ kind: Kind, width: Int, dimension: Int, scale: Double, around origin: Tensor,
    random: Philox
  ) throws -> Subspace {
    try checkedDimension(dimension, limit: width, of: "the embedding has")
    var draws = random
    let values = draws.normals(dimension * width).map { scale * $0 }
    return try Subspace(
      kind: kind, origin: checkedOrigin(origin, width: width),
      directions: Matrix(rows: dimension, columns: width, values: values))
  }
}

/// Chosen rows of a token table in double precision.
private struct TableSample {
  let count: Int
  let width: Int
  private let values: [Double]

  init(_ table: Tensor, rows: [Int]?) throws {
    guard table.rank == 2 else {
      throw EvokeError(.shape, "a token table has two axes, not the shape \(table.shape)")
    }
    let total = table.shape[0]
    let width = table.shape[1]
    let rows = rows ?? Array(0..<total)
    guard rows.count >= 2 else {
      throw EvokeError(.value, "\(rows.count) rows of the token table are too few for a spread")
    }
    guard let bad = rows.first(where: { $0 < 0 || $0 >= total }) else {
      self.width = width
      count = rows.count
      values = table.withUnsafeValues { table in
        rows.flatMap { row in (0..<width).map { Double(table[row * width + $0]) } }
      }
      return
    }
    throw EvokeError(.value, "row \(bad) of a token table with \(total) rows")
  }

  /// (X − x̄)ᵀ(X − x̄)/(count − 1), [width, width].
  func covariance() -> Matrix {
    var mean = [Double](repeating: 0, count: width)
    for r in 0..<count { for i in 0..<width { mean[i] += values[r * width + i] } }
    let scale = 1 / Double(count)
    let centred = values.indices.map { values[$0] - mean[$0 % width] * scale }
    let x = Matrix(rows: count, columns: width, values: centred)
    let product = x.transposed.times(x)
    let divisor = Double(count - 1)
    return Matrix(rows: width, columns: width, values: product.values.map { $0 / divisor })
  }

  /// Standard deviation of all entries.
  func deviation() -> Double {
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(values.count)).squareRoot()
  }
}
