import Foundation
import Tensors
import Testing

@testable import Evolution

private struct Golden: Decodable, CustomTestStringConvertible {
  let dimension: Int
  let covariance: CovarianceKind
  let function: TestFunction
  let seed: UInt64
  let population: Int
  let sigma: Double
  let start: [Double]
  let deviations: [Double]?
  let mean: [Double]
  let finalSigma: Double
  let variances: [Double]
  let probed: [Double]

  var testDescription: String { "\(covariance) \(function) in \(dimension) dimensions" }

  static let all: [Golden] = {
    let url = Bundle.module.url(forResource: "Goldens/trajectories", withExtension: "json")!
    return try! JSONDecoder().decode([Golden].self, from: Data(contentsOf: url))
  }()
}

@Suite struct PycmaTests {
  @Test(arguments: Golden.all)
  private func followsPycma(golden: Golden) throws {
    var es = try CMAES(
      dimension: golden.dimension, mean: golden.start, sigma: golden.sigma,
      population: golden.population, covariance: golden.covariance,
      deviations: golden.deviations, eigenSchedule: .eager, random: Philox(seed: 0))
    for generation in 0..<30 {
      let draws = goldenNormals(
        seed: golden.seed * 1_000_003 + UInt64(generation),
        count: golden.population * golden.dimension)
      let asked = es.ask(normals: draws)
      es = try es.tell(asked, losses: asked.candidates.map { golden.function($0) })
    }
    #expect(largestDifference(es.mean, golden.mean) < 1e-6)
    #expect(abs(es.sigma - golden.finalSigma) < 1e-6)
    #expect(largestDifference(es.variances, golden.variances) < 1e-6)
    let probe = Matrix(
      rows: 4, columns: golden.dimension,
      values: goldenNormals(seed: 77, count: 4 * golden.dimension))
    #expect(largestDifference(probe.times(es.covarianceMatrix).values, golden.probed) < 1e-5)
  }

  private func largestDifference(_ a: [Double], _ b: [Double]) -> Double {
    a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
  }
}

@Suite struct ParameterTests {
  /// Values of pycma 4.5 (`es.sp`, `es.adapt_sigma`), population 20.
  @Test func constantsOfPycma() throws {
    let full = try StrategyParameters(dimension: 8, population: 20)
    #expect(abs(full.weights.effectiveParents - 5.938804235601242) < 1e-12)
    #expect(abs(full.cSigma - 0.468675599834598) < 1e-12)
    #expect(abs(full.dSigma - 1.513097535600444) < 1e-12)
    #expect(abs(full.cc - 0.3516837717600021) < 1e-12)
    #expect(abs(full.c1 - 0.021638276255332645) < 1e-12)
    #expect(abs(full.cMu - 0.0822585894244291) < 1e-12)
    #expect(abs(full.weights.values[19] + 0.21892858012050245) < 1e-12)
    let diagonal = try StrategyParameters(
      dimension: 64, population: 20, covariance: .separable)
    #expect(abs(diagonal.cc - 0.13515303966237552) < 1e-12)
    #expect(abs(diagonal.c1 - 0.012485517764495418) < 1e-12)
    #expect(abs(diagonal.cMu - 0.04402561001307658) < 1e-12)
    #expect(abs(diagonal.weights.values[19] + 0.22248967646538256) < 1e-12)
  }

  @Test(arguments: [1, 2, 3, 4, 7, 30, 100, 101, 700], [3, 4, 5, 12, 20, 201])
  func weightsAreWellFormed(dimension: Int, population: Int) throws {
    for kind in CovarianceKind.allCases {
      let p = try StrategyParameters(
        dimension: dimension, population: population, covariance: kind)
      let w = p.weights.values
      #expect(zip(w, w.dropFirst()).allSatisfy { $0 >= $1 })
      #expect(abs(w[..<p.weights.parents].reduce(0, +) - 1) < 1e-12)
      #expect(w[w.count - 1] <= 0)
      let unlearnt = -w[p.weights.parents...].reduce(0, +)
      if kind == .full {
        // Positive definite: d c_µ Σ|w⁻| ≤ 1 − c_1 − c_µ (equation 52).
        #expect(Double(dimension) * p.cMu * unlearnt <= 1 - p.c1 - p.cMu + 1e-12)
      }
      let passive = try StrategyParameters(
        dimension: dimension, population: population, covariance: kind, active: false)
      #expect(passive.weights.values.allSatisfy { $0 >= 0 })
    }
  }

  @Test func defaultPopulation() {
    #expect(StrategyParameters.defaultPopulation(dimension: 1) == 4)
    #expect(StrategyParameters.defaultPopulation(dimension: 32) == 14)
    #expect(StrategyParameters.defaultPopulation(dimension: 768) == 23)
  }

  @Test func schedules() throws {
    func gap(_ schedule: EigenSchedule) throws -> Double {
      try StrategyParameters(dimension: 64, population: 20, eigenSchedule: schedule).eigenGap
    }
    #expect(abs(try gap(.eager) - 0.6335651022542499) < 1e-9)
    #expect(abs(try gap(.lazy) - 5 * 0.6335651022542499) < 1e-8)
    #expect(try gap(.every(7)) == 7)
  }
}
