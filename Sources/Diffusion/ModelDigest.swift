import Checkpoints
import Crypto
import Foundation
import Tensors

/// The digest by which a session recognises a model.
enum ModelDigest {
  /// Files are hashed in pieces of this many bytes, so that all cores can work on one file.
  static let pieceLength = 1 << 24

  /// SHA-256 over the names, sizes and piece digests of a model's files.
  static func of(_ files: ModelFiles) throws -> String { try of(files.digested()) }

  /// The same of any files, in the order given.
  static func of(_ files: [(name: String, url: URL)]) throws -> String {
    var whole = SHA256()
    for (name, url) in files {
      let known = DigestMemory.Entry(url)
      let pieces: [Data]
      let count: Int
      if let known, let remembered = known.pieces() {
        (pieces, count) = (remembered, known.size)
      } else {
        let data = try mappedData(url)
        (pieces, count) = (pieceDigests(data), data.count)
        if let known, known.size == count { known.remember(pieces) }
      }
      whole.update(data: Data("\(name)\n\(count)\n".utf8))
      for piece in pieces { whole.update(data: piece) }
    }
    return whole.finalize().map { hexadecimal($0) }.joined()
  }

  static func hexadecimal(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
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
