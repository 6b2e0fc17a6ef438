import Foundation
import Tensors
import Testing

@testable import Checkpoints

/// Python's pickle instructions, as far as these tests write them.
enum Pickle {
  static let start: [UInt8] = [0x80, 2]
  static let mark: [UInt8] = [0x28]
  static let stop: [UInt8] = [0x2E]
  static let reduce: [UInt8] = [0x52]
  static let emptyDictionary: [UInt8] = [0x7D]
  static let emptyTuple: [UInt8] = [0x29]
  static let emptyList: [UInt8] = [0x5D]
  static func global(_ module: String, _ name: String) -> [UInt8] {
    [0x63] + Array("\(module)\n\(name)\n".utf8)
  }
  static func string(_ text: String) -> [UInt8] {
    [0x58] + bytes(UInt32(text.utf8.count)) + Array(text.utf8)
  }
  static func int(_ number: Int) -> [UInt8] {
    [0x8A, 8] + bytes(UInt64(bitPattern: Int64(number)))
  }
  static func tuple(_ items: [UInt8]...) -> [UInt8] { mark + items.flatMap { $0 } + [0x74] }
  static func put(_ place: UInt8) -> [UInt8] { [0x71, place] }
  static func get(_ place: UInt8) -> [UInt8] { [0x68, place] }
  static func set(_ key: String, _ value: [UInt8]) -> [UInt8] { string(key) + value + [0x73] }
  static func bytes<N: FixedWidthInteger>(_ number: N) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
  }

  static func storage(_ count: Int, key: String = "0", type: String = "FloatStorage") -> [UInt8] {
    tuple(string("storage"), global("torch", type), string(key), string("cpu"), int(count)) + [0x51]
  }

  /// A tensor over a storage.
  static func tensor(
    _ shape: [Int], _ strides: [Int], storage: [UInt8], offset: Int = 0
  ) -> [UInt8] {
    let sizes = { (sizes: [Int]) in mark + sizes.flatMap(int) + [0x74] }
    return global("torch._utils", "_rebuild_tensor_v2")
      + tuple(storage, int(offset), sizes(shape), sizes(strides), [0x89], [0x4E]) + reduce
  }

  /// {"w": value}
  static func file(_ value: [UInt8]) -> [UInt8] {
    start + emptyDictionary + set("w", value) + stop
  }
}

/// A zip archive of entries stored as they are, or pretending another method.
func zip(
  _ entries: [(String, [UInt8])], method: UInt16 = 0, lie: (inout [UInt8]) -> Void = { _ in }
)
  -> Data
{
  var archive: [UInt8] = []
  var directory: [UInt8] = []
  for (name, content) in entries {
    let sizes =
      Pickle.bytes(UInt32(0)) + Pickle.bytes(UInt32(content.count))
      + Pickle.bytes(UInt32(content.count))
    let common =
      Pickle.bytes(UInt16(20)) + Pickle.bytes(UInt16(0)) + Pickle.bytes(method) + [0, 0, 0, 0]
      + sizes + Pickle.bytes(UInt16(name.utf8.count)) + [0, 0]
    directory += [0x50, 0x4B, 1, 2, 20, 0] + common + [UInt8](repeating: 0, count: 10)
    directory += Pickle.bytes(UInt32(archive.count)) + Array(name.utf8)
    archive += [0x50, 0x4B, 3, 4] + common + Array(name.utf8) + content
  }
  let start = archive.count
  archive += directory + [0x50, 0x4B, 5, 6, 0, 0, 0, 0]
  archive += Pickle.bytes(UInt16(entries.count)) + Pickle.bytes(UInt16(entries.count))
  archive += Pickle.bytes(UInt32(directory.count)) + Pickle.bytes(UInt32(start)) + [0, 0]
  lie(&archive)
  return Data(archive)
}

/// A torch archive of one storage of 16 bytes.
func torch(_ pickle: [UInt8], storage: Int = 16) -> Data {
  zip([("a/data.pkl", pickle), ("a/data/0", Array(repeating: 0, count: storage))])
}

private func hostile(_ description: String, _ pickle: [UInt8], _ words: String...) -> HostileFile {
  HostileFile(description, torch(pickle), words)
}

