import Foundation
import PictureCodecs
import Tensors

extension Picture {
  /// The picture as a PNG file: 8-bit RGB, the same bytes for the same pixels on every machine.
  ///
  /// `notes` become text chunks (iTXt); a keyword has 1…79 characters of Latin-1.
  public func pngData(notes: [(keyword: String, text: String)] = []) throws -> Data {
    var file = PNGWriter(width: width, height: height)
    for note in notes { try file.addText(keyword: note.keyword, note.text) }
    let whole = PixelRectangle(x: 0, y: 0, width: width, height: height)
    file.add("IDAT", try imageData(of: whole))
    return file.finished()
  }

  /// The picture as a JPEG file of a quality of 1…100, without chroma subsampling.
  public func jpegData(quality: Int = 92) throws -> Data {
    guard (1...100).contains(quality) else {
      throw EvokeError(.value, "a JPEG's quality is 1…100, and \(quality) is not")
    }
    return try encoded { bytes, count in
      pixels.withUnsafeBufferPointer {
        picture_encode_jpeg($0.baseAddress!, width, height, Int32(quality), &bytes, &count)
      }
    }
  }

  /// The compressed rows of a part of the picture, as IDAT holds them.
  func imageData(of part: PixelRectangle) throws -> Data {
    try encoded { bytes, count in
      pixels.withUnsafeBufferPointer {
        let start = $0.baseAddress! + (part.y * width + part.x) * 3
        return picture_png_image_data(start, part.width, part.height, width * 3, &bytes, &count)
      }
    }
  }

  /// A part of the picture as a GIF's frame has it behind its place and size: colours and codes.
  func gifData(of part: PixelRectangle) throws -> Data {
    try encoded { bytes, count in
      pixels.withUnsafeBufferPointer {
        let start = $0.baseAddress! + (part.y * width + part.x) * 3
        return picture_gif_frame(start, part.width, part.height, width * 3, &bytes, &count)
      }
    }
  }

  private func encoded(
    _ encode: (inout UnsafeMutablePointer<UInt8>?, inout Int) -> PictureStatus
  ) throws -> Data {
    var bytes: UnsafeMutablePointer<UInt8>?
    var count = 0
    let status = encode(&bytes, &count)
    defer { picture_free(bytes) }
    guard status == PictureStatusOK, let bytes else {
      let why = status == PictureStatusTooLarge ? "too large for the format" : "out of memory"
      throw EvokeError(.file, "a picture of \(width) × \(height) pixels is not written: \(why)")
    }
    return Data(bytes: bytes, count: count)
  }
}

/// A part of a picture, in pixels.
struct PixelRectangle: Equatable {
  var x: Int
  var y: Int
  var width: Int
  var height: Int
}

/// Puts a PNG file's chunks together (PNG specification, third edition, sections 5 and 11).
struct PNGWriter {
  private var file = Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

  init(width: Int, height: Int) {
    // 8 bits a channel, colour type RGB, deflate, the five filters, no interlacing.
    add("IHDR", bigEndian(width) + bigEndian(height) + [8, 2, 0, 0, 0])
    // Rendering intent 0: perceptual sRGB.
    add("sRGB", [0])
  }

  mutating func add(_ name: String, _ content: some Sequence<UInt8>) {
    let body = Array(name.utf8) + Array(content)
    file += bigEndian(body.count - 4)
    file += body
    file += bigEndian(Int(picture_crc32(0, body, body.count)))
  }

  mutating func addText(keyword: String, _ text: String) throws {
    let latin = keyword.unicodeScalars.map(\.value)
    guard (1...79).contains(latin.count),
      latin.allSatisfy({ (32...126).contains($0) || (161...255).contains($0) }),
      !keyword.hasPrefix(" "), !keyword.hasSuffix(" ")
    else {
      throw EvokeError(
        .value, "\(quoted(keyword)) cannot be the keyword of a picture's note",
        hint: "use 1 to 79 Latin letters")
    }
    // Keyword, uncompressed, no language tag, no translated keyword, UTF-8.
    add("iTXt", latin.map(UInt8.init) + [0, 0, 0, 0, 0] + Array(text.utf8))
  }

  mutating func finished() -> Data {
    add("IEND", [UInt8]())
    return file
  }
}

/// The four bytes of a PNG integer.
func bigEndian(_ value: Int) -> [UInt8] {
  [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
}
