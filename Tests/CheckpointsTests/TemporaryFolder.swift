import Foundation
import Tensors
import Testing

/// A folder that is deleted with this object.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("evoke-checkpoints-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ name: String) -> URL { url.appendingPathComponent(name) }

  func write(_ data: Data, _ name: String) throws -> URL {
    try data.write(to: file(name))
    return file(name)
  }

  func write(_ text: String, _ name: String) throws -> URL { try write(Data(text.utf8), name) }
}

/// The bytes of a safetensors file with any header over any data.
func safetensors(_ header: String, length: UInt64? = nil, data: Int = 0) -> Data {
  var file = Data()
  withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) {
    file.append(contentsOf: $0)
  }
  file.append(contentsOf: header.utf8)
  file.append(contentsOf: repeatElement(0, count: data))
  return file
}

/// Expects an `EvokeError` of one kind whose message holds all the given words.
func expectError(
  _ kind: EvokeError.Kind, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record("no error was thrown", sourceLocation: sourceLocation)
  } catch let error as EvokeError {
    #expect(error.kind == kind, "\(error)", sourceLocation: sourceLocation)
    for word in words {
      #expect(error.message.contains(word), "\(error)", sourceLocation: sourceLocation)
    }
  } catch {
    Issue.record("another error: \(error)", sourceLocation: sourceLocation)
  }
}
