import Foundation
import Tensors

/// Reads the pictures of a folder, in the order of their names' bytes, or one picture's file.
///
/// Hidden files, folders and files that neither are pictures nor are named like one (captions,
/// notes) are passed over. One picture that cannot be read fails the whole call, because results
/// must not depend on which pictures happened to load. `name` is the file's name.
public func loadPictures(at path: URL) throws -> [(name: String, picture: Picture)] {
  var isFolder: ObjCBool = false
  guard FileManager.default.fileExists(atPath: path.path, isDirectory: &isFolder) else {
    throw missingFile(path)
  }
  if !isFolder.boolValue {
    return [(path.lastPathComponent, try Picture.load(path))]
  }
  let names: [String]
  do {
    names = try FileManager.default.contentsOfDirectory(atPath: path.path)
      .filter { !$0.hasPrefix(".") }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  } catch {
    throw EvokeError(
      .file, "the folder \(quoted(path.relativePath)) cannot be read",
      hint: "check the folder's permissions")
  }
  var pictures: [(name: String, picture: Picture)] = []
  for name in names where isPicture(name, in: path) {
    // Relative to the folder as the user wrote it, so that errors show no machine's paths.
    let file = path.appendingPathComponent(name)
    let data = try readBytes(of: file)
    let shown = path.relativePath == "." ? name : "\(path.relativePath)/\(name)"
    pictures.append((name, try Picture.decode(data, name: shown)))
  }
  if pictures.isEmpty { throw noPictures(in: path, names: names) }
  return pictures
}

/// Extensions that promise a picture; a file named so must be one that can be read.
private let pictureExtensions: Set<String> = [
  "png", "apng", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp", "tif", "tiff", "heic", "heif",
  "avif", "jxl",
]

private func isPicture(_ name: String, in folder: URL) -> Bool {
  let file = folder.appendingPathComponent(name)
  var isFolder: ObjCBool = false
  guard FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder),
    !isFolder.boolValue
  else { return false }
  if pictureExtensions.contains(file.pathExtension.lowercased()) { return true }
  guard let handle = try? FileHandle(forReadingFrom: file) else { return false }
  defer { try? handle.close() }
  guard let head = try? handle.read(upToCount: 16) else { return false }
  return [.png, .jpeg].contains(FileKind(head))
}

private func noPictures(in folder: URL, names: [String]) -> EvokeError {
  let path = quoted(folder.relativePath)
  if names.isEmpty {
    return EvokeError(
      .file, "the folder \(path) is empty", hint: "put PNG or JPEG pictures of the concept there")
  }
  let nested = names.filter { name in
    let inner = folder.appendingPathComponent(name)
    let files = (try? FileManager.default.contentsOfDirectory(atPath: inner.path)) ?? []
    return files.contains { isPicture($0, in: inner) }
  }
  if let first = nested.first {
    return EvokeError(
      .file, "the folder \(path) holds no pictures itself, but folders of pictures",
      hint: nested.count == 1
        ? "did you mean \(quoted("\(folder.relativePath)/\(first)"))?"
        : "take one of \(listed(nested, most: 6))")
  }
  return EvokeError(
    .file, "the folder \(path) holds no pictures, only \(listed(names, most: 3))",
    hint: "PNG and JPEG pictures are read")
}
