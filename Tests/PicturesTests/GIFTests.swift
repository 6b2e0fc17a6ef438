import Foundation
import PictureCodecs
import Tensors
import Testing

@testable import Pictures

@Suite struct GIFTests {
  /// Frames of few colours and of 256, long runs, and codes beyond the dictionary's 4096.
  @Test("Frames of up to 256 colours are read again as they were", arguments: [1, 2, 3, 5, 256])
  func roundTrip(colors: Int) throws {
    var random = TestRandom(UInt64(colors))
    let palette = (0..<colors).map { [UInt8($0), UInt8(255 - $0), UInt8($0 / 2)] }
    let frames = (0..<3).map { _ in
      let pixels = (0..<170 * 90).flatMap { _ in palette[random.next(below: colors)] }
      return Picture(width: 170, height: 90, pixels: pixels)
    }
    let animation = try Animation(
      frames: frames + [frames[2]], milliseconds: 84, last: 1500, loops: 3)
    let read = try GIFReader(animation.gifData())
    #expect(read.frames == animation.frames)
    #expect(read.hundredths == [8, 8, 8, 150])
    #expect(read.repetitions == 2)
  }

  @Test("A frame stores only what changed")
  func changes() throws {
    let first = Picture(width: 40, height: 30, red: 255, green: 255, blue: 255)
    var pixels = first.pixels
    for (x, y) in [(4, 3), (9, 6)] { pixels[(y * 40 + x) * 3] = 0 }
    let second = Picture(width: 40, height: 30, pixels: pixels)
    let read = try GIFReader(Animation(frames: [first, second]).gifData())
    #expect(read.frames == [first, second])
    #expect(read.parts[1] == PixelRectangle(x: 4, y: 3, width: 6, height: 4))
    #expect(try GIFReader(Animation(frames: [first], loops: 1).gifData()).repetitions == nil)
  }

  @Test("Of many colours, those kept are close")
  func manyColors() throws {
    let photo = try goldenPicture("resize/source.ppm")
      .resized(width: 120, height: 90, filter: .bicubic)
    let read = try GIFReader(Animation(frames: [photo]).gifData())
    let errors = zip(photo.pixels, read.frames[0].pixels).map { pow(Double($0) - Double($1), 2) }
    // Pillow's median cut has 10.2 here, its faster octree 11.8.
    #expect((errors.reduce(0, +) / Double(errors.count)).squareRoot() < 7)
    #expect(Set(read.frames[0].colors).count <= 256)
  }

  /// The bytes of this file are the contract: another choice of colours or codes shows here.
  @Test func bytesAreFixed() throws {
    let frames = [testPicture(width: 40, height: 25), testPicture(width: 40, height: 25).turned]
    let data = try Animation(frames: frames).gifData()
    let crc = data.withUnsafeBytes { picture_crc32(0, $0.baseAddress!, $0.count) }
    #expect(data.count == 3589)
    #expect(crc == 1_572_624_300)
  }
}

extension Picture {
  fileprivate var colors: [[UInt8]] {
    stride(from: 0, to: pixels.count, by: 3).map { Array(pixels[$0..<$0 + 3]) }
  }

  fileprivate var turned: Picture {
    Picture(width: width, height: height, pixels: colors.reversed().flatMap(\.self))
  }
}

/// Reads the GIF files that evoke writes, after the specification and not after the writer.
private struct GIFReader {
  private(set) var frames: [Picture] = []
  private(set) var parts: [PixelRectangle] = []
  private(set) var hundredths: [Int] = []
  private(set) var repetitions: Int?

  struct Damage: Error {}

  init(_ data: Data) throws {
    let bytes = Array(data)
    var place = 13
    func word(_ at: Int) -> Int { Int(bytes[at]) | Int(bytes[at + 1]) << 8 }
    func blocks() -> [UInt8] {
      var content: [UInt8] = []
      while bytes[place] != 0 {
        content += bytes[place + 1...place + Int(bytes[place])]
        place += 1 + Int(bytes[place])
      }
      place += 1
      return content
    }
    let (width, height) = (word(6), word(8))
    var canvas = [UInt8](repeating: 0, count: width * height * 3)
    while bytes[place] != 0x3b {
      if bytes[place] == 0x21 {
        let kind = bytes[place + 1]
        place += 2
        let content = blocks()
        if kind == 0xf9 { hundredths.append(Int(content[1]) | Int(content[2]) << 8) }
        if kind == 0xff { repetitions = Int(content[12]) | Int(content[13]) << 8 }
        continue
      }
      guard bytes[place] == 0x2c, bytes[place + 9] & 0xc0 == 0x80 else { throw Damage() }
      let part = PixelRectangle(
        x: word(place + 1), y: word(place + 3), width: word(place + 5), height: word(place + 7))
      let table = place + 10
      place = table + 3 << (Int(bytes[place + 9] & 7) + 1)
      let bits = Int(bytes[place])
      place += 1
      let indices = try Self.indices(blocks(), bits: bits)
      guard indices.count == part.width * part.height else { throw Damage() }
      for (i, index) in indices.enumerated() {
        let pixel = ((part.y + i / part.width) * width + part.x + i % part.width) * 3
        for c in 0..<3 { canvas[pixel + c] = bytes[table + 3 * index + c] }
      }
      parts.append(part)
      frames.append(Picture(width: width, height: height, pixels: canvas))
    }
  }

  /// Appendix F: codes from the lowest bit up, of a size that grows with the table.
  private static func indices(_ content: [UInt8], bits: Int) throws -> [Int] {
    let clear = 1 << bits
    var (table, size, previous) = ([[Int]](), bits + 1, [Int]())
    var (indices, position) = ([Int](), 0)
    while true {
      guard position + size <= content.count * 8 else { throw Damage() }
      let code = (0..<size).reduce(0) { code, bit in
        code | Int(content[(position + bit) / 8] >> ((position + bit) % 8) & 1) << bit
      }
      position += size
      if code == clear + 1 { return indices }
      if code == clear {
        (table, size, previous) = ((0..<clear + 2).map { [$0] }, bits + 1, [])
        continue
      }
      guard code < table.count || code == table.count && !previous.isEmpty else { throw Damage() }
      let entry = code < table.count ? table[code] : previous + [previous[0]]
      if !previous.isEmpty, table.count < 4096 { table.append(previous + [entry[0]]) }
      if table.count == 1 << size, size < 12 { size += 1 }
      indices += entry
      previous = entry
    }
  }
}
