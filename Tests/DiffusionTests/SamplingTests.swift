import Checkpoints
import Foundation
import Tensors
import Testing

@testable import Diffusion

@Suite("Sampling")
struct SamplingTests {
  let texts: (text: Tensor, negative: Tensor)
  let base: Sampling

  init() throws {
    let file = try Self.latents()
    texts = try (file.tensor("text"), file.tensor("negative"))
    base = Sampling(
      unet: try UNet2DCondition(folder: golden("unet-sd15")),
      schedule: try NoiseSchedule(folder: golden("samplers/sd15")))
  }

  private static func latents() throws -> SafetensorsFile {
    try SafetensorsFile(golden("pipeline/latents.safetensors"))
  }

  private func draw(_ sampling: Sampling, _ seeds: [UInt64]) throws -> Tensor {
    try sampling.latents(
      text: texts.text, negative: texts.negative, seeds: seeds, height: 8, width: 12)
  }

  @Test(
    "a torch seed gives the latents of diffusers' pipeline", arguments: SamplerKind.allCases,
    [1, 4])
  func agrees(_ kind: SamplerKind, _ guidance: Int) throws {
    var sampling = base
    sampling.kind = kind
    sampling.guidance = Float(guidance)
    sampling.steps = 7
    sampling.source = .torch
    let reference = try Self.latents().tensor("\(kind.rawValue).\(guidance)")
    let drawn = try draw(sampling, [5, 11])
    #expect(relativeError(drawn.rows(1..<2), reference) < 1e-4)
  }

  @Test("a picture depends on its own seed alone", arguments: NoiseSource.allCases)
  func seeds(_ source: NoiseSource) throws {
    var sampling = base
    sampling.kind = .eulerAncestral
    sampling.steps = 4
    sampling.source = source
    let together = try draw(sampling, [3, 1 << 40, 8])
    #expect(try draw(sampling, [8]) == together.rows(2..<3))
    #expect(try draw(sampling, [1 << 40, 3]).rows(1..<2) == together.rows(0..<1))
    #expect(together.row(0) != together.row(2))
  }

  @Test("each picture can have its own text")
  func ownTexts() throws {
    var sampling = base
    sampling.kind = .ddim
    sampling.steps = 3
    let both = try sampling.latents(
      text: Tensor.concatenated([texts.negative, texts.text], axis: 0), negative: texts.negative,
      seeds: [1, 2], height: 8, width: 12)
    #expect(try draw(sampling, [2]) == both.rows(1..<2))
  }

  @Test("reports its calls, and stops when the report throws")
  func progress() throws {
    struct Stop: Error {}
    var sampling = base
    sampling.kind = .pndm
    sampling.steps = 5
    var reported: [[Int]] = []
    _ = try sampling.latents(
      text: texts.text, negative: texts.negative, seeds: [1], height: 2, width: 2
    ) { reported.append([$0, $1]) }
    #expect(reported == (0...6).map { [$0, 6] })
    var calls = 0
    #expect(throws: Stop.self) {
      try sampling.latents(
        text: texts.text, negative: texts.negative, seeds: [1], height: 2, width: 2
      ) { _, _ in
        calls += 1
        if calls == 3 { throw Stop() }
      }
    }
    #expect(calls == 3)
  }

  @Test("refuses what does not fit")
  func refuses() throws {
    let wide = Tensor(zeros: [1, 6, 13])
    for (text, negative, seeds) in [
      (texts.text, wide, [UInt64(1)]), (wide, wide, [1]), (texts.text, texts.negative, []),
      (Tensor(zeros: [3, 6, 12]), texts.negative, [1, 2]),
      (texts.text, Tensor(zeros: [1, 5, 12]), [1]),
    ] {
      #expect(throws: EvokeError.self) {
        try base.latents(text: text, negative: negative, seeds: seeds, height: 2, width: 2)
      }
    }
    #expect(throws: EvokeError.self) {
      try base.latents(
        text: texts.text, negative: texts.negative, seeds: [1], height: 0, width: 2)
    }
    var huge = base
    huge.guidance = 1e38
    let error = #expect(throws: EvokeError.self) { try draw(huge, [1]) }
    #expect(error?.kind == .numeric)
  }
}
