import Foundation
import Kernels
import Tensors

/// A full covariance matrix and the eigen-decomposition that candidates are drawn with, which
/// may be a few generations old.
struct FullCovariance: Sendable, Equatable {
  let dimension: Int
  /// C, row-major; only the lower triangle is kept up to date.
  private(set) var matrix: [Double]
  /// Row j is the eigenvector b_j: Bᵀ.
  private(set) var axes: [Double]
  /// √ of the eigenvalues, ascending: the diagonal of D.
  private(set) var deviations: [Double]
  /// The generation of the decomposition.
  private(set) var decomposedAt = 0

  /// A diagonal matrix with the given standard deviations.
  init(deviations initial: [Double]) {
    let n = initial.count
    dimension = n
    matrix = .init(repeating: 0, count: n * n)
    axes = .init(repeating: 0, count: n * n)
    let order = initial.indices.sorted {
      initial[$0] == initial[$1] ? $0 < $1 : initial[$0] < initial[$1]
    }
    deviations = order.map { initial[$0] }
    for (row, coordinate) in order.enumerated() {
      matrix[row * n + row] = initial[row] * initial[row]
      axes[row * n + coordinate] = 1
    }
  }

  var variances: [Double] { (0..<dimension).map { matrix[$0 * dimension + $0] } }

  var symmetric: Matrix {
    let n = dimension
    var values = matrix
    for i in 0..<n { for j in 0..<i { values[j * n + i] = values[i * n + j] } }
    return Matrix(rows: n, columns: n, values: values)
  }

  /// y = B D z for each row z.
  func steps(_ normals: [Double], rows: Int) -> [Double] {
    let n = dimension
    let scaled = [Double](unsafeUninitializedCapacity: rows * n) { buffer, count in
      normals.withUnsafeBufferPointer { z in
        for r in 0..<rows { for i in 0..<n { buffer[r * n + i] = deviations[i] * z[r * n + i] } }
      }
      count = rows * n
    }
    return product(scaled, rows: rows)
  }

  /// B z for one row z.
  func rotated(_ z: [Double]) -> [Double] { product(z, rows: 1) }

  private func product(_ rows: [Double], rows count: Int) -> [Double] {
    let n = dimension
    return [Double](unsafeUninitializedCapacity: count * n) { buffer, initialised in
      kernel_double_product(count, n, n, rows, axes, buffer.baseAddress)
      initialised = count * n
    }
  }

  /// C ← decay · C + Σ w_r y_r y_rᵀ (equation 47), rows of `vectors` in their order.
  mutating func update(decay: Double, vectors: [Double], weights: [Double]) {
    let n = dimension
    matrix.withUnsafeMutableBufferPointer { buffer in
      let base = buffer.baseAddress
      kernel_double_rank_update(n, weights.count, decay, base, base, vectors, weights)
    }
  }

  /// Renews B and D from C.
  ///
  /// Should C not be positive definite, its diagonal is raised by the last smallest variance, as
  /// pycma does, until it is; a matrix with values that are no numbers keeps the old axes.
  mutating func decompose(generation: Int) {
    let n = dimension
    let lift = deviations[0] * deviations[0]
    for _ in 0..<60 {
      guard let (values, vectors) = symmetricAxes(of: matrix, dimension: n) else { break }
      if values[0] > 0, values[n - 1].isFinite {
        deviations = values.map { $0.squareRoot() }
        axes = vectors
        break
      }
      for i in 0..<n { matrix[i * n + i] += lift }
    }
    decomposedAt = generation
  }
}

/// Eigenvalues, ascending, and eigenvectors, as rows, of a symmetric matrix of which the lower
/// triangle is read. The component of largest magnitude of each vector is positive.
///
/// Small matrices take the package's own Householder and QL loops (Kernels/linear_double.c),
/// which are faster than LAPACK's there; large ones take LAPACK.
func symmetricAxes(of lower: [Double], dimension n: Int) -> (values: [Double], axes: [Double])? {
  guard lower.allSatisfy(\.isFinite) else { return nil }
  if n <= 128 {
    var values = [Double](repeating: 0, count: n)
    var axes = [Double](repeating: 0, count: n * n)
    var work = [Double](repeating: 0, count: n * n + 8 * n)
    let status = kernel_double_eigen(n, lower, &values, &axes, &work)
    return status == 0 ? (values, axes) : nil
  }
  var full = lower
  for i in 0..<n { for j in 0..<i { full[j * n + i] = full[i * n + j] } }
  guard
    let eigen = try? LinearAlgebra.symmetricEigen(Matrix(rows: n, columns: n, values: full))
  else { return nil }
  return (eigen.values, eigen.vectors.transposed.values)
}

// MARK: - Coding

extension FullCovariance: Codable {
  private enum Key: String, CodingKey { case dimension, matrix, axes, deviations, decomposedAt }

  init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: Key.self)
    dimension = try box.decode(Int.self, forKey: .dimension)
    decomposedAt = try box.decode(Int.self, forKey: .decomposedAt)
    let count = dimension
    func doubles(_ key: Key, _ expected: Int) throws -> [Double] {
      let values = PackedDoubles.unpack(try box.decode(Data.self, forKey: key))
      guard values.count == expected else {
        throw EvokeError(.format, "the state of a search has a damaged \(key.rawValue)")
      }
      return values
    }
    matrix = try doubles(.matrix, count * count)
    axes = try doubles(.axes, count * count)
    deviations = try doubles(.deviations, count)
  }

  func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: Key.self)
    try box.encode(dimension, forKey: .dimension)
    try box.encode(decomposedAt, forKey: .decomposedAt)
    try box.encode(PackedDoubles.pack(matrix), forKey: .matrix)
    try box.encode(PackedDoubles.pack(axes), forKey: .axes)
    try box.encode(PackedDoubles.pack(deviations), forKey: .deviations)
  }
}

/// Doubles as little-endian bytes: exact, and small enough for a checkpoint each generation.
enum PackedDoubles {
  static func pack(_ values: [Double]) -> Data {
    var data = Data(capacity: values.count * 8)
    for value in values {
      withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
    }
    return data
  }

  static func unpack(_ data: Data) -> [Double] {
    let bytes = [UInt8](data)
    return stride(from: 0, to: bytes.count / 8 * 8, by: 8).map { start in
      var bits: UInt64 = 0
      for k in (0..<8).reversed() { bits = bits << 8 | UInt64(bytes[start + k]) }
      return Double(bitPattern: bits)
    }
  }
}
