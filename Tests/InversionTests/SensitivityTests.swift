import Tensors
import Testing

@testable import Inversion

@Suite struct SensitivityTests {
  @Test func bothMethodsSeeTheSame() throws {
    let model = try demo.get()
    let condition = try model.encode(prompts: ["a photo of a red star"])
    let timesteps = [950, 50, 250, 500, 750]
    let exact = try sensitivity(
      model, discs, condition: condition, timesteps: timesteps, draws: 3, random: Philox(seed: 1))
    let forward = try sensitivity(
      model, discs, condition: condition, timesteps: timesteps, draws: 3,
      by: .difference(directions: 6, step: 0.02), random: Philox(seed: 1))
    #expect(exact.timesteps == timesteps.sorted() && exact.errors.allSatisfy { $0 > 0 })
    for (a, b) in zip(exact.values, forward.values) { #expect(abs(b - a) < 0.35 * a) }
    #expect(exact.peak(width: 1) == forward.peak(width: 1))
    let batched = try sensitivity(
      model, discs, condition: condition, timesteps: timesteps, draws: 3, random: Philox(seed: 1),
      batch: 2)
    #expect(batched == exact)
  }

  @Test func peaks() {
    let curve = SensitivityCurve(
      timesteps: [0, 40, 50, 60, 100], values: [1, 1, 3, 1, 0], errors: [0, 0, 0, 0, 0],
      range: 0..<100)
    #expect(curve.peak(width: 1) == 50..<51)
    #expect(curve.peak(width: 11) == 45..<56)
    #expect(curve.peak(width: 1000) == 0..<100)
    #expect(curve.value(at: 45) == 2 && abs(curve.value(at: 99) - 0.025) < 1e-12)
  }

  @Test func ranks() throws {
    #expect(try rankCorrelation([1, 2, 3, 4], [10, 20, 30, 40]) == 1)
    #expect(try rankCorrelation([1, 2, 3], [3, 2, 1]) == -1)
    // scipy.stats.spearmanr([1, 2, 2, 5], [2, 1, 3, 3]).statistic
    #expect(abs(try rankCorrelation([1, 2, 2, 5], [2, 1, 3, 3]) - 0.5) < 1e-12)
    #expect(isRefused(.value, "rank") { _ = try rankCorrelation([1], [2]) })
  }
}
