import Foundation
import Tensors
import Testing

@testable import Pictures

/// Writes what a test drew to the folder that EVOKE_TEST_PICTURES names, to be looked at.
func keepForTheEye(_ picture: @autoclosure () throws -> Picture, _ name: String) throws {
  guard let folder = ProcessInfo.processInfo.environment["EVOKE_TEST_PICTURES"] else { return }
  try picture().write(to: URL(fileURLWithPath: folder).appendingPathComponent("\(name).png"))
}

@Suite struct ContactSheetTests {
  /// A disc before a ground, so that something is to be seen.
  private func disc(_ index: Int, size: Int = 64) -> Picture {
    Picture(width: size, height: size) { pixels in
      for y in 0..<size {
        for x in 0..<size {
          let (dx, dy) = (x - size / 2 - index * 3, y - size / 2)
          let inside = dx * dx + dy * dy < size * size / 9
          let i = (y * size + x) * 3
          pixels[i] = inside ? 230 : UInt8(40 + index * 20)
          pixels[i + 1] = inside ? UInt8(60 + 25 * index) : UInt8(90 + y)
          pixels[i + 2] = inside ? 70 : UInt8(140 + x)
        }
      }
    }
  }

  @Test func aSheetHoldsItsPictures() throws {
    let rows = [
      ContactSheet.Row("given", pictures: (0..<5).map { disc($0) }),
      ContactSheet.Row(
        "nearest plain words: “coral”, “star”", pictures: (0..<5).map { disc($0) },
        captions: ["a photo of a coral star", "coral", "star", "seed 3", "≤ 0.5 σ, 10⁻³"]),
      ContactSheet.Row(
        "learned word in new contexts", pictures: (0..<4).map { disc($0) },
        captions: [
          "a photo of a <star> on a blue background",
          "an extraordinarily long caption that cannot "
            + "possibly be shown in two lines at this size", "Über-Größe naïve façade",
          "averyveryverylongwordwithoutanyspaces",
        ]),
    ]
    let sheet = ContactSheet(
      title: "A new word from five pictures", subtitle: "demo model, seed 7, 30 steps, guidance 5",
      rows: rows)
    let picture = try sheet.rendered(scale: 1)
    try keepForTheEye(picture, "sheet")
    try keepForTheEye(try sheet.rendered(scale: 2), "sheet-2x")
    #expect(picture.width > 5 * 128)
    #expect(try sheet.rendered(scale: 1) == picture)
    #expect(try sheet.rendered(scale: 0.5).width == (picture.width + 1) / 2)
    #expect(try sheet.svg().contains("aria-label=\"a photo of a &lt;star&gt; on a\""))
  }

  @Test func picturesOfTheirOwnSizeAreShownUnaltered() throws {
    let picture = testPicture(width: 200, height: 150)
    let sheet = try ContactSheet(rows: [.init(pictures: [picture])]).rendered(scale: 1)
    #expect(sheet.cropped(x: 24, y: 24, width: 200, height: 150) == picture)
    #expect(sheet.width == 248 && sheet.height == 198)
  }

  @Test func rowsWrap() throws {
    let pictures = (0..<7).map { disc($0) }
    let narrow = try ContactSheet(rows: [.init(pictures: pictures)], columns: 3).rendered(scale: 1)
    let wide = try ContactSheet(rows: [.init(pictures: pictures)], columns: 9).rendered(scale: 1)
    #expect(narrow.width == 2 * 24 + 3 * 128 + 2 * 12)
    #expect(narrow.height > 3 * 128 && wide.height < 2 * 128)
    #expect(ContactSheet.grid(pictures).columns == 3)
    #expect(ContactSheet.grid(Array(pictures.prefix(5))).columns == 5)
  }

  @Test func wordsAreWrappedAndElided() {
    let font = Font.regular
    let lines = font.wrapped("one two three four five six", size: 10, width: 50, most: 2)
    #expect(lines.count == 2 && lines[1].hasSuffix("…"))
    for line in lines { #expect(font.width(of: line, size: 10) <= 50) }
    #expect(font.wrapped("", size: 10, width: 50, most: 2) == [])
    #expect(font.wrapped("a\nb", size: 10, width: 50, most: 3) == ["a", "b"])
    #expect(font.wrapped("wwwwwwwwwwww", size: 10, width: 30, most: 9).count > 2)
    #expect(font.elided("short", size: 10, width: 500) == "short")
    #expect(font.elided("anything", size: 10, width: 1) == "…")
  }

  @Test func whatCannotBeDrawn() throws {
    #expect(try thrownError { _ = try ContactSheet(rows: []).rendered() }.kind == .value)
    let sheet = ContactSheet(rows: [.init(pictures: [disc(0)])])
    for scale in [0, -1, .nan, .infinity, 1e5] {
      #expect(try thrownError { _ = try sheet.rendered(scale: scale) }.kind == .value)
    }
  }
}
