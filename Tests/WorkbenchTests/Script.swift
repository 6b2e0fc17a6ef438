import Foundation
import Language
import Tensors
import Testing

@testable import Workbench

/// Runs scripts with evoke's vocabulary in a folder that goes away.
struct Script {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("evoke-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  /// The concept that the tests learn.
  static let photos = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../examples/concepts/coral-star/given").standardizedFileURL

  /// Runs `source`; `photos` in it stands for the path of five pictures.
  func run(_ source: String, memory: (any CallMemory)? = nil) throws -> Outcome {
    let files = FileAccess(folder: folder, allowed: [Self.photos.deletingLastPathComponent()])
    let interpreter = Interpreter(
      registry: Workbench.registry, host: TestHost(files: files), seed: 7)
    interpreter.memory = memory
    let text = source.replacingOccurrences(of: "PHOTOS", with: Self.photos.path)
    let program = try interpreter.prepare(text, name: "test.evk")
    var results: [StatementResult] = []
    try interpreter.run(program) { results.append($0) }
    return Outcome(results: results, interpreter: interpreter)
  }

  /// The message and the hint of the error that `source` ends in.
  func failure(_ source: String) -> String {
    do {
      _ = try run(source)
      return "no error"
    } catch let error as Diagnostic {
      return error.rendered()
    } catch let errors as Diagnostics {
      return errors.rendered()
    } catch {
      return "\(error)"
    }
  }

  struct Outcome {
    let results: [StatementResult]
    let interpreter: Interpreter

    /// The value of a name.
    subscript(_ name: String) -> Value { interpreter[name] ?? .none }

    func tensor(_ name: String) throws -> Tensor {
      guard case .tensor(let tensor) = self[name] else {
        throw EvokeError(.type, "\(name) is no tensor: \(self[name].echo)")
      }
      return tensor
    }

    func double(_ name: String) throws -> Double {
      guard case .double(let double) = self[name] else {
        throw EvokeError(.type, "\(name) is no double: \(self[name].echo)")
      }
      return double
    }

    /// The digest of a name's value.
    func digest(_ name: String) -> String { self[name].digest }
  }

  private struct TestHost: ScriptHost {
    let files: FileAccess
    func readURL(_ path: String) throws -> URL { try files.readURL(path) }
    func writeURL(_ path: String) throws -> URL { try files.writeURL(path) }
  }
}
