import Foundation
import Tensors
import Testing

@testable import Checkpoints

private func golden(_ name: String) -> URL {
  Bundle.module.resourceURL!.appendingPathComponent("Goldens/\(name)")
}

@Suite struct TorchFileTests {
  @Test(arguments: ["torch.ckpt", "torch-plain.pt", "torch-old.bin"])
  func readsWhatTorchSaves(_ name: String) throws {
    let file = try TorchFile(golden(name))
    let expected = try SafetensorsFile(golden("torch-f32.safetensors"))
    #expect(Set(file.names) == Set(expected.names))
    #expect(file.names.prefix(3) == ["f32", "f64", "f16"])
    for name in expected.names {
      let (found, wanted) = (try file.tensor(name), try expected.tensor(name))
      #expect(found.shape == wanted.shape && file.shape(of: name) == wanted.shape)
      for (a, b) in zip(found.values, wanted.values) {
        #expect(a.bitPattern == b.bitPattern || (a.isNaN && b.isNaN), "\(name)")
      }
    }
    if name != "torch-plain.pt" {
      #expect(file.fields["global_step"] == "470000" && file.fields["text"]?.count == 300)
    }
    expectError(.name, name, "\"f3\"") { _ = try file.tensor("f3") }
  }

  @Test func everyTruncationIsRefused() throws {
    let folder = try TemporaryFolder()
    for name in ["torch-plain.pt", "torch-old.bin"] {
      let whole = try Data(contentsOf: golden(name))
      for length in stride(from: 0, to: whole.count, by: 7) {
        let url = try folder.write(whole.prefix(length), "cut.pt")
        expectError(.format, "cut.pt") { _ = try TorchFile(url) }
      }
    }
  }

  /// Any single damaged byte either is refused or leaves a file whose tensors can be read.
  @Test func noDamagedByteCrashes() throws {
    let folder = try TemporaryFolder()
    var refused = 0
    for name in ["torch-plain.pt", "torch-old.bin"] {
      let whole = try Data(contentsOf: golden(name))
      var random = Philox(seed: 5, stream: name)
      for _ in 0..<600 {
        var damaged = whole
        // The pickle and the directory matter most: they stand at the two ends.
        let near = random.integer(below: min(4000, whole.count))
        let position = random.integer(below: 3) == 0 ? whole.count - 1 - near : near
        damaged[position] = UInt8(truncatingIfNeeded: random.nextUInt64())
        let url = try folder.write(damaged, "damaged.pt")
        do {
          let file = try TorchFile(url)
          for name in file.names { _ = try file.tensor(name) }
        } catch let error as EvokeError {
          #expect([.format, .type].contains(error.kind), "\(error)")
          refused += 1
        }
      }
    }
    #expect(refused > 50)
  }
}
