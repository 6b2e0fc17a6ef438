import Foundation
import Tensors

/// The entries of a zip archive that are stored as they are, which is how torch writes them.
///
/// Format: PKWARE's APPNOTE 6.3.9 with its 64-bit extensions. Compressed and encrypted entries are
/// refused when they are read.
struct ZipArchive {
  /// What the central directory says about one entry.
  private struct Entry {
    let method: Int
    let isEncrypted: Bool
    let size: Int
    let header: Int
  }

  /// The entries' names in the order of the directory.
  let names: [String]
  private let entries: [String: Entry]
  private let reader: LittleEndianReader

  /// Whether a file begins as zip archives do.
  static func isZip(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.starts(with: [0x50, 0x4B, 0x03, 0x04])
  }

  /// Reads the central directory; throws `EvokeError(.format)` when it is damaged.
  init(_ bytes: UnsafeRawBufferPointer, source: String) throws {
    let reader = LittleEndianReader(bytes: bytes, source: source)
    let (start, count) = try Self.directory(reader)
    var names: [String] = []
    var entries: [String: Entry] = [:]
    var at = start
    for _ in 0..<count {
      guard try reader.integer(at, 4) == 0x0201_4B50 else {
        throw reader.damaged("its directory ends early")
      }
      let lengths = try [28, 30, 32].map { try reader.integer(at + $0, 2) }
      let name = try reader.text(at + 46, lengths[0])
      guard entries[name] == nil else { throw reader.damaged("it holds \"\(name)\" twice") }
      entries[name] = try Self.entry(reader, at, extra: at + 46 + lengths[0], lengths[1])
      names.append(name)
      at += 46 + lengths.reduce(0, +)
    }
    self.names = names
    self.entries = entries
    self.reader = reader
  }

  /// Where the directory starts and how many entries it has, from the record at the file's end.
  private static func directory(_ reader: LittleEndianReader) throws -> (start: Int, count: Int) {
    let last = reader.count - 22
    guard last >= 0 else { throw reader.damaged("it is cut off") }
    // A comment of up to 65,535 bytes may follow the record.
    var end = last
    while try reader.integer(end, 4) != 0x0605_4B50 {
      end -= 1
      guard end >= max(0, last - 0xFFFF) else {
        throw reader.damaged("it has no directory: the file is cut off")
      }
    }
    let (count, start) = (try reader.integer(end + 10, 2), try reader.integer(end + 16, 4))
    guard count == 0xFFFF || start == 0xFFFF_FFFF else { return (start, count) }
    guard end >= 20, try reader.integer(end - 20, 4) == 0x0706_4B50 else { return (start, count) }
    let wide = try reader.integer(end - 20 + 8, 8)
    guard try reader.integer(wide, 4) == 0x0606_4B50 else {
      throw reader.damaged("its 64-bit directory is missing")
    }
    let entries = try reader.integer(wide + 32, 8)
    // Each entry takes 46 bytes or more.
    guard entries <= reader.count / 46 else {
      throw reader.damaged("it states \(entries) entries")
    }
    return (try reader.integer(wide + 48, 8), entries)
  }

  private static func entry(
    _ reader: LittleEndianReader, _ at: Int, extra: Int, _ extraLength: Int
  ) throws -> Entry {
    var size = try reader.integer(at + 24, 4)
    var header = try reader.integer(at + 42, 4)
    var stored = try reader.integer(at + 20, 4)
    var field = extra
    while field + 4 <= extra + extraLength {
      let (id, length) = (try reader.integer(field, 2), try reader.integer(field + 2, 2))
      var value = field + 4
      if id == 1 {  // the values that did not fit into 32 bits, in this order
        for keyPath in [\WideFields.size, \.stored, \.header] {
          var fields = WideFields(size: size, stored: stored, header: header)
          guard fields[keyPath: keyPath] == 0xFFFF_FFFF else { continue }
          fields[keyPath: keyPath] = try reader.integer(value, 8)
          (size, stored, header) = (fields.size, fields.stored, fields.header)
          value += 8
        }
      }
      field += 4 + length
    }
    return Entry(
      method: try reader.integer(at + 10, 2),
      isEncrypted: try reader.integer(at + 8, 2) & 1 != 0, size: size, header: header)
  }

  private struct WideFields {
    var size, stored, header: Int
  }

  /// The bytes of an entry, or nil when there is none of this name.
  ///
  /// Throws `EvokeError(.format)` for an entry that is compressed or leaves the file.
  func bytes(_ name: String) throws -> UnsafeRawBufferPointer? {
    guard let entry = entries[name] else { return nil }
    guard entry.method == 0, !entry.isEncrypted else {
      throw reader.damaged(
        "\"\(name)\" in it is \(entry.isEncrypted ? "encrypted" : "compressed"), "
          + "which torch does not do")
    }
    guard try reader.integer(entry.header, 4) == 0x0403_4B50 else {
      throw reader.damaged("\"\(name)\" is not where the directory says")
    }
    let start =
      try entry.header + 30 + reader.integer(entry.header + 26, 2)
      + reader.integer(entry.header + 28, 2)
    return try reader.slice(start, entry.size, what: "\"\(name)\"")
  }
}

/// Reads numbers out of bytes, checking every place.
struct LittleEndianReader {
  let bytes: UnsafeRawBufferPointer
  /// Names the file in errors.
  let source: String

  var count: Int { bytes.count }

  func damaged(_ what: String) -> EvokeError {
    EvokeError(.format, "\(source) is a damaged checkpoint: \(what)")
  }

  /// The unsigned integer of `length` bytes at a place.
  func integer(_ at: Int, _ length: Int) throws -> Int {
    var value: UInt64 = 0
    for (i, byte) in try slice(at, length, what: "a number").enumerated() {
      value |= UInt64(byte) << (8 * i)
    }
    guard let number = Int(exactly: value) else { throw damaged("a number in it is absurd") }
    return number
  }

  /// UTF-8 text.
  func text(_ at: Int, _ length: Int) throws -> String {
    guard let text = String(validating: try slice(at, length, what: "a text"), as: UTF8.self) else {
      throw damaged("a text in it is not UTF-8")
    }
    return text
  }

  /// Some bytes; throws when they leave the file.
  func slice(_ at: Int, _ length: Int, what: String) throws -> UnsafeRawBufferPointer {
    guard at >= 0, length >= 0, at <= count, length <= count - at else {
      throw damaged("\(what) should end at byte \(at &+ length) of \(count): the file is cut off")
    }
    return UnsafeRawBufferPointer(rebasing: bytes[at..<at + length])
  }
}
