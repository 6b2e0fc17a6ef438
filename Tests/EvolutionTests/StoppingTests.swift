import Tensors
import Testing

@testable import Evolution

@Suite struct StoppingTests {
  private func search(
    _ dimension: Int = 4, sigma: Double = 0.5, mean: [Double]? = nil,
    deviations: [Double]? = nil, _ change: (inout StoppingCriteria) -> Void = { _ in }
  ) throws -> CMAES {
    var criteria = StoppingCriteria.off
    change(&criteria)
    return try CMAES(
      dimension: dimension, mean: mean ?? .init(repeating: 1, count: dimension), sigma: sigma,
      population: 8, deviations: deviations, criteria: criteria, random: Philox(seed: 2))
  }

  @Test func aFreshSearchGoesOn() throws {
    let es = try CMAES(dimension: 3, sigma: 1, random: Philox(seed: 1))
    #expect(es.stoppingReasons.isEmpty)
    #expect(es.criteria == StoppingCriteria(dimension: 3, population: es.population))
  }

  @Test func budgetsAndTarget() throws {
    let generations = try runToStop(search { $0.maxGenerations = 7 }) { $0[0] }
    #expect(generations.stoppingReasons == [.maxGenerations] && generations.generation == 7)
    let evaluations = try runToStop(search { $0.maxEvaluations = 17 }) { $0[0] }
    #expect(evaluations.stoppingReasons == [.maxEvaluations] && evaluations.generation == 3)
    let target = try runToStop(search { $0.target = 1e-3 }) { TestFunction.sphere($0) }
    #expect(target.stoppingReasons == [.target] && target.best!.loss <= 1e-3)
  }

  @Test func convergence() throws {
    let x = try runToStop(search { $0.tolX = 1e-6 }) { TestFunction.sphere($0) }
    #expect(x.stoppingReasons == [.tolX] && x.mean.allSatisfy { abs($0) < 1e-4 })
    let fun = try runToStop(search { $0.tolFun = 1e-6 }) { TestFunction.sphere($0) }
    #expect(fun.stoppingReasons == [.tolFun])
    let history = try runToStop(search { $0.tolFunHistory = 1e-6 }) { TestFunction.sphere($0) }
    #expect(history.stoppingReasons == [.tolFunHistory])
    let relative = try runToStop(search { $0.tolFunRelative = 1e-4 }) { TestFunction.sphere($0) }
    #expect(relative.stoppingReasons == [.tolFunRelative])
    let mean = try runToStop(search { $0.tolXStagnation = 1e-4 }) { TestFunction.sphere($0) }
    #expect(mean.stoppingReasons == [.tolXStagnation])
  }

  @Test func flatness() throws {
    let es = try runToStop(search { $0.tolFlat = 1 }) { _ in 3 }
    #expect(es.stoppingReasons == [.tolFlat] && es.generation == 2)
  }

  @Test func stagnation() throws {
    // Pure noise has nothing to improve on.
    var noise = Philox(seed: 9)
    let es = try runToStop(search(2) { $0.tolStagnation = 100 }) { _ in noise.uniform() + 1 }
    #expect(es.stoppingReasons == [.tolStagnation])
    #expect(es.generation > 500)
  }

  @Test func divergence() throws {
    let up = try runToStop(search(sigma: 1e-3) { $0.tolXUp = 1e3 }) { -$0[0] }
    #expect(up.stoppingReasons == [.tolXUp])
    let creep = try runToStop(search { $0.tolSigmaUp = 100 }) { -$0[0] }
    #expect(creep.stoppingReasons == [.tolSigmaUp])
  }

  @Test func lossOfPrecision() throws {
    let coordinate = try runToStop(
      search(mean: [1e9, 0, 0, 0]) {
        $0.tolX = 1e-300
      }
    ) { TestFunction.sphere([$0[0] - 1e9] + $0[1...]) }
    #expect(coordinate.stoppingReasons.contains(.noEffectCoordinate))
    let axis = try runToStop(search(2, mean: [1e12, 1e12]) { $0.tolX = 1e-300 }) {
      TestFunction.sphere([$0[0] - 1e12, $0[1] - 1e12])
    }
    #expect(
      axis.stoppingReasons.contains(.noEffectAxis)
        || axis.stoppingReasons.contains(.noEffectCoordinate))
    let condition = try runToStop(search { $0.condition = 1e5 }) { TestFunction.ellipsoid($0) }
    #expect(condition.stoppingReasons == [.conditionCovariance])
  }

  @Test func everyReasonExplainsItself() {
    for reason in StoppingReason.allCases { #expect(reason.explanation.count > 20) }
    #expect(Set(StoppingReason.allCases.map(\.explanation)).count == StoppingReason.allCases.count)
  }

  @Test func medians() {
    #expect(median([3, 1, 2]) == 2)
    #expect(median([4, 1, 3, 2]) == 2.5)
  }
}
