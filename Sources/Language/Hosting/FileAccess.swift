import Foundation
import Tensors

/// Which files a script may read and write, and where its relative paths begin.
///
/// A script reads below its own folder and the paths named on the command line, and writes below
/// its own folder, unless more is allowed. Links are followed before the comparison, so that none
/// leads out.
public struct FileAccess: Sendable {
  /// The script's folder: the start of relative paths.
  public let folder: URL
  /// Paths as given on the command line, relative to `workingFolder`; readable.
  public let commandLinePaths: [String]
  public let workingFolder: URL
  /// Folders and files allowed besides (`--allow`), for reading and writing.
  public let allowed: [URL]
  /// Where writes go instead of below `folder`: a temporary folder during a replay.
  public let writesTo: URL?

  public init(
    folder: URL, commandLinePaths: [String] = [], workingFolder: URL? = nil, allowed: [URL] = [],
    writesTo: URL? = nil
  ) {
    self.folder = folder
    self.commandLinePaths = commandLinePaths
    self.workingFolder =
      workingFolder ?? URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
    self.allowed = allowed
    self.writesTo = writesTo
  }

  /// The file that `path` means for reading.
  ///
  /// What this replay has written is found again before anything below the script's folder.
  ///
  /// - Throws: `EvokeError` (file) if it lies outside what the script may read.
  public func readURL(_ path: String) throws -> URL {
    try check(path)
    if let written = redirected(path), FileManager.default.fileExists(atPath: written.path) {
      return written
    }
    if commandLinePaths.contains(path) { return resolve(path, in: workingFolder) }
    let url = resolve(path, in: folder)
    let roots =
      [folder] + allowed + commandLinePaths.map { resolve($0, in: workingFolder) }
      + (writesTo.map { [$0] } ?? [])
    guard roots.contains(where: { url.isInside($0) }) else {
      throw EvokeError(
        .file, "this script may not read “\(path)”",
        hint: "scripts read below their own folder; allow more with --allow FOLDER")
    }
    return url
  }

  /// The file that `path` means for writing.
  ///
  /// - Throws: `EvokeError` (file) if it lies outside what the script may write.
  public func writeURL(_ path: String) throws -> URL {
    try check(path)
    let url = resolve(path, in: folder)
    guard ([folder] + allowed).contains(where: { url.isInside($0) }) else {
      throw EvokeError(
        .file, "this script may not write “\(path)”",
        hint: "scripts write below their own folder; allow more with --allow FOLDER")
    }
    if writesTo != nil {
      guard let target = redirected(path) else {
        throw EvokeError(.file, "a replay may not write “\(path)”")
      }
      try? FileManager.default.createDirectory(
        at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
      return target
    }
    return url
  }

  private func check(_ path: String) throws {
    if path.isEmpty {
      throw EvokeError(.file, "the path is empty", hint: "name a file or a folder")
    }
    if path.utf8.contains(0) { throw EvokeError(.file, "the path contains a zero byte") }
  }

  /// Where a replay keeps what the script writes to `path`.
  private func redirected(_ path: String) -> URL? {
    guard let writesTo else { return nil }
    let url = resolve(path, in: folder)
    let root = folder.canonical
    let name = url.isInside(folder) ? String(url.path.dropFirst(root.path.count)) : url.path
    return writesTo.appendingPathComponent(name)
  }

  private func resolve(_ path: String, in base: URL) -> URL {
    (path.hasPrefix("/") ? URL(fileURLWithPath: path) : base.appendingPathComponent(path)).canonical
  }
}

extension URL {
  /// The path without `.`, `..` and links; what does not exist yet is resolved as far as it does,
  /// links that lead to nothing included.
  var canonical: URL { canonical(links: 40) }

  private func canonical(links: Int) -> URL {
    let manager = FileManager.default
    var existing = standardizedFileURL
    var rest: [String] = []
    while existing.path != "/", !manager.fileExists(atPath: existing.path) {
      if links > 0, let target = try? manager.destinationOfSymbolicLink(atPath: existing.path) {
        let base = existing.deletingLastPathComponent()
        var url =
          target.hasPrefix("/")
          ? URL(fileURLWithPath: target) : base.canonical.appendingPathComponent(target)
        for component in rest.reversed() { url = url.appendingPathComponent(component) }
        return url.canonical(links: links - 1)
      }
      rest.append(existing.lastPathComponent)
      existing = existing.deletingLastPathComponent()
    }
    existing = existing.resolvingSymlinksInPath().standardizedFileURL
    for component in rest.reversed() { existing = existing.appendingPathComponent(component) }
    return existing
  }

  /// Whether this path is `folder` or lies below it, links resolved.
  func isInside(_ folder: URL) -> Bool {
    let path = canonical.path
    let root = folder.canonical.path
    return path == root || path.hasPrefix(root.hasSuffix("/") ? root : root + "/")
  }
}
