import Foundation
import Testing

@testable import Tensors

@Suite struct FoundationTests {
  @Test func everyIndexOnce() {
    for count in [0, 1, 2, 3, 100, 1000] {
      let hits = Tensor(shape: [count]) { to in
        nonisolated(unsafe) let to = to
        for i in to.indices { to[i] = 0 }
        parallel(count) { to[$0] += 1 }
      }
      #expect(hits.values.allSatisfy { $0 == 1 })
    }
  }

  @Test func nestedCallsRunInline() {
    let sums = Tensor(shape: [8]) { to in
      nonisolated(unsafe) let to = to
      parallel(8) { i in
        nonisolated(unsafe) var sum: Float = 0
        parallel(10) { sum += Float($0) }
        to[i] = sum
      }
    }
    #expect(sums.values.allSatisfy { $0 == 45 })
  }

  @Test func severalCallersAtOnce() async {
    let layer = Linear(weight: Tensor(repeating: 1, shape: [64, 64]), bias: nil)
    let x = Tensor(repeating: 1, shape: [500, 64])
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 {
        group.addTask { (0..<20).allSatisfy { _ in layer(x).values.allSatisfy { $0 == 64 } } }
      }
      for await fine in group { #expect(fine) }
    }
  }

  @Test func misspeltNames() {
    let names = ["generate", "evolve", "subspace", "model"]
    #expect(closest(to: "genrate", among: names) == "generate")
    #expect(closest(to: "Model", among: names) == "model")
    #expect(closest(to: "evovle", among: names) == "evolve")
    #expect(closest(to: "picture", among: names) == nil)
    #expect(closest(to: "x", among: []) == nil)
  }

  @Test func errorsReadAsText() {
    #expect("\(EvokeError(.file, "no file \"a\""))" == "no file \"a\"")
    #expect("\(EvokeError(.file, "no file", hint: "look"))" == "no file (look)")
  }

  @Test func tensorsCompareByBits() {
    let nan = Tensor(shape: [1], values: [.nan])
    #expect(nan == nan)
    #expect(Tensor(shape: [1], values: [0]) != Tensor(shape: [1], values: [-0.0]))
    #expect(Tensor(zeros: [2]) != Tensor(zeros: [2, 1]))
    #expect(Tensor(zeros: [0, 3]).values.isEmpty)
    #expect(Tensor(repeating: 2, shape: []).values == [2])
  }
}

@Suite struct AtomicFileTests {
  private func folder() throws -> URL {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url
  }

  @Test func replacesAndLeavesNothingElse() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("a.txt")
    try AtomicFile.write(Data("one".utf8), to: file)
    try AtomicFile.write(Data("two".utf8), to: file)
    #expect(try String(contentsOf: file, encoding: .utf8) == "two")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.txt"])
  }

  @Test func failuresSayWhy() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let missing = folder.appendingPathComponent("no/such/file")
    #expect {
      try AtomicFile.write(Data(), to: missing)
    } throws: {
      ($0 as? EvokeError)?.message.contains("there is no folder") == true
    }
    let below = folder.appendingPathComponent("sub")
    try FileManager.default.createDirectory(at: below, withIntermediateDirectories: true)
    #expect {
      try AtomicFile.write(Data([1]), to: below)
    } throws: {
      ($0 as? EvokeError)?.message.contains("it is a folder") == true
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["sub"])
  }
}
