import Testing

@testable import Tensors

@Suite struct LinearAlgebraTests {
  private func random(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
    var random = Philox(seed: seed)
    return Matrix(rows: rows, columns: columns, values: random.normals(rows * columns))
  }
  private func distance(_ a: Matrix, _ b: Matrix) -> Double {
    zip(a.values, b.values).map { ($0 - $1).magnitude }.max() ?? 0
  }

  @Test(arguments: [1, 2, 7, 40, 129]) func eigenvectorsDiagonalise(_ n: Int) throws {
    let a = random(n, n, seed: UInt64(n))
    let symmetric = a.times(a.transposed)
    let (values, vectors) = try LinearAlgebra.symmetricEigen(symmetric)
    #expect(values == values.sorted())
    let rebuilt = vectors.times(Matrix(diagonal: values)).times(vectors.transposed)
    #expect(distance(rebuilt, symmetric) < 1e-11 * Double(n))
    #expect(distance(vectors.transposed.times(vectors), Matrix(identity: n)) < 1e-12 * Double(n))
    for j in 0..<n {
      let peak = vectors.column(j).max { $0.magnitude < $1.magnitude }
      #expect((peak ?? 0) > 0)
    }
  }

  @Test(arguments: [(5, 3), (3, 5), (1, 4), (60, 17), (17, 60)])
  func singularValuesRebuild(_ rows: Int, _ columns: Int) throws {
    let a = random(rows, columns, seed: 9)
    let (u, s, vt) = try LinearAlgebra.singularValues(a)
    #expect(s == s.sorted(by: >) && s.allSatisfy { $0 >= 0 })
    #expect(distance(u.times(Matrix(diagonal: s)).times(vt), a) < 1e-12)
    #expect(distance(u.transposed.times(u), Matrix(identity: s.count)) < 1e-12)
  }

  @Test func choleskyFactors() throws {
    let a = random(12, 30, seed: 4)
    let positive = a.times(a.transposed)
    let l = try LinearAlgebra.cholesky(positive)
    #expect(distance(l.times(l.transposed), positive) < 1e-11)
    #expect(l[0, 5] == 0)
  }

  @Test func refusesWhatHasNoAnswer() {
    let indefinite = Matrix(diagonal: [1, -1])
    #expect(throws: EvokeError.self) { try LinearAlgebra.cholesky(indefinite) }
    let broken = Matrix(diagonal: [1, .nan])
    #expect(throws: EvokeError.self) { try LinearAlgebra.symmetricEigen(broken) }
    #expect(throws: EvokeError.self) { try LinearAlgebra.singularValues(broken) }
  }

  @Test func products() {
    let a = Matrix(rows: 2, columns: 3, values: [1, 2, 3, 4, 5, 6])
    #expect(a.times(a.transposed).values == [14, 32, 32, 77])
    #expect(a.times([1, 0, -1]) == [-2, -2])
    #expect(a.row(1) == [4, 5, 6] && a.column(2) == [3, 6])
  }

  /// Where OpenBLAS can choose at run time, we choose for it.
  @Test func openBLASIsPinned() {
    guard Compute.supported.contains(.avx2), Compute.linearAlgebraCoreCanBeChosen else { return }
    #expect(Compute.linearAlgebraCore == "Haswell")
  }
}
