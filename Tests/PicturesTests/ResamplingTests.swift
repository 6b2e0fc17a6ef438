import Testing

@testable import Pictures

@Suite struct ResamplingTests {
  static let cases = goldenNames("resize").filter { $0 != "source.ppm" }

  @Test func goldensAreThere() {
    #expect(Self.cases.count == 30)
  }

  @Test("Bytes equal Pillow's", arguments: cases)
  func equalsPillow(file: String) throws {
    let parts = file.split { "-.".contains($0) }
    let filter = try #require(ResamplingFilter(rawValue: String(parts[0])))
    let size = parts[1].split(separator: "x").compactMap { Int($0) }
    let (width, height) = (size[0], size[1])
    let source = try goldenPicture("resize/source.ppm")
    let resized = source.resized(width: width, height: height, filter: filter)
    #expect(resized == (try goldenPicture("resize/\(file)")))
  }

  @Test func nothingHappensAtTheSameSize() {
    let picture = testPicture(width: 7, height: 5)
    for filter in ResamplingFilter.allCases {
      #expect(picture.resized(width: 7, height: 5, filter: filter) == picture)
    }
  }

  @Test func oneColourStaysOneColour() {
    let grey = Picture(width: 31, height: 17, red: 200, green: 3, blue: 255)
    for filter in ResamplingFilter.allCases {
      let small = grey.resized(width: 5, height: 90, filter: filter)
      #expect(small == Picture(width: 5, height: 90, red: 200, green: 3, blue: 255))
    }
  }

  @Test func squaresAreCutFromTheMiddle() {
    let wide = testPicture(width: 9, height: 4)
    #expect(wide.croppedToSquare() == wide.cropped(x: 2, y: 0, width: 4, height: 4))
    let tall = testPicture(width: 4, height: 9)
    #expect(tall.croppedToSquare() == tall.cropped(x: 0, y: 2, width: 4, height: 4))
    #expect(tall.fitted(to: 16).width == 16)
  }

  @Test func flipsAreTheirOwnInverse() {
    let picture = testPicture(width: 6, height: 5)
    #expect(picture.flippedHorizontally() != picture)
    #expect(picture.flippedHorizontally().flippedHorizontally() == picture)
    #expect(picture.flippedVertically()[2, 4] == picture[2, 0])
  }
}
