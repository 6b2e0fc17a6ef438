/// What a file holds, judged by its first bytes and never by its name.
enum FileKind: Equatable {
  case png, jpeg
  /// A picture of a format that is not read, or anything else; the text completes "it is …".
  case other(String)
  case empty

  init(_ bytes: some Collection<UInt8>) {
    let head = Array(bytes.prefix(512))
    if head.isEmpty {
      self = .empty
    } else if head.starts(with: [0x89, 0x50, 0x4e, 0x47]) {
      self = .png
    } else if head.starts(with: [0xff, 0xd8, 0xff]) {
      self = .jpeg
    } else {
      self = .other(Self.describe(head))
    }
  }

  /// Signatures: offset, bytes as text, and what the file is.
  private static let signatures: [(offset: Int, bytes: String, kind: String)] = [
    (0, "GIF8", "a GIF picture"), (0, "BM", "a BMP picture"), (8, "WEBP", "a WebP picture"),
    (0, "II*\0", "a TIFF picture"), (0, "MM\0*", "a TIFF picture"),
    (4, "ftypheic", "a HEIC picture"), (4, "ftypheix", "a HEIC picture"),
    (4, "ftypmif1", "a HEIF picture"), (4, "ftypavif", "an AVIF picture"),
    (4, "ftyp", "a video"), (0, "8BPS", "a Photoshop picture"), (0, "%PDF", "a PDF document"),
    (0, "PK\u{3}\u{4}", "a ZIP archive"), (0, "\u{7f}ELF", "a program"),
    (0, "\u{0}\u{0}\u{1}\u{0}", "an icon"), (0, "P5", "a PGM picture"), (0, "P6", "a PPM picture"),
    (0, "SQLite format 3", "an SQLite database"),
  ]

  private static func describe(_ head: [UInt8]) -> String {
    for signature in signatures
    where head.dropFirst(signature.offset).starts(with: signature.bytes.utf8) {
      return signature.kind
    }
    if head.starts(with: [0x1f, 0x8b]) { return "gzip-compressed data" }
    if head.starts(with: [0xff, 0x0a]) { return "a JPEG XL picture" }
    if head.allSatisfy({ $0 == 0 }) { return "nothing but zero bytes" }
    return describeText(head) ?? "of no known picture format"
  }

  /// Names text by what it looks like and quotes its beginning; nil where the bytes are no text.
  private static func describeText(_ head: [UInt8]) -> String? {
    let isPrintable = { (byte: UInt8) in byte >= 32 && byte != 127 || (9...13).contains(byte) }
    // The head may end inside a character of up to four bytes.
    let text = (0..<min(4, head.count)).lazy
      .compactMap { String(validating: head.dropLast($0), as: UTF8.self) }.first
    guard let text, head.allSatisfy(isPrintable) else { return nil }
    let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    let start = words.lowercased()
    if start.hasPrefix("<!doctype html") || start.hasPrefix("<html") { return "an HTML page" }
    if start.contains("<svg") { return "an SVG drawing" }
    let quoted = words.count > 40 ? words.prefix(39) + "…" : words[...]
    return words.isEmpty ? "blank text" : "text (“\(quoted)”)"
  }
}
