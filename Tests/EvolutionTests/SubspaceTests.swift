import Foundation
import Tensors
import Testing

@testable import Evolution

@Suite struct SubspaceTests {
  /// 40 rows in 6 dimensions with standard deviations falling from 3, around (1, …, 1); rows from
  /// 30 on are far-off noise.
  private let table: Tensor = {
    var random = Philox(seed: 4)
    return Tensor(shape: [40, 6]) { buffer in
      for r in 0..<40 {
        for i in 0..<6 {
          let spread = r < 30 ? 3 / Double(1 + i * i) : 1000
          buffer[r * 6 + i] = Float(1 + spread * random.normal())
        }
      }
    }
  }()
  private let rows = Array(0..<30)
  private let origin = Tensor(shape: [6], values: [0, 1, 2, 3, 4, 5])

  @Test func principalComponentsAreStandardDeviations() throws {
    let space = try Subspace.pca(of: table, rows: rows, dimension: 3, around: origin)
    #expect(space.dimension == 3 && space.ambient == 6 && space.spectrum.count == 6)
    #expect(zip(space.spectrum, space.spectrum.dropFirst()).allSatisfy { $0 >= $1 })
    #expect(zip(space.scales, space.spectrum).allSatisfy { abs($0 * $0 - $1) < 1e-9 * $1 })
    #expect(space.explainedVariance! > 0.9 && space.explainedVariance! < 1)
    // The table's coordinates along the components have unit variance and no covariance.
    let means = (0..<6).map { i in rows.reduce(0.0) { $0 + Double(table[$1, i]) } / 30 }
    var coordinates: [[Double]] = []
    for r in rows {
      coordinates.append(
        (0..<3).map { c in
          let dot = (0..<6).reduce(0.0) {
            $0 + (Double(table[r, $1]) - means[$1]) * space.directions[c, $1]
          }
          return dot / space.spectrum[c]
        })
    }
    for a in 0..<3 {
      for b in 0...a {
        let product = coordinates.reduce(0) { $0 + $1[a] * $1[b] } / 29
        #expect(abs(product - (a == b ? 1 : 0)) < 1e-9)
      }
    }
    // Largest component of each direction positive.
    for c in 0..<3 { #expect(space.directions.row(c).max { abs($0) < abs($1) }! > 0) }
  }

  @Test func zeroIsTheOrigin() throws {
    let random = Philox(seed: 8)
    let spaces = [
      try Subspace.pca(of: table, rows: rows, dimension: 2, around: origin),
      try .prior(of: table, rows: rows, dimension: 4, sigma: 0.5, around: origin, random: random),
      try .random(ambient: 6, dimension: 3, around: origin, random: random),
      try .full(of: table, rows: rows, around: origin),
    ]
    for space in spaces {
      #expect(space.embedding(.init(repeating: 0, count: space.dimension)) == origin)
      var step = [Double](repeating: 0, count: space.dimension)
      step[0] = 2
      let moved = space.embedding(step).values
      for i in 0..<6 {
        #expect(moved[i] == Float(Double(origin.values[i]) + 2 * space.directions[0, i]))
      }
      let elsewhere = try space.around(Tensor(zeros: [6]))
      #expect(elsewhere.directions == space.directions && elsewhere.origin == [0, 0, 0, 0, 0, 0])
    }
    #expect(spaces.map(\.kind) == [.pca, .prior, .random, .full])
    #expect(spaces[1].explainedVariance == nil && spaces[3].explainedVariance == 1)
  }

  @Test func priorNormalisationSpreadsAsTheTable() throws {
    var random = Philox(seed: 10)
    let wide = Tensor(shape: [200, 50]) { buffer in
      for i in buffer.indices { buffer[i] = Float(0.3 * random.normal()) }
    }
    let start = Tensor(zeros: [50])
    let space = try Subspace.prior(
      of: wide, dimension: 20, sigma: 0.7, alpha: 2, around: start, random: Philox(seed: 1))
    var squares = 0.0
    for _ in 0..<400 {
      let values = space.embedding(random.normals(20).map { 0.7 * $0 }).values
      squares += values.reduce(0) { $0 + Double($1) * Double($1) } / 50
    }
    #expect(abs((squares / 400).squareRoot() - 0.6) < 0.06)
  }

  @Test func refusals() throws {
    func refuses(_ text: String, _ body: () throws -> Void) {
      #expect { try body() } throws: { ($0 as? EvokeError)?.message.contains(text) ?? false }
    }
    refuses("7 dimensions") { _ = try Subspace.pca(of: table, dimension: 7, around: origin) }
    refuses("supports 2") {
      _ = try Subspace.pca(of: table, rows: [1, 2, 3], dimension: 3, around: origin)
    }
    refuses("too few") { _ = try Subspace.full(of: table, rows: [1], around: origin) }
    refuses("row 40") { _ = try Subspace.full(of: table, rows: [1, 40], around: origin) }
    refuses("shape [5]") {
      _ = try Subspace.full(of: table, around: Tensor(zeros: [5]))
    }
    refuses("two axes") { _ = try Subspace.full(of: origin, around: origin) }
    refuses("positive") {
      _ = try Subspace.prior(
        of: table, dimension: 2, sigma: 0, around: origin, random: Philox(seed: 1))
    }
    refuses("9 dimensions") {
      _ = try Subspace.random(
        ambient: 6, dimension: 9, around: origin, random: Philox(seed: 1))
    }
    refuses("not finite") {
      _ = try Subspace.pca(
        of: Tensor(repeating: .nan, shape: [4, 6]), dimension: 2, around: origin)
    }
  }
}

@Suite struct TestFunctionTests {
  @Test func functionsHaveTheirMinimum() {
    for function in TestFunction.allCases {
      let minimum = [Double](repeating: function == .rosenbrock ? 1 : 0, count: 4)
      #expect(function(minimum) == 0)
      #expect(function([0.3, -0.4, 0.5, 2]) > 0.1)
    }
  }
}
