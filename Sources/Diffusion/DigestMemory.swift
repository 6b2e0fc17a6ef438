import Crypto
import Foundation
import Tensors

/// The piece digests of large files, remembered while a file's size, times and place on the disk stay
/// as they are: hashing gigabytes at every start would take longer than loading them.
///
/// One small file each in the cache folder (`$EVOKE_HOME/digests`, or `evoke/digests` in the user's
/// cache). Whatever is missing or damaged there is computed again; nothing fails for its sake.
enum DigestMemory {
  /// Smaller files are hashed faster than looked up.
  private static let least = 1 << 26

  /// What identifies a state of a large file.
  struct Entry {
    let size: Int
    private let state: String
    private let memory: URL

    /// Nil for a file that is small or cannot be looked at.
    init?(_ url: URL, in folder: URL? = DigestMemory.folder, least: Int = DigestMemory.least) {
      var status = stat()
      let path = url.standardizedFileURL.path
      guard let folder, stat(path, &status) == 0, status.st_size >= least else { return nil }
      size = Int(status.st_size)
      #if os(Linux)
        let (changed, modified) = (status.st_ctim, status.st_mtim)
      #else
        let (changed, modified) = (status.st_ctimespec, status.st_mtimespec)
      #endif
      state = [
        "evoke digest 1", path, "\(size)", "\(status.st_ino)",
        "\(modified.tv_sec).\(modified.tv_nsec)", "\(changed.tv_sec).\(changed.tv_nsec)",
      ].joined(separator: "\n")
      let name = SHA256.hash(data: Data(path.utf8)).prefix(16)
        .map { ModelDigest.hexadecimal($0) }.joined()
      memory = folder.appendingPathComponent(name)
    }

    /// The piece digests, if this state of the file has been seen.
    func pieces() -> [Data]? {
      guard let text = try? String(contentsOf: memory, encoding: .utf8),
        text.hasPrefix(state + "\n")
      else { return nil }
      let lines = text.dropFirst(state.count + 1).split(separator: "\n")
      let pieces = lines.compactMap { DigestMemory.bytes($0) }
      let count = (size + ModelDigest.pieceLength - 1) / ModelDigest.pieceLength
      return pieces.count == count && lines.count == count ? pieces : nil
    }

    /// Keeps the piece digests; a cache that cannot be written stays as it is.
    func remember(_ pieces: [Data]) {
      let lines = pieces.map { $0.map { ModelDigest.hexadecimal($0) }.joined() }
      let text = state + "\n" + lines.joined(separator: "\n") + "\n"
      let folder = memory.deletingLastPathComponent()
      try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try? AtomicFile.write(Data(text.utf8), to: memory)
    }
  }

  /// Where they are kept; nil where the user has no home.
  static var folder: URL? {
    let environment = ProcessInfo.processInfo.environment
    func folder(_ variable: String, _ path: String) -> URL? {
      guard let value = environment[variable], value.hasPrefix("/") else { return nil }
      return URL(fileURLWithPath: value).appendingPathComponent(path)
    }
    return folder("EVOKE_HOME", "digests") ?? folder("XDG_CACHE_HOME", "evoke/digests")
      ?? folder("HOME", ".cache/evoke/digests")
  }

  /// The 32 bytes that 64 hexadecimal digits stand for.
  private static func bytes(_ digits: Substring) -> Data? {
    let nibbles = digits.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    guard nibbles.count == 64, digits.utf8.count == 64 else { return nil }
    return Data(stride(from: 0, to: 64, by: 2).map { UInt8(nibbles[$0] * 16 + nibbles[$0 + 1]) })
  }
}
