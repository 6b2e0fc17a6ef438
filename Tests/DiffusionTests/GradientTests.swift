import Checkpoints
import Foundation
import Tensors
import Testing

@testable import Diffusion

/// Reverse mode against torch's autograd (scripts/conformance/gradients.py).
@Suite("Gradients")
struct GradientTests {
  @Test("of the text encoder agree with autograd", arguments: TextEncoderTests.cases)
  func textEncoder(_ example: TextCase) throws {
    let golden = try SafetensorsFile(example.folder.appendingPathComponent("gradient.safetensors"))
    let encoder = try TextEncoder(folder: example.folder)
    let embeddings = try encoder.embeddings(example.ids())
    let (hidden, pullback) = try encoder.recorded(embeddings)
    #expect(hidden == encoder(embeddings))
    let found = try pullback(golden.tensor("hidden"))
    #expect(try relativeError(found, golden.tensor("embeddings")) < 1e-5)
  }

  /// The gradient of the mean squared error to a golden's target.
  private func gradient(
    _ unet: UNet2DCondition, _ example: UNetTests.Case, samples: Range<Int>? = nil,
    recomputing: Bool = false
  ) throws -> (output: Tensor, text: Tensor) {
    let golden = try SafetensorsFile(example.folder.appendingPathComponent("gradient.safetensors"))
    let target = try golden.tensor("target")
    let (z, text) = try (example.tensor("z"), example.tensor("text"))
    let range = samples ?? 0..<z.shape[0]
    return try unet.textGradient(
      z.rows(range), timesteps: Array(example.timesteps()[range]),
      conditions: unet.conditions(text), rows: Array(range), recomputing: recomputing
    ) { output, part in
      let part = part.lowerBound + range.lowerBound..<part.upperBound + range.lowerBound
      return output.minus(target.rows(part)).scaled(by: 2 / Float(target.count))
    }
  }

  @Test("of the UNet's text agree with autograd", arguments: UNetTests.cases)
  func unet(_ example: UNetTests.Case) throws {
    let golden = try SafetensorsFile(example.folder.appendingPathComponent("gradient.safetensors"))
    let unet = try UNet2DCondition(folder: example.folder)
    let found = try gradient(unet, example)
    #expect(try relativeError(found.text, golden.tensor("text")) < 2e-4)
    let plain = try unet(
      example.tensor("z"), timesteps: example.timesteps(), text: example.tensor("text"))
    #expect(found.output == plain)
  }

  @Test("have the same bits alone, recomputed, and on every machine", arguments: UNetTests.cases)
  func invariant(_ example: UNetTests.Case) throws {
    let unet = try UNet2DCondition(folder: example.folder)
    let found = try gradient(unet, example)
    #expect(try gradient(unet, example, recomputing: true).text == found.text)
    for n in 0..<3 {
      let alone = try gradient(unet, example, samples: n..<n + 1)
      #expect(alone.text == found.text.rows(n..<n + 1))
    }
    let (threads, set) = (Compute.threads, Compute.instructionSet)
    defer {
      Compute.threads = threads
      try? Compute.setInstructionSet(set)
    }
    for (threads, set) in Compute.supported.enumerated() {
      Compute.threads = threads + 1
      try Compute.setInstructionSet(set)
      #expect(try gradient(unet, example).text == found.text)
    }
  }

  @Test("of a learned word gather the places where it stands")
  func words() throws {
    let encoder = try TextEncoder(folder: golden("text-sd15"))
    let (table, width) = (encoder.tokenTable.shape[0], encoder.width)
    let ids = [[1, table + 1, 2, table], [table + 1, 3, 4, 5]]
    var random = Philox(seed: 1)
    let gradient = random.normals(shape: [2, 4, width])
    let found = encoder.wordGradient(gradient, ids, count: 2)
    #expect(found.row(0) == gradient.row(0).row(3))
    for i in 0..<width {
      #expect(found[1, i] == Float(Double(gradient[0, 1, i]) + Double(gradient[1, 0, i])))
    }
  }
}