/// Pickles that would run something, one way or another.
private let executing: [HostileFile] = {
  let arguments = Pickle.tuple(Pickle.string("touch evoke-was-here"))
  let legacy =
    [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]
    + Pickle.start + Pickle.int(1001) + Pickle.stop + Pickle.start + Pickle.emptyDictionary
    + Pickle.stop
  let attack = Pickle.global("os", "system") + arguments + Pickle.reduce
  return [
    hostile("os.system", Pickle.file(attack), "os.system", "nothing was run"),
    hostile(
      "posix.system before the dictionary",
      Pickle.start + Pickle.global("posix", "system") + arguments + Pickle.reduce + [0x30]
        + Pickle.file([0x4E]).dropFirst(2), "posix.system"),
    hostile(
      "eval", Pickle.file(Pickle.global("builtins", "eval") + arguments + Pickle.reduce),
      "builtins.eval"),
    hostile(
      "getattr", Pickle.file(Pickle.global("builtins", "getattr") + arguments + Pickle.reduce),
      "builtins.getattr"),
    hostile(
      "by STACK_GLOBAL",
      Pickle.file(
        Pickle.string("subprocess") + Pickle.string("Popen") + [0x93] + arguments + Pickle.reduce),
      "subprocess.Popen"),
    hostile(
      "by NEWOBJ", Pickle.file(Pickle.global("code", "InteractiveConsole") + arguments + [0x81]),
      "code.InteractiveConsole"),
    hostile(
      "by INST", Pickle.file(Pickle.mark + [0x69] + Array("os\nsystem\n".utf8)), "instruction 105"),
    hostile("by an extension", Pickle.file([0x82, 1]), "instruction 130"),
    hostile("by a line of protocol 0", Array("cos\nsystem\n".utf8) + Pickle.stop, "os.system"),
    HostileFile("before torch 1.6", Data(legacy + Pickle.file(attack)), ["os.system"]),
    HostileFile("a bare pickle", Data(Pickle.file(attack)), ["os.system"]),
    hostile(
      "a harmless class of a harmful name",
      Pickle.file(Pickle.global("torchx", "load") + arguments + Pickle.reduce), "torchx.load"),
  ]
}()

/// Pickles that lie about what they hold.
private let lying: [HostileFile] = {
  let four = Pickle.storage(4)
  let nested = [UInt8](repeating: 0x85, count: 300_000)
  let manyLists = (0..<2_000).flatMap { _ in
    Pickle.global("collections", "OrderedDict") + Pickle.get(1) + [0x85, 0x52, 0x30]
  }
  let pairs = (0..<10_000).flatMap { _ in Pickle.get(0) }
  return [
    hostile("beyond its storage", Pickle.file(Pickle.tensor([5], [1], storage: four)), "leaves"),
    hostile(
      "an offset beyond it", Pickle.file(Pickle.tensor([1], [1], storage: four, offset: 4)),
      "leaves"),
    hostile(
      "strides beyond it", Pickle.file(Pickle.tensor([2, 2], [3, 1], storage: four)), "leaves"),
    hostile(
      "a negative stride", Pickle.file(Pickle.tensor([2], [-1], storage: four)), "a size"),
    hostile("a negative size", Pickle.file(Pickle.tensor([-2], [1], storage: four)), "a size"),
    hostile(
      "absurd sizes", Pickle.file(Pickle.tensor([1 << 39, 1 << 39], [0, 0], storage: four)),
      "leaves"),
    hostile(
      "sizes that overflow",
      Pickle.file(Pickle.tensor([1 << 39, 1 << 39], [1 << 39, 1], storage: four)), "shape"),
    hostile(
      "an expanded number", Pickle.file(Pickle.tensor([1 << 30], [0], storage: four)), "leaves"),
    hostile(
      "more numbers than bytes",
      Pickle.file(Pickle.tensor([5], [1], storage: Pickle.storage(5))), "5 numbers", "4 of them"),
    hostile(
      "a missing storage",
      Pickle.file(Pickle.tensor([1], [1], storage: Pickle.storage(1, key: "7"))), "\"w\"", "0 of"),
    hostile(
      "shape and strides differ", Pickle.file(Pickle.tensor([2, 2], [1], storage: four)),
      "strides"),
    hostile("a negative count", Pickle.file(Pickle.storage(-1)), "no storage"),
    hostile("a storage of nothing", Pickle.file(Pickle.string("x") + [0x51]), "no storage"),
    hostile(
      "a tensor of nothing",
      Pickle.file(
        Pickle.global("torch._utils", "_rebuild_tensor_v2") + Pickle.emptyTuple + Pickle.reduce),
      "without a storage"),
    hostile(
      "a list, not a dictionary", Pickle.start + Pickle.emptyList + Pickle.stop,
      "no dictionary"),
    hostile("nothing", [], "cut off"),
    hostile("an empty stack", Pickle.start + Pickle.stop, "missing"),
    hostile(
      "a value below a mark", Pickle.start + Pickle.emptyList + Pickle.mark + [0x30, 0x2E],
      "missing"),
    hostile("marks that are not there", Pickle.start + [0x74, 0x2E], "mark"),
    hostile("an unknown value", Pickle.start + Pickle.get(9) + Pickle.stop, "unknown value"),
    hostile("a text longer than the file", Pickle.start + [0x58, 255, 255, 255, 127], "cut off"),
    hostile("a text of 2^63 bytes", Pickle.start + [0x8D] + Pickle.bytes(UInt64.max), "absurd"),
    hostile(
      "nested 300,000 deep", Pickle.start + Pickle.emptyTuple + nested + Pickle.stop,
      "more objects"),
    hostile(
      "inside itself",
      Pickle.start + Pickle.emptyList + Pickle.put(0) + Pickle.get(0) + [0x61] + Pickle.stop,
      "no dictionary"),
    hostile(
      "the same list 2,000 times",
      Pickle.start + Pickle.tuple(Pickle.string("k"), [0x4E]) + Pickle.put(0) + Pickle.mark + pairs
        + [0x6C] + Pickle.put(1) + manyLists + Pickle.stop, "too much"),
  ]
}()

