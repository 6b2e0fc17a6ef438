import Foundation
import PictureCodecs
import Tensors
import Testing

@testable import Pictures

@Suite struct EncodingTests {
  @Test("What is written is read again", arguments: [(1, 1), (1, 70), (64, 64), (257, 3)])
  func roundTrip(width: Int, height: Int) throws {
    let picture = testPicture(width: width, height: height)
    #expect(try Picture.decode(picture.pngData(), name: "p") == picture)
    let flat = Picture(width: width, height: height, red: 9, green: 200, blue: 30)
    #expect(try Picture.decode(flat.pngData(), name: "p") == flat)
  }

  /// The bytes of this file are the contract: a changed filter choice or match search shows here.
  @Test func bytesAreFixed() throws {
    let data = try testPicture(width: 40, height: 25).pngData()
    let crc = data.withUnsafeBytes { picture_crc32(0, $0.baseAddress!, $0.count) }
    #expect(data.count == 2203)
    #expect(crc == 2_002_721_415)
  }

  @Test func notesAreKept() throws {
    let picture = testPicture(width: 3, height: 3)
    let data = try picture.pngData(notes: [("Software", "evoke"), ("Description", "σ = 0,5 ✓")])
    #expect(data.firstRange(of: Data("σ = 0,5 ✓".utf8)) != nil)
    #expect(try Picture.decode(data, name: "p") == picture)
    #expect(try thrownError { _ = try picture.pngData(notes: [("", "x")]) }.kind == .value)
  }

  @Test func jpegIsCloseToThePicture() throws {
    let smooth = try goldenPicture("resize/source.ppm")
      .resized(width: 90, height: 60, filter: .bicubic)
    let again = try Picture.decode(smooth.jpegData(quality: 95), name: "j")
    let errors = zip(smooth.pixels, again.pixels).map { abs(Int($0) - Int($1)) }
    #expect(errors.max() ?? 255 < 24)
    #expect(errors.reduce(0, +) < 3 * errors.count)
    #expect(try smooth.jpegData(quality: 30).count < smooth.jpegData(quality: 95).count)
    #expect(try thrownError { _ = try smooth.jpegData(quality: 0) }.kind == .value)
  }

  @Test func namesDecideTheFormat() throws {
    try withFolder { folder in
      let picture = testPicture(width: 5, height: 5)
      for name in ["a.png", "a.JPG", "a.jpeg"] {
        try picture.write(to: folder.appendingPathComponent(name))
      }
      let head = try Data(contentsOf: folder.appendingPathComponent("a.JPG")).prefix(2)
      #expect(Array(head) == [0xff, 0xd8])
      for name in ["a.gif", "a"] {
        let error = try thrownError { try picture.write(to: folder.appendingPathComponent(name)) }
        #expect(error.hint == "end the name in .png or .jpg")
      }
    }
  }

  /// Repetitive, skewed, random and long input; libpng's own inflate is the judge.
  @Test func compressionIsLossless() throws {
    var random = TestRandom(3)
    let skewed = (0..<300 * 200 * 3).map { _ in
      // Frequencies that halve from value to value: code lengths run into their limit.
      UInt8((random.next(below: 1 << 30) | 1 << 30).trailingZeroBitCount)
    }
    for pixels in [
      skewed, skewed.map { $0 / 8 }, skewed.map { _ in UInt8(random.next(below: 256)) },
    ] {
      let picture = Picture(width: 300, height: 200, pixels: pixels)
      #expect(try Picture.decode(picture.pngData(), name: "p") == picture)
    }
  }
}

@Suite struct AnimationTests {
  @Test func framesAreStoredByWhatChanged() throws {
    let first = testPicture(width: 20, height: 10)
    var pixels = first.pixels
    for (x, y) in [(4, 3), (9, 6)] { pixels[(y * 20 + x) * 3] ^= 255 }
    let second = Picture(width: 20, height: 10, pixels: pixels)
    #expect(second.changed(from: first) == PixelRectangle(x: 4, y: 3, width: 6, height: 4))
    #expect(first.changed(from: first) == PixelRectangle(x: 0, y: 0, width: 1, height: 1))

    let animation = try Animation(frames: [first, second, second], milliseconds: 80, last: 1500)
    let data = try animation.pngData()
    #expect(try Picture.decode(data, name: "first frame") == first)
    for chunk in ["acTL", "fcTL", "fdAT"] { #expect(data.firstRange(of: Data(chunk.utf8)) != nil) }
  }

  @Test func whatCannotBeAnimated() throws {
    let one = testPicture(width: 2, height: 2)
    #expect(try thrownError { _ = try Animation(frames: []) }.kind == .value)
    #expect(try thrownError { _ = try Animation(frames: [one], milliseconds: 0) }.kind == .value)
    let other = testPicture(width: 3, height: 2)
    #expect(try thrownError { _ = try Animation(frames: [one, other]) }.kind == .shape)
    try withFolder { folder in
      let animation = try Animation(frames: [one])
      try animation.write(to: folder.appendingPathComponent("a.png"))
      try animation.write(to: folder.appendingPathComponent("a.gif"))
      let file = folder.appendingPathComponent("a.webp")
      #expect(try thrownError { try animation.write(to: file) }.kind == .value)
    }
  }
}
