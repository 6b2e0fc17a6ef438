import COpenBLAS

/// Linear algebra in double precision by OpenBLAS: one thread, one pinned core type, so that the
/// results are the same bytes on every machine with fused multiply-add.
public enum LinearAlgebra {
  /// Eigenvalues (ascending) and eigenvectors (columns) of a symmetric matrix (LAPACK's dsyevd).
  ///
  /// Each vector's sign is fixed: its entry of largest magnitude (the first such) is positive.
  /// - Throws: `EvokeError` of kind `.numeric` if an entry is not finite or the method fails.
  public static func symmetricEigen(_ m: Matrix) throws -> (values: [Double], vectors: Matrix) {
    precondition(m.rows == m.columns, "\(m.rows)×\(m.columns) is not square")
    try requireFinite(m)
    var n = Int32(m.rows)
    var info: Int32 = 0
    guard n > 0 else { return ([], m) }
    var a = m.values
    var values = [Double](repeating: 0, count: m.rows)
    var work = [0.0]
    var integers: [Int32] = [0]
    var workSize: Int32 = -1
    var integerSize: Int32 = -1
    dsyevd_(
      "V", "U", &n, &a, &n, &values, &work, &workSize, &integers, &integerSize, &info)
    workSize = Int32(work[0])
    integerSize = integers[0]
    work = Array(repeating: 0, count: Int(workSize))
    integers = Array(repeating: 0, count: Int(integerSize))
    dsyevd_(
      "V", "U", &n, &a, &n, &values, &work, &workSize, &integers, &integerSize, &info)
    guard info == 0 else { throw failure("the eigen-decomposition", m, info) }
    // Column-major eigenvectors are the rows of our row-major array.
    let rows = Matrix(rows: m.rows, columns: m.rows, values: a)
    return (values, signFixed(rows).transposed)
  }

  /// The thin singular value decomposition m = U diag(s) Vᵀ (LAPACK's dgesdd), s descending.
  ///
  /// The sign of each row of Vᵀ is fixed as in `symmetricEigen`, U's columns follow.
  /// - Returns: U [rows, k], s [k], Vᵀ [k, columns], k the smaller size.
  /// - Throws: `EvokeError` of kind `.numeric` if an entry is not finite or the method fails.
  public static func singularValues(
    _ m: Matrix
  ) throws -> (left: Matrix, values: [Double], rightTransposed: Matrix) {
    try requireFinite(m)
    // Our row-major m is LAPACK's column-major mᵀ = V diag(s) Uᵀ.
    var height = Int32(m.columns)
    var width = Int32(m.rows)
    var info: Int32 = 0
    var least = min(height, width)
    let k = Int(least)
    guard k > 0 else {
      return (Matrix(zeros: m.rows, 0), [], Matrix(zeros: 0, m.columns))
    }
    var a = m.values
    var values = [Double](repeating: 0, count: k)
    var right = [Double](repeating: 0, count: m.columns * k)  // V, column-major: Vᵀ row-major
    var left = [Double](repeating: 0, count: k * m.rows)  // Uᵀ, column-major: U row-major
    var integers = [Int32](repeating: 0, count: 8 * k)
    var work = [0.0]
    var workSize: Int32 = -1
    dgesdd_(
      "S", &height, &width, &a, &height, &values, &right, &height, &left, &least, &work,
      &workSize, &integers, &info)
    workSize = Int32(work[0])
    work = Array(repeating: 0, count: Int(workSize))
    dgesdd_(
      "S", &height, &width, &a, &height, &values, &right, &height, &left, &least, &work,
      &workSize, &integers, &info)
    guard info == 0 else { throw failure("the singular value decomposition", m, info) }
    let vectors = Matrix(rows: k, columns: m.columns, values: right)
    var u = Matrix(rows: m.rows, columns: k, values: left)
    for j in 0..<k where hasNegativePeak(vectors.row(j)) {
      for i in 0..<m.rows { u[i, j] = -u[i, j] }
    }
    return (u, values, signFixed(vectors))
  }

  /// The lower triangle L with m = L Lᵀ (LAPACK's dpotrf).
  ///
  /// - Throws: `EvokeError` of kind `.numeric` if m is not positive definite.
  public static func cholesky(_ m: Matrix) throws -> Matrix {
    precondition(m.rows == m.columns, "\(m.rows)×\(m.columns) is not square")
    try requireFinite(m)
    var n = Int32(m.rows)
    var info: Int32 = 0
    guard n > 0 else { return m }
    var a = m.values
    dpotrf_("U", &n, &a, &n, &info)  // column-major upper = row-major lower
    guard info == 0 else {
      throw EvokeError(.numeric, "the \(m.rows)×\(m.rows) matrix is not positive definite")
    }
    for i in 0..<m.rows { for j in (i + 1)..<max(i + 1, m.rows) { a[i * m.rows + j] = 0 } }
    return Matrix(rows: m.rows, columns: m.rows, values: a)
  }

  private static func requireFinite(_ m: Matrix) throws {
    guard m.values.allSatisfy(\.isFinite) else {
      throw EvokeError(
        .numeric, "the \(m.rows)×\(m.columns) matrix has entries that are not finite")
    }
  }

  private static func failure(_ what: String, _ m: Matrix, _ info: Int32) -> EvokeError {
    EvokeError(.numeric, "\(what) of a \(m.rows)×\(m.columns) matrix failed (LAPACK info \(info))")
  }

  private static func hasNegativePeak(_ row: [Double]) -> Bool {
    var peak = 0.0
    for value in row where value.magnitude > peak.magnitude { peak = value }
    return peak < 0
  }

  private static func signFixed(_ rows: Matrix) -> Matrix {
    var result = rows
    for i in 0..<rows.rows where hasNegativePeak(rows.row(i)) {
      for j in 0..<rows.columns { result[i, j] = -result[i, j] }
    }
    return result
  }
}

extension Matrix {
  /// The matrix product (OpenBLAS's dgemm).
  public func times(_ other: Matrix) -> Matrix {
    precondition(columns == other.rows, "\(rows)×\(columns) times \(other.rows)×\(other.columns)")
    var result = Matrix(zeros: rows, other.columns)
    guard !result.values.isEmpty, columns > 0 else { return result }
    cblas_dgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(rows), Int32(other.columns),
      Int32(columns), 1, values, Int32(columns), other.values, Int32(other.columns), 0,
      &result.values, Int32(other.columns))
    return result
  }

  /// The product with a column vector (OpenBLAS's dgemv).
  public func times(_ vector: [Double]) -> [Double] {
    precondition(columns == vector.count, "\(rows)×\(columns) times \(vector.count)")
    var result = [Double](repeating: 0, count: rows)
    guard rows > 0, columns > 0 else { return result }
    cblas_dgemv(
      CblasRowMajor, CblasNoTrans, Int32(rows), Int32(columns), 1, values, Int32(columns), vector,
      1, 0, &result, 1)
    return result
  }
}
