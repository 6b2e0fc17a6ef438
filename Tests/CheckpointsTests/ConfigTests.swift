import Foundation
import Tensors
import Testing

@testable import Checkpoints

@Suite struct ConfigTests {
  private let folder: TemporaryFolder
  private let config: Config

  init() throws {
    folder = try TemporaryFolder()
    let text = """
      {"layers": 12, "eps": 1e-05, "one": 1, "causal": true, "act": "gelu", "heads": [5, 10, 20],
       "head": 8, "mean": [0.5, 1], "blocks": ["a", "b"], "none": null, "mixed": [1, "a"],
       "inner": {"depth": 2}}
      """
    config = try Config(folder.write(text, "config.json"))
  }

  @Test func valuesComeInTheirTypes() throws {
    #expect(try config.int("layers") == 12)
    #expect(try config.double("eps") == 1e-5)
    #expect(try config.double("one") == 1)
    #expect(try config.bool("causal"))
    #expect(try config.string("act") == "gelu")
    #expect(try config.ints("heads") == [5, 10, 20])
    #expect(try config.ints("head") == [8])
    #expect(try config.doubles("mean") == [0.5, 1])
    #expect(try config.strings("blocks") == ["a", "b"])
    #expect(try config.config("inner").int("depth") == 2)
    #expect(config.has("act") && !config.has("none") && !config.has("absent"))
    #expect(config.keys.prefix(2) == ["layers", "eps"])
  }

  @Test(arguments: ["none", "absent"])
  func missingAndNullTakeTheDefault(_ key: String) throws {
    #expect(try config.int(key, default: 3) == 3)
    #expect(try config.double(key, default: 0.5) == 0.5)
    #expect(try config.bool(key, default: true))
    #expect(try config.string(key, default: "silu") == "silu")
    #expect(try config.ints(key, default: [1]) == [1])
    #expect(try config.doubles(key, default: [2]) == [2])
    #expect(try config.strings(key, default: []) == [])
    expectError(.format, "config.json", "\"\(key)\"") { _ = try config.int(key) }
    expectError(.format, "config.json", "\"\(key)\"") { _ = try config.config(key) }
  }

  @Test func otherTypesAreErrorsEvenWithADefault() {
    expectError(.format, "\"eps\"", "an integer") { _ = try config.int("eps", default: 1) }
    expectError(.format, "\"act\"", "a number") { _ = try config.double("act") }
    expectError(.format, "\"one\"", "true or false") { _ = try config.bool("one") }
    expectError(.format, "\"one\"", "a string") { _ = try config.string("one") }
    expectError(.format, "\"mixed\"", "a list of integers") { _ = try config.ints("mixed") }
    expectError(.format, "\"act\"", "a list of integers") { _ = try config.ints("act") }
    expectError(.format, "\"mixed\"", "a list of numbers") { _ = try config.doubles("mixed") }
    expectError(.format, "\"mixed\"", "a list of strings") { _ = try config.strings("mixed") }
    expectError(.format, "\"heads\"", "an object") { _ = try config.config("heads") }
    expectError(.format, "inner", "\"x\"") { _ = try config.config("inner").int("x") }
  }

  @Test func aDocumentThatIsNoObjectIsRefused() throws {
    let list = try folder.write("[1]", "list.json")
    expectError(.format, "list.json", "a list") { _ = try Config(list) }
    expectError(.file, "absent.json") { _ = try Config(folder.file("absent.json")) }
    let empty = try folder.write("", "empty.json")
    expectError(.format, "empty.json") { _ = try Config(empty) }
  }
}
