import Foundation
import Testing

@testable import Pictures

@Suite struct DecodingTests {
  static let files = goldenNames("decode").filter { !$0.hasSuffix(".ppm") }

  @Test func goldensAreThere() {
    #expect(Self.files.count == 48)
  }

  @Test("The pixels are those that Pillow and numpy read", arguments: files)
  func decodes(file: String) throws {
    let picture = try Picture.decode(golden("decode/\(file)"), name: file)
    let stem = file.prefix { $0 != "." }
    #expect(picture == (try goldenPicture("decode/\(stem).ppm")))
  }

  @Test func orientationsUndoEachOther() {
    let picture = testPicture(width: 5, height: 3)
    let inverse = [1, 2, 3, 4, 5, 8, 7, 6]
    for orientation in 1...8 {
      let turned = picture.oriented(orientation)
      #expect((turned.width == 5) == (orientation < 5))
      #expect(turned.oriented(inverse[orientation - 1]) == picture)
    }
  }

  @Test func theBytesDecideAndNotTheName() throws {
    try withFolder { folder in
      let picture = testPicture(width: 4, height: 4)
      let file = folder.appendingPathComponent("really-a-png.jpg")
      try picture.pngData().write(to: file)
      #expect(try Picture.load(file) == picture)
    }
  }
}
