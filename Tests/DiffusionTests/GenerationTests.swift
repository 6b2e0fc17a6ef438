import Foundation
import Pictures
import Tensors
import Testing

@testable import Diffusion

@Suite("Generation")
struct GenerationTests {
  let model: DiffusionModel

  init() throws { model = try DiffusionModel.demo() }

  private func request(_ seeds: [UInt64]) -> GenerationRequest {
    var request = GenerationRequest(prompts: ["a red circle"], seeds: seeds)
    request.steps = 2
    return request
  }

  @Test("draws the model's size unless told otherwise, each seed by itself")
  func draws() throws {
    let pictures = try model.generate(request([4, 9]))
    #expect(pictures.map(\.width) == [model.pictureSize, model.pictureSize])
    #expect(try model.generate(request([9])) == [pictures[1]])
    #expect(pictures[0] != pictures[1])
    var wide = request([4])
    wide.size = (model.autoencoder.downsampling * 3, model.autoencoder.downsampling * 5)
    let picture = try model.generate(wide)[0]
    #expect([picture.height, picture.width] == [wide.size?.height, wide.size?.width])
  }

  @Test("large pictures are drawn one after another, and given as they are finished")
  func groups() throws {
    var many = request([4, 9])
    (many.steps, many.size) = (1, (512, 384))
    var calls: [Int] = []
    var finished: [Picture] = []
    let pictures = try model.generate(many) { call, count in
      #expect(count == 2)
      if calls.last != call { calls.append(call) }
    } finished: {
      #expect($0.count == 1)
      finished += $0
    }
    #expect(pictures == finished && pictures.count == 2)
    #expect(calls == [0, 1, 2])
    many.seeds = [9]
    #expect(try model.generate(many) == [pictures[1]])
  }

  @Test("every setting matters")
  func settings() throws {
    let plain = try model.generate(request([4]))
    let changes: [(inout GenerationRequest) -> Void] = [
      { $0.prompts = ["a blue circle"] }, { $0.negative = "red" }, { $0.steps = 3 },
      { $0.guidance = 2 }, { $0.sampler = .euler }, { $0.source = .torch },
    ]
    for change in changes {
      var other = request([4])
      change(&other)
      #expect(try model.generate(other) != plain)
    }
  }

  @Test("a prompt a seed, and counted seeds")
  func prompts() throws {
    var both = request([4, 5])
    both.prompts = ["a blue circle", "a red circle"]
    let pictures = try model.generate(both)
    #expect(try model.generate(request([5])) == [pictures[1]])
    #expect(GenerationRequest("x", seed: .max, count: 2).seeds == [.max, 0])
    #expect(GenerationRequest("x", seed: 3, count: -1).seeds.isEmpty)
  }

  @Test("refuses requests that do not fit")
  func refuses() throws {
    let changes: [(inout GenerationRequest) -> Void] = [
      { $0.seeds = [] }, { $0.prompts = ["a", "b"] }, { $0.steps = 0 }, { $0.guidance = .nan },
      { $0.size = (63, 64) }, { $0.size = (0, 64) }, { $0.size = (1 << 40, 64) },
    ]
    for change in changes {
      var other = request([4])
      change(&other)
      #expect(throws: EvokeError.self) { try model.generate(other) }
    }
  }
}
