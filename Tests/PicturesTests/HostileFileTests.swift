import Foundation
import Tensors
import Testing

@testable import Pictures

/// Files that are cut, altered or made to mislead: an error that says what is wrong, never a crash.
@Suite struct HostileFileTests {
  static let samples = [
    "png-0-1.png", "png-2-8.png", "png-2-16-interlaced.png", "png-3-4.png",
    "png-6-8-interlaced.png", "jpeg-420.jpg", "jpeg-progressive.jpg", "jpeg-cmyk.jpg",
    "jpeg-restarts.jpg", "jpeg-orientation-6.jpg",
  ]

  @Test("A file cut at any sixteenth is refused", arguments: samples)
  func truncation(file: String) throws {
    let data = try golden("decode/\(file)")
    for sixteenth in 0..<16 {
      let cut = data.prefix(data.count * sixteenth / 16)
      let error = try thrownError { _ = try Picture.decode(cut, name: file) }
      #expect(error.kind == .format)
      #expect(error.message.contains(file))
      if sixteenth == 15 { #expect(error.message.contains("cut short"), "\(error)") }
    }
  }

  @Test("Altered bytes give a picture or an error", arguments: samples)
  func alteredBytes(file: String) throws {
    let data = try golden("decode/\(file)")
    var random = TestRandom(7)
    for _ in 0..<300 {
      var altered = data
      for _ in 0...random.next(below: 3) {
        altered[random.next(below: data.count)] ^= 1 << UInt8(random.next(below: 8))
      }
      // PNG's checksums catch nearly everything; with them repaired the decoder is on its own.
      if random.next(below: 2) == 0 { repairChecksums(&altered) }
      do {
        let picture = try Picture.decode(altered, name: file)
        #expect(picture.pixels.count == picture.width * picture.height * 3)
      } catch let error as EvokeError {
        #expect(error.message.contains(file))
      }
    }
  }

  @Test func lyingDimensionsAreRefusedBeforeAllocating() throws {
    let large = try thrownError { _ = try Picture.decode(pngHeader(60_000, 60_000), name: "a.png") }
    #expect(large.message.contains("60000 × 60000"))
    // Allowed in itself, but 90 million pixels cannot be in a hundred bytes.
    let empty = try thrownError { _ = try Picture.decode(pngHeader(9_000, 10_000), name: "a.png") }
    #expect(empty.message.contains("cut short"))
    for size in [(0, 5), (5, 0), (-1, 5), (1 << 31 - 1, 1 << 31 - 1)] {
      let error = try thrownError {
        _ = try Picture.decode(pngHeader(size.0, size.1), name: "a.png")
      }
      #expect(error.kind == .format)
    }
    var jpeg = try golden("decode/jpeg-420.jpg")
    let frame = try #require(jpeg.firstRange(of: [0xff, 0xc0]))
    for offset in 5..<9 { jpeg[frame.lowerBound + offset] = 0xff }
    let error = try thrownError { _ = try Picture.decode(jpeg, name: "a.jpg") }
    #expect(error.message.contains("a.jpg"))
  }

  @Test func paletteErrors() throws {
    var missing = PNGBytes(width: 1, height: 1, depth: 8, colourType: 3)
    missing.add("IDAT", [0x78, 0x9c, 0x63, 0x60, 0, 0, 0, 2, 0, 1])
    let without = try thrownError { _ = try Picture.decode(missing.file, name: "p.png") }
    #expect(without.message.contains("PLTE") || without.message.contains("palette"), "\(without)")

    // A pixel of colour 255 where the palette has one colour.
    let valid = try golden("decode/png-3-8.png")
    let palette = try #require(valid.firstRange(of: Data("PLTE".utf8))).lowerBound
    let transparency = try #require(valid.firstRange(of: Data("tRNS".utf8))).lowerBound
    let imageData = try #require(valid.firstRange(of: Data("IDAT".utf8))).lowerBound
    #expect(palette < transparency && transparency < imageData)
    var short = Data(valid[..<(palette - 4)])
    short += [0, 0, 0, 3] + Array("PLTE".utf8) + [1, 2, 3] + [0, 0, 0, 0]
    short += valid[(imageData - 4)...]
    repairChecksums(&short)
    let outside = try thrownError { _ = try Picture.decode(short, name: "p.png") }
    #expect(outside.message.contains("of a palette of 1"), "\(outside)")
  }

  @Test(
    "What is no picture is named",
    arguments: [
      (Data(), "is empty"), (Data(count: 64), "zero bytes"),
      (Data("Dear diary,\nnothing happened".utf8), "text (“Dear diary, nothing happened”)"),
      (Data("<!DOCTYPE html><title>404".utf8), "an HTML page"),
      (Data("GIF89a....".utf8), "a GIF picture"), (Data("RIFF....WEBPVP8 ".utf8), "a WebP picture"),
      (Data([0, 0, 0, 24]) + Data("ftypheic".utf8), "a HEIC picture"),
      (Data("PK\u{3}\u{4}".utf8), "a ZIP archive"), (Data("BM......".utf8), "a BMP picture"),
      (Data([3, 1, 4, 1, 5, 9, 200, 0xff]), "no known picture format"),
      (Data([0x89, 0x50, 0x4e, 0x47]), "cut short"), (Data([0xff, 0xd8, 0xff]), "cut short"),
    ])
  func namesWhatItIs(data: Data, expected: String) throws {
    let error = try thrownError { _ = try Picture.decode(data, name: "photo.jpg") }
    #expect(error.message.contains(expected), "\(error)")
    #expect(error.message.contains("photo.jpg"))
  }

  private func pngHeader(_ width: Int, _ height: Int) -> Data {
    var png = PNGBytes(width: width, height: height, depth: 8, colourType: 2)
    png.add("IDAT", [0x78, 0x9c, 0x63, 0, 0])
    return png.file
  }
}

/// PNG chunks put together by hand, so that a test can say anything.
struct PNGBytes {
  private(set) var file = Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

  init(width: Int, height: Int, depth: UInt8, colourType: UInt8) {
    add("IHDR", bigEndian(width) + bigEndian(height) + [depth, colourType, 0, 0, 0])
  }

  mutating func add(_ name: String, _ content: [UInt8]) {
    file += bigEndian(content.count) + Array(name.utf8) + content + [0, 0, 0, 0]
    repairChecksums(&file)
  }
}

/// Sets every chunk's CRC (ISO 3309, bit by bit) to what its bytes ask for.
func repairChecksums(_ file: inout Data) {
  var bytes = Array(file)
  var start = 8
  while bytes.starts(with: [0x89, 0x50]), start + 12 <= bytes.count {
    let length = bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
    let end = start + 8 + length
    guard end + 4 <= bytes.count else { break }
    var crc: UInt32 = .max
    for byte in bytes[start + 4..<end] {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
    }
    bytes.replaceSubrange(end..<end + 4, with: bigEndian(Int(~crc)))
    start = end + 4
  }
  file = Data(bytes)
}