/// Archives that lie about their entries.
private let archives: [HostileFile] = {
  let pickle = Pickle.file(Pickle.tensor([4], [1], storage: Pickle.storage(4)))
  let good = torch(pickle)
  func changed(_ change: @escaping (inout [UInt8]) -> Void) -> Data {
    zip([("a/data.pkl", pickle), ("a/data/0", Array(repeating: 0, count: 16))], lie: change)
  }
  return [
    HostileFile("without its end", good.dropLast(30), ["cut off"]),
    HostileFile("four bytes", good.prefix(4), ["cut off"]),
    HostileFile("compressed", zip([("a/data.pkl", pickle)], method: 8), ["compressed"]),
    HostileFile("no pickle", zip([("a/other", pickle)]), ["no data.pkl"]),
    HostileFile(
      "an entry twice", zip([("a/data.pkl", pickle), ("a/data.pkl", pickle)]), ["twice"]),
    HostileFile(
      "big-endian", zip([("a/data.pkl", pickle), ("a/byteorder", Array("big".utf8))]),
      ["big-endian"]),
    HostileFile("more entries than there are", changed { $0[$0.count - 12] = 9 }, ["directory"]),
    HostileFile("a directory beyond the file", changed { $0[$0.count - 3] = 0x7F }, ["cut off"]),
    HostileFile(
      "an entry elsewhere",
      changed { $0[$0.count - 22 - ("a/data/0".utf8.count) - 4] = 1 }, ["not where"]),
    HostileFile(
      "an entry longer than the file",
      changed { $0[$0.count - 22 - ("a/data/0".utf8.count) - 20] = 0x7F }, ["cut off"]),
    HostileFile("no checkpoint at all", Data("<html>".utf8), ["no checkpoint"]),
    HostileFile("an empty file", Data(), ["no checkpoint"]),
  ]
}()

@Suite struct HostilePickleTests {
  @Test(arguments: executing + lying + archives)
  func isRefusedWithTheReason(_ hostile: HostileFile) throws {
    let folder = try TemporaryFolder()
    let url = try folder.write(hostile.bytes, "lying.ckpt")
    do {
      _ = try TorchFile(url)
      Issue.record("it was opened")
    } catch let error as EvokeError {
      #expect(error.kind == .format)
      #expect(error.message.contains("lying.ckpt"), "\(error)")
      for word in hostile.words { #expect(error.message.contains(word), "\(error)") }
    }
    #expect(!FileManager.default.fileExists(atPath: "evoke-was-here"))
  }

  @Test func theCorpusItselfIsSound() throws {
    let folder = try TemporaryFolder()
    let tensor = Pickle.tensor([2, 2], [1, 2], storage: Pickle.storage(4))
    let file = try TorchFile(folder.write(torch(Pickle.file(tensor)), "good.ckpt"))
    #expect(file.names == ["w"])
    #expect(try file.tensor("w") == Tensor(zeros: [2, 2]))
  }
}
