import Foundation

/// Writes files whole: to a temporary name beside the target, then renamed over it.
public enum AtomicFile {
  /// Writes the data under the name, or throws and leaves what was there untouched.
  ///
  /// - Throws: `EvokeError` of kind `.file` when the folder is missing or not writable.
  public static func write(_ data: Data, to url: URL) throws {
    let temporary = url.deletingLastPathComponent().appendingPathComponent(
      ".\(url.lastPathComponent).\(ProcessInfo.processInfo.processIdentifier).part")
    do {
      try data.write(to: temporary)
      guard rename(temporary.path, url.path) == 0 else {
        throw EvokeError(.file, String(cString: strerror(errno)))
      }
    } catch {
      try? FileManager.default.removeItem(at: temporary)
      throw failure(writing: url, because: error)
    }
  }

  private static func failure(writing url: URL, because error: any Error) -> EvokeError {
    var isFolder: ObjCBool = false
    let folder = url.deletingLastPathComponent().path
    if !FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) {
      return EvokeError(
        .file, "cannot write \"\(url.path)\": there is no folder \"\(folder)\"",
        hint: "create the folder first")
    }
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue
    {
      return EvokeError(.file, "cannot write \"\(url.path)\": it is a folder")
    }
    let reason = (error as? EvokeError)?.message ?? (error as NSError).localizedDescription
    return EvokeError(
      .file, "cannot write \"\(url.path)\": \(reason)", hint: "is the folder writable?")
  }
}
