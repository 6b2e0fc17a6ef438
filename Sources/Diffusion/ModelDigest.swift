import Checkpoints
import Crypto
import Foundation
import Tensors

/// The digest by which a session recognises a model.
enum ModelDigest {
  /// Files are hashed in pieces of this many bytes, so that all cores can work on one file.
  private static let pieceLength = 1 << 24

  /// SHA-256 over the names, sizes and piece digests of a model's files, in the order of their names.
  ///
  /// Only what can change a result counts: the `.json`, `.txt` and `.safetensors` files of the folder
  /// and of its parts, no hidden files.
  static func of(_ folder: URL) throws -> String {
    var whole = SHA256()
    for name in try names(in: folder) {
      let data = try mappedData(folder.appendingPathComponent(name))
      whole.update(data: Data("\(name)\n\(data.count)\n".utf8))
      for piece in pieceDigests(data) { whole.update(data: piece) }
    }
    return whole.finalize().map { hexadecimal($0) }.joined()
  }

  private static func hexadecimal(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }

  private static func names(in folder: URL) throws -> [String] {
    let manager = FileManager.default
    var names: [String] = []
    for entry in try contents(folder) where !entry.hasPrefix(".") {
      let url = folder.appendingPathComponent(entry)
      var isFolder: ObjCBool = false
      guard manager.fileExists(atPath: url.path, isDirectory: &isFolder) else { continue }
      let inside = isFolder.boolValue ? try contents(url) : []
      names += isFolder.boolValue ? inside.map { "\(entry)/\($0)" } : [entry]
    }
    let kinds = ["json", "txt", "safetensors"]
    return names.filter { name in
      kinds.contains { name.hasSuffix(".\($0)") } && !name.contains("/.")
    }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func contents(_ folder: URL) throws -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder.path)
    } catch {
      throw EvokeError(.file, "cannot list \(folder.path): \(error.localizedDescription)")
    }
  }

  private static func mappedData(_ url: URL) throws -> Data {
    do {
      return try Data(contentsOf: url, options: .alwaysMapped)
    } catch {
      throw EvokeError(.file, "cannot read \(url.path): \(error.localizedDescription)")
    }
  }

  private static func pieceDigests(_ data: Data) -> [Data] {
    let count = (data.count + pieceLength - 1) / pieceLength
    let digests = DigestTable(count: count)
    parallel(count) { piece in
      let range = piece * pieceLength..<min(data.count, (piece + 1) * pieceLength)
      digests.set(
        piece,
        Data(
          SHA256.hash(
            data: data[data.startIndex + range.lowerBound..<data.startIndex + range.upperBound])))
    }
    return digests.values
  }

  /// Where the pieces' digests are gathered from several threads.
  private final class DigestTable: @unchecked Sendable {
    private let lock = NSLock()
    private var table: [Data]

    init(count: Int) { table = Array(repeating: Data(), count: count) }

    func set(_ index: Int, _ digest: Data) { lock.withLock { table[index] = digest } }

    var values: [Data] { lock.withLock { table } }
  }
}
