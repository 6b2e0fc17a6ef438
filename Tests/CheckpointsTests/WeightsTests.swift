import Foundation
import Tensors
import Testing

@testable import Checkpoints

@Suite struct WeightsTests {
  private let folder: TemporaryFolder
  private let tensors: [(String, Tensor)] = [
    ("conv_in.weight", Tensor(shape: [2, 3], values: [1, 2, 3, 4, 5, 6])),
    ("down.0.norm.bias", Tensor(shape: [2], values: [7, 8])),
    ("down.1.norm.bias", Tensor(shape: [1], values: [9])),
  ]

  init() throws { folder = try TemporaryFolder() }

  @Test func aViewBelowAPrefixReadsItsTensors() throws {
    try Safetensors.write(tensors, to: folder.file("model.safetensors"))
    let weights = try Weights(folder: folder.url)
    #expect(weights.unused == tensors.map(\.0))
    let norm = weights["down.0"]["norm"]
    #expect(norm.has("bias") && !norm.has("weight"))
    #expect(weights.hasComponent("down.1") && !weights.hasComponent("down.2"))
    #expect(!weights.hasComponent("dow"))
    #expect(norm.shape("bias") == [2] && norm.shape("weight") == nil)
    #expect(try norm.tensor("bias", [2]).values == [7, 8])
    #expect(try norm.optional("weight", [2]) == nil)
    #expect(weights.unused == ["conv_in.weight", "down.1.norm.bias"])
    #expect(weights["down.1"].unused == ["down.1.norm.bias"])
  }

  @Test func errorsNameTheFileTheWholeKeyAndBothShapes() throws {
    try Safetensors.write(tensors, to: folder.file("model.safetensors"))
    let weights = try Weights(folder: folder.url)
    expectError(.shape, "model.safetensors", "\"down.0.norm.bias\"", "[2]", "[3]") {
      _ = try weights["down.0.norm"].tensor("bias", [3])
    }
    expectError(.name, "model.safetensors", "\"down.0.norm.weight\"") {
      _ = try weights["down.0.norm"].tensor("weight", [3])
    }
  }

  @Test(arguments: [
    "diffusion_pytorch_model.safetensors", "model.safetensors", "model.fp16.safetensors",
    "diffusion_pytorch_model.fp16.safetensors", "model.bf16.safetensors",
  ])
  func findsTheUsualNames(_ name: String) throws {
    try Safetensors.write(tensors, to: folder.file(name), as: .f16)
    #expect(try Weights(folder: folder.url)["down.0"].tensor("norm.bias", [2]).values == [7, 8])
  }

  @Test func fullPrecisionComesBeforeVariants() throws {
    try Safetensors.write(
      [("w", Tensor(shape: [1], values: [1]))], to: folder.file("model.safetensors"))
    try Safetensors.write(
      [("w", Tensor(shape: [1], values: [2]))], to: folder.file("model.fp16.safetensors"))
    #expect(try Weights(folder: folder.url).tensor("w", [1]).values == [1])
  }

  @Test func aFolderWithoutWeightsSaysSo() throws {
    expectError(.file, "holds no weights") { _ = try Weights(folder: folder.url) }
    _ = try folder.write("x", "pytorch_model.bin")
    expectError(.format, "pytorch_model.bin", "no checkpoint") {
      _ = try Weights(folder: folder.url)
    }
  }

  @Test func aShardedIndexJoinsItsFiles() throws {
    try Safetensors.write([tensors[0]], to: folder.file("model-00001-of-00002.safetensors"))
    try Safetensors.write(Array(tensors[1...]), to: folder.file("model-00002-of-00002.safetensors"))
    _ = try folder.write(
      """
      {"metadata": {"total_size": 36}, "weight_map": {
        "conv_in.weight": "model-00001-of-00002.safetensors",
        "down.0.norm.bias": "model-00002-of-00002.safetensors",
        "down.1.norm.bias": "model-00002-of-00002.safetensors"}}
      """, "model.safetensors.index.json")
    let weights = try Weights(folder: folder.url)
    for (name, tensor) in tensors { #expect(try weights.tensor(name, tensor.shape) == tensor) }
    #expect(weights.unused.isEmpty)
  }

  @Test(arguments: [
    ("[]", EvokeError.Kind.format, "weight_map"),
    ("{\"weight_map\": 1}", .format, "weight_map"),
    ("{\"weight_map\": {\"a\": 1}}", .format, "\"a\""),
    ("{\"weight_map\": {\"a\": \"../model.safetensors\"}}", .format, "\"a\""),
    ("{\"weight_map\": {\"a\": \"absent.safetensors\"}}", .file, "absent.safetensors"),
    ("{\"weight_map\": {\"a\": \"shard.safetensors\"}}", .name, "\"a\""),
  ])
  func aLyingIndexIsRefused(_ index: String, _ kind: EvokeError.Kind, _ word: String) throws {
    try Safetensors.write(tensors, to: folder.file("shard.safetensors"))
    _ = try folder.write(index, "diffusion_pytorch_model.safetensors.index.json")
    expectError(kind, word) { _ = try Weights(folder: folder.url) }
  }
}
