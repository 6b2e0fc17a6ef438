import Language
import Tensors
import Testing

@testable import Workbench

/// What the store keeps comes back as it was.
@Suite struct StorableTests {
  @Test func valuesComeBackWithTheirDigests() throws {
    let outcome = try Script().run(DeterminismTests.inversion)
    for name in ["photos", "start", "space", "es", "star", "drawn", "near"] {
      let value = outcome[name]
      let bytes = try #require(ValueEncoder.bytes(of: value), "\(name)")
      let back = try ValueDecoder.value(of: bytes, registry: Workbench.registry)
      #expect(back.digest == value.digest, "\(name)")
      #expect(back.echo == value.echo, "\(name)")
      // Calls are recognised by these bytes.
      #expect(ValueEncoder.bytes(of: back) == bytes, "\(name)")
    }
    for name in ["m", "loss"] { #expect(ValueEncoder.bytes(of: outcome[name]) == nil, "\(name)") }
  }

  @Test func callsOnModelsOfAnotherPrecisionAreOthers() throws {
    let outcome = try Script().run(
      """
      photos = images("PHOTOS", limit: 1)
      a = denoising(model("demo"), photos, draws: 1, heldout_draws: 1, seed: 1)
      b = denoising(model("demo", precision: .bfloat16), photos, draws: 1, heldout_draws: 1, seed: 1)
      c = denoising(model("demo"), photos, draws: 1, heldout_draws: 1, seed: 1)
      """)
    #expect(outcome.digest("a") != outcome.digest("b"))
    #expect(outcome.digest("a") == outcome.digest("c"))
  }

  @Test func damagedBytesAreRefused() throws {
    let outcome = try Script().run("m = model(\"demo\")\nstart = word(m, \"star\")\n")
    let bytes = try #require(ValueEncoder.bytes(of: outcome["start"]))
    for end in stride(from: 0, to: bytes.count, by: 37) {
      #expect(throws: EvokeError.self) {
        try ValueDecoder.value(of: Array(bytes[..<end]), registry: Workbench.registry)
      }
    }
    for place in 0..<40 {
      var damaged = bytes
      damaged[place] ^= 0xff
      _ = try? ValueDecoder.value(of: damaged, registry: Workbench.registry)
    }
  }

  /// Goes on from checkpoints as a process that was killed does.
  private final class Memory: CallMemory {
    let typeName: String
    var reached: [Value] = []
    init(_ typeName: String) { self.typeName = typeName }
    var threshold: Duration { .seconds(1000) }
    func mayKnow(_ builtin: String) -> Bool { true }
    func finished(_ key: CallKey) -> (value: Value, draws: Int)? { nil }
    func unfinished(_ key: CallKey) -> Value? { reached.last }
    func keep(_ value: Value, for key: CallKey, draws: Int, duration: Duration) {}
    func keep(unfinished value: Value, for key: CallKey) {
      if value.typeName == typeName { reached.append(value) }
    }
  }

  @Test(arguments: [("es", "Search"), ("ad", "Descent")])
  func runsGoOnFromTheirCheckpoints(_ name: String, _ typeName: String) throws {
    let source = DeterminismTests.inversion.replacingOccurrences(
      of: "generations: 2)", with: "generations: 3, check: 2)"
    ).replacingOccurrences(of: "steps: 2)\nstar", with: "steps: 3, check: 2)\nstar")
    let memory = Memory(typeName)
    let whole = try Script().run(source, memory: memory)
    #expect(memory.reached.count == 3)
    for reached in 1...3 {
      let later = Memory(typeName)
      let bytes = try #require(ValueEncoder.bytes(of: memory.reached[reached - 1]))
      later.reached = [try ValueDecoder.value(of: bytes, registry: Workbench.registry)]
      let resumed = try Script().run(source, memory: later)
      #expect(resumed.digest(name) == whole.digest(name))
      #expect(resumed[name].echo == whole[name].echo)
      #expect(later.reached.count == 1 + 3 - reached)
    }
  }
}
