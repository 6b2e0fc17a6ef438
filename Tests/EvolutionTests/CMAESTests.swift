import Foundation
import Kernels
import Tensors
import Testing

@testable import Evolution

@Suite struct CMAESTests {
  private func search(
    _ dimension: Int, kind: CovarianceKind = .full, bounds: Bounds? = nil, seed: UInt64 = 1
  ) throws -> CMAES {
    try CMAES(
      dimension: dimension, mean: .init(repeating: 0.7, count: dimension), sigma: 0.4,
      population: 12, covariance: kind, bounds: bounds, random: Philox(seed: seed))
  }

  @Test(arguments: CovarianceKind.allCases)
  func findsTheMinimum(kind: CovarianceKind) throws {
    for function in [TestFunction.sphere, .ellipsoid, .tablet] {
      let es = try runToStop(search(6, kind: kind)) { function($0) }
      #expect(es.best!.loss < 1e-9, "\(function)")
      #expect(es.mean.allSatisfy { abs($0) < 1e-3 })
      #expect(es.best!.evaluation <= es.evaluations)
    }
  }

  @Test func fullCovarianceTurnsWithTheFunction() throws {
    // f(x) = x₀² + (x₀ + 1000 x₁)²: the diagonal alone cannot follow.
    func rotated(_ x: [Double]) -> Double {
      x[0] * x[0] + (x[0] + 1000 * x[1]) * (x[0] + 1000 * x[1])
    }
    let es = try runToStop(search(2), rotated)
    #expect(es.best!.loss < 1e-10)
    #expect(es.condition > 1e4)
    #expect(try run(search(5), on: .rosenbrock, generations: 400).best!.loss < 1e-6)
  }

  @Test func askIsPureAndTellKeepsTheOld() throws {
    let es = try search(5)
    let asked = es.ask()
    #expect(asked == es.ask())
    let told = try es.tell(asked, losses: asked.candidates.map { TestFunction.sphere($0) })
    #expect(es.generation == 0 && es.best == nil && es.ask() == asked)
    #expect(told.generation == 1 && told.evaluations == 12)
    #expect(told.ask() != asked)
  }

  @Test(arguments: CovarianceKind.allCases, [3, 20, 130])
  func resumesBitForBit(kind: CovarianceKind, dimension: Int) throws {
    let straight = try run(search(dimension, kind: kind), on: .ellipsoid, generations: 12)
    let half = try run(search(dimension, kind: kind), on: .ellipsoid, generations: 5)
    let resumed = try run(coded(half), on: .ellipsoid, generations: 7)
    #expect(straight == resumed)
    #expect(straight.ask() == resumed.ask())
  }

  @Test func mutatingAndPureUpdatesAgree() throws {
    var inPlace = try search(9)
    for _ in 0..<10 {
      let asked = inPlace.ask()
      try inPlace.update(asked, losses: asked.candidates.map { TestFunction.cigar($0) })
    }
    #expect(try run(search(9), on: .cigar, generations: 10) == inPlace)
  }

  @Test func ranksAreStableAndDefined() {
    #expect(ranking(of: [2, 1, 2, 1]) == [1, 3, 0, 2])
    #expect(ranking(of: [.nan, 3, .infinity, .nan, -1]) == [4, 1, 2, 0, 3])
  }

  @Test func equalLossesFollowTheOrderOfTheCandidates() throws {
    let es = try search(4)
    let asked = es.ask()
    let flat = try es.tell(asked, losses: .init(repeating: 1, count: 12))
    let rising = try es.tell(asked, losses: (0..<12).map { Double($0) })
    #expect(flat.mean == rising.mean && flat.sigma == rising.sigma)
    #expect(flat.best?.point == asked.candidates[0])
  }

  @Test func lossesThatAreNoNumbersComeLast() throws {
    let es = try search(4)
    let asked = es.ask()
    var losses = asked.candidates.map { TestFunction.sphere($0) }
    losses[3] = .nan
    losses[5] = .infinity
    let told = try es.tell(asked, losses: losses)
    #expect(told.best!.loss.isFinite && told.mean.allSatisfy(\.isFinite))
    #expect(try coded(told) == told)
  }

  @Test func refusals() throws {
    func refuses(_ text: String, _ body: () throws -> Void) {
      #expect { try body() } throws: { ($0 as? EvokeError)?.message.contains(text) ?? false }
    }
    let es = try search(3)
    let asked = es.ask()
    refuses("losses for 12") { _ = try es.tell(asked, losses: [1, 2]) }
    refuses("finite loss") { _ = try es.tell(asked, losses: .init(repeating: .nan, count: 12)) }
    let later = try es.tell(asked, losses: asked.candidates.map { $0[0] })
    refuses("generation 0") { _ = try later.tell(asked, losses: .init(repeating: 0, count: 12)) }
    refuses("at least 1 dimension") {
      _ = try CMAES(dimension: 0, sigma: 1, random: Philox(seed: 1))
    }
    refuses("too small") {
      _ = try CMAES(dimension: 2, sigma: 1, population: 2, random: Philox(seed: 1))
    }
    refuses("sigma") { _ = try CMAES(dimension: 2, sigma: 0, random: Philox(seed: 1)) }
    refuses("mean") { _ = try CMAES(dimension: 2, mean: [1], sigma: 1, random: Philox(seed: 1)) }
    refuses("deviations") {
      _ = try CMAES(dimension: 2, sigma: 1, deviations: [1, 0], random: Philox(seed: 1))
    }
    refuses("bounds") {
      _ = try CMAES(
        dimension: 2, sigma: 1, bounds: Bounds(dimension: 3, 0...1), random: Philox(seed: 1))
    }
    refuses("not below") { _ = try Bounds(lower: [1], upper: [1]) }
    refuses("beside") { _ = try Bounds(lower: [1], upper: []) }
    refuses("not finite") { _ = try Bounds(lower: [-.infinity], upper: [1]) }
  }

