import Checkpoints
import Foundation
import Pictures
import Tensors
import Testing

@testable import Diffusion

/// Against transformers' BLIP and torch's AlexNet on the built-in model's parts
/// (scripts/conformance/captioner.py).
@Suite struct CaptionerTests {
  private let goldens: SafetensorsFile
  private let pictures: [Picture]

  init() throws {
    goldens = try SafetensorsFile(golden("captioner.safetensors"))
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../examples/concepts/coral-star/given").standardizedFileURL
    pictures = try ["1", "2", "3"].map {
      try Picture.load(folder.appendingPathComponent("\($0).png"))
    }
  }

  @Test func logitsAreThoseOfTransformers() throws {
    let captioner = try DiffusionModel.demo().captioner()
    let ids = try goldens.tensor("ids")
    let rows = (0..<ids.shape[0]).map { ids.row($0).values.map { Int($0) } }
    let logits = try captioner.logits(rows, pictures)
    #expect(relativeError(logits, try goldens.tensor("logits")) < 1e-5)
  }

  @Test func captionsAreThoseOfTransformers() throws {
    let expected = try #require(goldens.metadata["captions"]).split(separator: "\n").map(
      String.init)
    let captioner = try DiffusionModel.demo().captioner()
    #expect(try captioner.captions(of: pictures) == expected)
    #expect(try captioner.captions(of: pictures, limit: 3)[0].split(separator: " ").count == 3)
    #expect(throws: EvokeError.self) { try captioner.captions(of: []) }
  }

  @Test func distancesAreThoseOfTorch() throws {
    let distance = try DiffusionModel.demo().perceptualDistance()
    let others = Array(pictures[1...] + pictures[..<1])
    let found = try distance.distances(pictures, others)
    for (a, b) in zip(found, try goldens.tensor("distances").values) {
      #expect(abs(a - Double(b)) < 1e-4 * Double(b))
    }
    #expect(try distance.distances(pictures, pictures) == [0, 0, 0])
    let small = pictures[0].resized(width: 30, height: 30, filter: .bicubic)
    #expect(throws: EvokeError.self) { try distance.distances([small], [small]) }
    #expect(throws: EvokeError.self) { try distance.distances([small], [pictures[0]]) }
  }
}
