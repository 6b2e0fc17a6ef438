import Foundation
import Testing

@testable import Pictures

@Suite struct DrawingTests {
  private func canvas() -> Canvas { Canvas(width: 8, height: 8, background: .white) }

  @Test func wholePixelsAreFilledExactly() {
    var canvas = canvas()
    canvas.fill([Rectangle(x: 2, y: 3, width: 3, height: 2).corners], color: .black)
    let picture = canvas.picture
    for y in 0..<8 {
      for x in 0..<8 {
        let inside = (2..<5).contains(x) && (3..<5).contains(y)
        #expect(picture[x, y].red == (inside ? 0 : 255))
      }
    }
  }

  @Test func coverageIsTheAreaCovered() {
    var canvas = canvas()
    canvas.fill([Rectangle(x: 1.25, y: 1.5, width: 1, height: 1).corners], color: .black)
    let picture = canvas.picture
    #expect(picture[1, 1].red == 159)  // 3/4 · 1/2 of 255 is dark
    #expect(picture[2, 2].red == 223)  // 1/4 · 1/2
    // A triangle of half a pixel.
    var other = self.canvas()
    other.fill([[Point(4, 4), Point(5, 4), Point(5, 5)]], color: .black)
    #expect(abs(Int(other.picture[4, 4].red) - 127) <= 1)
  }

  @Test func overlapsOfOneFillCountOnce() {
    var canvas = canvas()
    let box = Rectangle(x: 2, y: 2, width: 2, height: 2).corners
    canvas.fill([box, box], color: .black, opacity: 0.5)
    #expect(canvas.picture[2, 2].red == 128)
  }

  @Test func holesStayOpen() {
    var canvas = canvas()
    let outer = Rectangle(x: 0, y: 0, width: 8, height: 8).corners
    let inner = Array(Rectangle(x: 2, y: 2, width: 4, height: 4).corners.reversed())
    canvas.fill([outer, inner], color: .black)
    #expect(canvas.picture[3, 3].red == 255 && canvas.picture[1, 1].red == 0)
  }

  @Test func whatLiesOutsideIsCut() {
    var canvas = canvas()
    canvas.fill(
      [[Point(-1e9, -1e9), Point(1e9, -1e9), Point(1e9, 1e9), Point(-1e9, 1e9)]], color: .black)
    #expect(canvas.picture == Picture(width: 8, height: 8, red: 0, green: 0, blue: 0))
    canvas.fill([[Point(.nan, 0), Point(3, 3)], [], [Point(1, 1)]], color: .white)
    #expect(canvas.picture == Picture(width: 8, height: 8, red: 0, green: 0, blue: 0))
    canvas.draw(Picture(width: 3, height: 3, red: 9, green: 9, blue: 9), x: 7, y: -2)
    #expect(canvas.picture[7, 0].red == 9 && canvas.picture[6, 0].red == 0)
    canvas.draw(Picture(width: 3, height: 3, red: 9, green: 9, blue: 9), x: 70, y: -20)
  }

  @Test func circlesHaveTheAreaOfCircles() {
    var canvas = Canvas(width: 100, height: 100, background: .white)
    canvas.fill(Path(circleAt: Point(50.3, 49.6), radius: 40).flattened(), color: .black)
    let dark = canvas.picture.pixels.reduce(0.0) { $0 + (255 - Double($1)) / 255 } / 3
    #expect(abs(dark - Double.pi * 1600) < 0.002 * Double.pi * 1600)
  }

  @Test func dashesHaveTheirLengths() {
    let pieces = dashed([Point(0, 0), Point(10, 0), Point(10, 10)], [4, 3])
    #expect(pieces.count == 3)
    #expect(pieces[0] == [Point(0, 0), Point(4, 0)])
    #expect(pieces[1] == [Point(7, 0), Point(10, 0), Point(10, 1)])
    #expect(pieces[2] == [Point(10, 4), Point(10, 8)])
  }

  @Test func everyGlyphIsReadable() {
    for font in [Font.regular, .medium] {
      let text = (0x21...0x7e).map { String(UnicodeScalar($0)) }.joined() + "σµε×–…≥≤°→★éÜß"
      for (scalar, glyph) in font.glyphs(of: text) {
        #expect(glyph.advance > 100 && glyph.advance < 1300)
        let points = Path(outline: glyph.outline).flattened().flatMap { $0 }
        #expect(points.count > 2, "\(scalar)")
        // Everything stays near its box: a misread number would throw a point far away.
        #expect(points.allSatisfy { (-300...1500).contains($0.x) && (-1100...350).contains($0.y) })
      }
    }
  }

  @Test func textIsComposedAndWhatIsMissingIsABox() {
    #expect(Font.regular.glyphs(of: "e\u{301}").map(\.scalar) == ["é"])
    #expect(Font.regular.glyphs(of: "漢").count == 1)
    #expect(Font.regular.glyphs(of: "a\u{200d}\u{fe0f}b").count == 2)
    #expect(Font.regular.width(of: "\n", size: 10) == Font.regular.width(of: " ", size: 10))
  }

  @Test func svgIsWellFormed() throws {
    var drawing = Drawing(width: 50, height: 40)
    drawing.title = "a < b & \"c\""
    drawing.items = [
      .box(Rectangle(x: 1, y: 2, width: 3, height: 4), .black),
      .line([Point(0, 0), Point(9.123, 1)], closed: false, Pen(color: .black, width: 1.5)),
      .rule(Point(0, 5), Point(9, 5), Pen(color: .black, width: 1, dashes: [2, 1])),
      .area(Path(circleAt: Point(5, 5), radius: 2), .white, opacity: 0.25),
      .text(Drawing.Text(text: "<&\u{1}>", position: Point(3, 3), size: 12, isUpright: true)),
      .clipped(
        Rectangle(x: 0, y: 0, width: 9, height: 9),
        [
          .picture(
            testPicture(width: 2, height: 2), Rectangle(x: 0, y: 0, width: 4, height: 4), .nearest)
        ]),
    ]
    let parser = XMLCheck(try drawing.svg())
    #expect(parser.error == nil)
    #expect(
      parser.elements == [
        "svg", "title", "rect", "rect", "path", "path", "path", "path", "svg", "image",
      ])
    _ = drawing.picture(scale: 1.5)
  }

  @Test(
    "Decimals are plain",
    arguments: [
      (0, "0"), (1, "1"), (-1.5, "-1.5"), (0.005, "0.01"), (123.456, "123.46"), (-0.001, "0"),
      (Double.nan, "0"), (1e300, "100000000"),
    ])
  func decimals(value: Double, text: String) {
    #expect(decimal(value) == text)
  }
}
