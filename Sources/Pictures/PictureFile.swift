import Foundation
import PictureCodecs
import Tensors

extension Picture {
  /// Reads a PNG or JPEG file; the format is told by the bytes, not by the name.
  ///
  /// PNG of any colour type, bit depth and interlacing, transparency laid over white; JPEG in grey,
  /// colour or CMYK, baseline or progressive, turned upright as its EXIF orientation says.
  /// Throws `EvokeError` of kind `.file` where the file cannot be read and `.format` where it is no
  /// picture, cut short, damaged or larger than `largestPixelCount`.
  public static func load(_ url: URL) throws -> Picture {
    try decode(readBytes(of: url), name: url.relativePath)
  }

  /// Decodes the bytes of a PNG or JPEG file; errors call it `name`.
  public static func decode(_ data: Data, name: String) throws -> Picture {
    let decode =
      switch FileKind(data) {
      case .png: picture_decode_png
      case .jpeg: picture_decode_jpeg
      case .empty:
        throw EvokeError(.format, "\(quoted(name)) is empty", hint: "copy or download it again")
      case .other(let kind):
        throw EvokeError(
          .format, "\(quoted(name)) is no picture that evoke reads: it is \(kind)",
          hint: "PNG and JPEG are read, whatever the file's name")
      }
    var decoding = PictureDecoding()
    data.withUnsafeBytes { raw in
      let bytes = raw.bindMemory(to: UInt8.self)
      if let start = bytes.baseAddress {
        decode(start, bytes.count, largestPixelCount, &decoding)
      }
    }
    guard decoding.status == PictureStatusOK, let pixels = decoding.pixels else {
      throw decodingError(decoding, name: name)
    }
    defer { picture_free(pixels) }
    let (width, height) = (Int(decoding.width), Int(decoding.height))
    let picture = Picture(
      width: width, height: height,
      pixels: Array(UnsafeBufferPointer(start: pixels, count: width * height * 3)))
    return picture.oriented(Int(decoding.orientation))
  }

  private static func decodingError(_ decoding: PictureDecoding, name: String) -> EvokeError {
    let detail = withUnsafeBytes(of: decoding.message) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    switch decoding.status {
    case PictureStatusTruncated:
      return EvokeError(
        .format, "\(quoted(name)) is cut short: the file ends before the picture does",
        hint: "copy or download it again")
    case PictureStatusTooLarge:
      return EvokeError(
        .format,
        "\(quoted(name)) says it has \(decoding.width) × \(decoding.height) pixels, more than the "
          + "\(largestPixelCount / 1_000_000) million that are read",
        hint: "make it smaller; the models look at a few hundred pixels a side")
    case PictureStatusUnsupported:
      return EvokeError(
        .format, "\(quoted(name)) is of a form that is not read (\(detail))",
        hint: "save it as an ordinary PNG or JPEG")
    case PictureStatusOutOfMemory:
      return EvokeError(.file, "\(quoted(name)) does not fit into memory (\(detail))")
    default:
      return EvokeError(
        .format, "\(quoted(name)) is damaged (\(detail))", hint: "copy or download it again")
    }
  }

  /// Writes the picture as the name's extension says: .png, .jpg or .jpeg; the file appears whole
  /// or not at all.
  public func write(to url: URL) throws {
    switch url.pathExtension.lowercased() {
    case "png": try AtomicFile.write(pngData(), to: url)
    case "jpg", "jpeg": try AtomicFile.write(jpegData(), to: url)
    case let other:
      throw EvokeError(
        .value,
        other.isEmpty
          ? "the name \(quoted(url.relativePath)) says no picture format"
          : "pictures are not written as .\(other)",
        hint: "end the name in .png or .jpg")
    }
  }
}

func quoted(_ name: String) -> String { "“\(name)”" }

/// A file's contents; errors say what stands in the way and name files that are called alike.
func readBytes(of url: URL) throws -> Data {
  let path = url.relativePath
  var isFolder: ObjCBool = false
  guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
    throw missingFile(url)
  }
  if isFolder.boolValue {
    throw EvokeError(.file, "\(quoted(path)) is a folder, where a picture's file is expected")
  }
  let attributes = try? FileManager.default.attributesOfItem(
    atPath: url.resolvingSymlinksInPath().path)
  guard attributes?[.type] as? FileAttributeType == .typeRegular else {
    throw EvokeError(.file, "\(quoted(path)) is not an ordinary file")
  }
  if let size = attributes?[.size] as? Int, size > 1 << 30 {
    throw EvokeError(
      .file, "\(quoted(path)) has \(size >> 20) MiB, too much for a picture",
      hint: "files of up to 1 GiB are read")
  }
  do {
    return try Data(contentsOf: url)
  } catch {
    throw EvokeError(
      .file, "\(quoted(path)) cannot be read", hint: "check the file's permissions")
  }
}

/// The error for a path that does not exist: which part is missing, and what is called alike there.
func missingFile(_ url: URL) -> EvokeError {
  let manager = FileManager.default
  var missing = url.standardizedFileURL
  while missing.pathComponents.count > 1 {
    let parent = missing.deletingLastPathComponent()
    if manager.fileExists(atPath: parent.path) { break }
    missing = parent
  }
  let parent = missing.deletingLastPathComponent()
  let name = missing.lastPathComponent
  let siblings = ((try? manager.contentsOfDirectory(atPath: parent.path)) ?? [])
    .filter { !$0.hasPrefix(".") }.sorted()
  let isWhole = missing.path == url.standardizedFileURL.path
  let message =
    "there is no \(quoted(url.relativePath))" + (isWhole ? "" : ": \(quoted(name)) is missing")
  if let near = closest(to: name, among: siblings) {
    return EvokeError(.file, message, hint: "did you mean \(quoted(near))?")
  }
  if siblings.isEmpty { return EvokeError(.file, message, hint: "the folder around it is empty") }
  return EvokeError(
    .file, message, hint: "beside it there are \(listed(siblings, most: 6))")
}

/// The first few names and how many more there are.
func listed(_ names: [String], most: Int) -> String {
  let shown = names.prefix(most).map(quoted).joined(separator: ", ")
  return names.count > most ? "\(shown) and \(names.count - most) more" : shown
}
