import Checkpoints
import Foundation
import Tensors
import Testing

@testable import Diffusion

@Suite("Samplers")
struct SamplerTests {
  struct Fact: Decodable {
    let timesteps: [Double]
    let scale: Double
    let kept: [Int]
  }

  static let configurations = [
    "sd15", "sd21-v", "linear", "cosine", "leading", "trailing", "linspace", "clipped", "zero-snr",
  ]

  private func tensor(_ key: String) throws -> Tensor {
    try SafetensorsFile(golden("samplers/trajectories.safetensors")).tensor(key)
  }

  /// The model of scripts/conformance/schedulers.py.
  private func toyModel(_ x: Tensor, _ t: Double, _ weight: Tensor) -> Tensor {
    Tensor(
      shape: x.shape,
      values: zip(x.values, weight.values).map { x, w in
        0.4 * x * (0.2 + Float(t) / 1000) + 0.5 * w - 0.1 * x * x / (1 + x * x)
      })
  }

  @Test("the schedule is diffusers'", arguments: configurations)
  func schedule(_ name: String) throws {
    let schedule = try NoiseSchedule(folder: golden("samplers/\(name)"))
    let alphas = try tensor("\(name).alphas").values
    #expect(schedule.alphasCumulativeProduct.count == alphas.count)
    for (mine, reference) in zip(schedule.alphasCumulativeProduct, alphas) {
      #expect(abs(mine - reference) <= 1e-6 * max(reference, 1e-3))
    }
  }

  @Test(
    "twenty steps take diffusers' way", arguments: configurations, SamplerKind.allCases)
  func trajectory(_ name: String, _ kind: SamplerKind) throws {
    let facts = try JSONDecoder().decode(
      [String: Fact].self,
      from: Data(contentsOf: golden("samplers/trajectories.json")))
    let fact = try #require(facts["\(name).\(kind.rawValue)"])
    let schedule = try NoiseSchedule(folder: golden("samplers/\(name)"))
    if name == "zero-snr" && kind == .pndm {
      // diffusers' PNDM ignores the option and uses another schedule than the model's.
      #expect(throws: EvokeError.self) { try kind.sampler(schedule, steps: 20) }
      return
    }
    var sampler = try kind.sampler(schedule, steps: 20)
    #expect(sampler.timesteps == fact.timesteps)
    #expect(abs(sampler.initialNoiseScale - fact.scale) <= 1e-6 * fact.scale)

    let (start, weight, noise) = try (tensor("start"), tensor("weight"), tensor("noise"))
    let reference = try tensor("\(name).\(kind.rawValue)")
    var x = combination([(sampler.initialNoiseScale, start)])
    for (i, t) in sampler.timesteps.enumerated() {
      let output = toyModel(sampler.scaledInput(x, at: i), t, weight)
      x = sampler.step(
        output, at: i, sample: x, noise: sampler.drawsNoise ? noise.row(i) : nil)
      if let place = fact.kept.firstIndex(of: i + 1) {
        #expect(relativeError(x, reference.row(place)) < 1e-5, "call \(i)")
      }
    }
  }

  @Test("noise and targets follow the schedule")
  func noising() throws {
    let epsilon = try NoiseSchedule(folder: golden("samplers/sd15"))
    let velocity = try NoiseSchedule(folder: golden("samplers/sd21-v"))
    let (x, e) = try (tensor("start"), tensor("weight"))
    let noised = try epsilon.noised(x, e, at: [0, 999])
    let alphas = epsilon.alphasCumulativeProduct
    #expect(
      noised[1, 2, 0, 3] == alphas[999].squareRoot() * x[1, 2, 0, 3]
        + (1 - alphas[999]).squareRoot() * e[1, 2, 0, 3])
    #expect(try epsilon.noised(x, e, at: [999]).row(1) == noised.row(1))
    #expect(try epsilon.target(x, e, at: [3]) == e)
    // x₀ = √ᾱ x_t − √(1 − ᾱ) v
    let t = 400
    let (a, b) = (alphas[t].squareRoot(), (1 - alphas[t]).squareRoot())
    let back = combination([
      (Double(a), try velocity.noised(x, e, at: [t])),
      (Double(-b), try velocity.target(x, e, at: [t])),
    ])
    #expect(largestDifference(back, x) < 1e-6)
    for timesteps in [[1000], [-1], [1, 2, 3]] {
      #expect(throws: EvokeError.self) { try epsilon.noised(x, e, at: timesteps) }
    }
  }

  @Test("refuses options it does not follow, where they matter")
  func refuses() throws {
    let karras = try altered(
      "samplers/sd15", "scheduler_config.json", "use_karras_sigmas", "true")
    defer { try? FileManager.default.removeItem(at: karras) }
    let schedule = try NoiseSchedule(folder: karras)
    #expect(throws: EvokeError.self) { try SamplerKind.dpm.sampler(schedule, steps: 10) }
    _ = try SamplerKind.ddim.sampler(schedule, steps: 10)
    for (key, value) in [("beta_schedule", #""cubic""#), ("prediction_type", #""sample""#)] {
      let folder = try altered("samplers/sd15", "scheduler_config.json", key, value)
      defer { try? FileManager.default.removeItem(at: folder) }
      let error = #expect(throws: EvokeError.self) { try NoiseSchedule(folder: folder) }
      #expect(error?.message.contains(key) == true)
    }
  }

  @Test("refuses numbers of steps that the schedule does not have")
  func steps() throws {
    let schedule = try NoiseSchedule(folder: golden("samplers/linear"))
    for steps in [0, -3, 1001] {
      #expect(throws: EvokeError.self) { try SamplerKind.ddim.sampler(schedule, steps: steps) }
    }
    #expect(throws: EvokeError.self) { try SamplerKind.pndm.sampler(schedule, steps: 3) }
    for kind in SamplerKind.allCases {
      let sampler = try kind.sampler(schedule.inPipeline(), steps: 4)
      #expect(sampler.timesteps.allSatisfy { (0..<1000).contains($0) })
    }
  }
}
