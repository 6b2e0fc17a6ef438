import Checkpoints
import Foundation
import Tensors

/// Runs single parts of evoke on given inputs, for the comparisons in scripts/conformance.
///
/// `conformance-probe OPERATION ARGUMENT…`; the operations say what they take. Most read tensors from
/// one safetensors file and write tensors to another.
@main
struct Probe {
  static func main() {
    let arguments = CommandLine.arguments.dropFirst()
    guard let name = arguments.first, let operation = operations[name] else {
      let known = operations.keys.sorted().joined(separator: ", ")
      fail("usage: conformance-probe OPERATION ARGUMENT…\noperations: \(known)")
    }
    do {
      try operation(Arguments(Array(arguments.dropFirst())))
    } catch {
      fail("conformance-probe \(name): \(error)")
    }
  }

  private static func fail(_ message: String) -> Never {
    FileHandle.standardError.write(Data((message + "\n").utf8))
    exit(1)
  }
}

/// What one operation does with the rest of the command line.
typealias Operation = @Sendable (Arguments) throws -> Void

/// All operations by name; each file of this folder has a table of its own.
private let operations: [String: Operation] = [
  textOperations, imageOperations, searchOperations, inversionOperations, gradientOperations,
  pictureOperations,
].reduce(into: [:]) { all, some in all.merge(some) { first, _ in first } }

/// The command line behind the operation's name.
struct Arguments {
  private let words: [String]

  init(_ words: [String]) { self.words = words }

  func string(_ place: Int) throws -> String {
    guard words.indices.contains(place) else {
      throw EvokeError(.usage, "argument \(place + 1) is missing")
    }
    return words[place]
  }

  func url(_ place: Int) throws -> URL { URL(fileURLWithPath: try string(place)) }

  func int(_ place: Int) throws -> Int {
    guard let number = Int(try string(place)) else {
      throw EvokeError(.usage, "argument \(place + 1) is not an integer")
    }
    return number
  }

  /// The arguments from a place on.
  func rest(_ place: Int) -> [String] { Array(words.dropFirst(place)) }
}

extension SafetensorsFile {
  /// A tensor of whole numbers, [n, L] → n lists.
  func integerRows(_ name: String) throws -> [[Int]] {
    let tensor = try tensor(name)
    let length = max(tensor.shape.last ?? 1, 1)
    let values = tensor.values.map { Int($0) }
    return stride(from: 0, to: values.count, by: length).map { Array(values[$0..<$0 + length]) }
  }
}