  @Test func boundsHold() throws {
    let bounds = try Bounds(lower: [0.5, nil, -1], upper: [2, 0.2, nil])
    var es = try search(3, bounds: bounds)
    for _ in 0..<150 {
      let asked = es.ask()
      for x in asked.candidates {
        #expect(x[0] >= 0.5 && x[0] <= 2 && x[1] <= 0.2 && x[2] >= -1)
      }
      // Pulls against every face.
      try es.update(asked, losses: asked.candidates.map { $0[0] - $0[1] + abs($0[2] + 1) })
    }
    #expect(abs(es.mean[0] - 0.5) < 1e-6 && abs(es.mean[1] - 0.2) < 1e-6)
    #expect(abs(es.mean[2] + 1) < 1e-6)
  }

  @Test func boundsMapBackAndForth() throws {
    let bounds = try Bounds(lower: [-1, nil, 10, nil], upper: [1, 5, nil, nil])
    for k in 0..<200 {
      let t = Double(k) / 10 - 10
      let inside = bounds.inside([t, t, t, t])
      #expect(abs(inside[0]) <= 1 && inside[1] <= 5 && inside[2] >= 10 && inside[3] == t)
      let again = bounds.inside(bounds.preimage(inside))
      #expect(zip(again, inside).allSatisfy { abs($0 - $1) < 1e-9 })
    }
    // Away from the faces nothing is moved.
    #expect(bounds.inside([0.3, -2, 20, 1]) == [0.3, -2, 20, 1])
    // pycma 4.5: BoxConstraintsLinQuadTransformation([[1, 2], [1, 11], [1, 11]]).
    let theirs = try Bounds(lower: [1, 1, 1, 1, 1, 1], upper: [2, 11, 11, 11, 11, 11])
    let mapped = theirs.inside([1.52, -2.2, -0.2, 2, 4, 10.4])
    #expect(zip(mapped, [1.52, 4.1, 2.1, 2, 4, 10.4]).allSatisfy { abs($0 - $1) < 1e-9 })
  }

  @Test func anIndefiniteMatrixIsLifted() {
    var covariance = FullCovariance(deviations: [1, 1, 1])
    covariance.update(decay: 1, vectors: [2, 0, 0], weights: [-1])
    covariance.decompose(generation: 4)
    #expect(covariance.deviations.allSatisfy { $0 > 0 && $0.isFinite })
    #expect(covariance.decomposedAt == 4)
    var broken = FullCovariance(deviations: [1, 2])
    broken.update(decay: 1, vectors: [.nan, 0], weights: [1])
    broken.decompose(generation: 2)
    #expect(broken.deviations == [1, 2])
  }
}

@Suite(.serialized) struct EvolutionDeterminismTests {
  @Test(arguments: CovarianceKind.allCases, [7, 33, 70, 140])
  func sameBitsWhateverTheInstructionSet(kind: CovarianceKind, dimension: Int) throws {
    let chosen = Compute.instructionSet
    defer { try? Compute.setInstructionSet(chosen) }
    let results = try Compute.supported.map { set in
      try Compute.setInstructionSet(set)
      let es = try CMAES(
        dimension: dimension, mean: .init(repeating: 1, count: dimension), sigma: 0.3,
        population: 11, covariance: kind, eigenSchedule: .every(2), random: Philox(seed: 3))
      return try run(es, on: .ellipsoid, generations: 9)
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }

  @Test(arguments: [1, 2, 3, 8, 17, 65, 128, 129])
  func eigenvectorsAreRight(n: Int) throws {
    var random = Philox(seed: UInt64(n))
    let a = random.normals(n * n)
    var symmetric = [Double](repeating: 0, count: n * n)
    for i in 0..<n { for j in 0..<n { symmetric[i * n + j] = a[i * n + j] + a[j * n + i] } }
    let matrix = Matrix(rows: n, columns: n, values: symmetric)
    let (values, axes) = try #require(symmetricAxes(of: symmetric, dimension: n))
    #expect(zip(values, values.dropFirst()).allSatisfy { $0 <= $1 })
    let lapack = try LinearAlgebra.symmetricEigen(matrix)
    let size = Double(n).squareRoot() * 10
    for j in 0..<n {
      let vector = Array(axes[j * n..<(j + 1) * n])
      let image = matrix.times(vector)
      #expect(zip(image, vector).allSatisfy { abs($0 - values[j] * $1) < 1e-13 * size })
      #expect(abs(values[j] - lapack.values[j]) < 1e-13 * size)
      let theirs = lapack.vectors.column(j)
      #expect(zip(theirs, vector).allSatisfy { abs($0 - $1) < 1e-8 * size })
    }
    #expect(symmetricAxes(of: [.nan] + symmetric.dropFirst(), dimension: n) == nil)
  }

  @Test func rankUpdateTakesManyTerms() {
    let n = 37
    let k = 150
    var random = Philox(seed: 5)
    let start = random.normals(n * n)
    let y = random.normals(k * n)
    let w = random.normals(k)
    var out = [Double](repeating: 0, count: n * n)
    kernel_double_rank_update(n, k, 0.9, start, &out, y, w)
    for i in 0..<n {
      for j in 0...i {
        var sum = 0.9 * start[i * n + j]
        for p in 0..<k { sum = w[p] * y[p * n + i] * y[p * n + j] + sum }
        #expect(abs(sum - out[i * n + j]) < 1e-11)
      }
    }
  }
}
