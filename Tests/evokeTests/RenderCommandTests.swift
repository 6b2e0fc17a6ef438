import Foundation
import Testing

/// `evoke render` as a command.
@Suite struct RenderCommandTests {
  private let place: Workplace

  init() throws { place = try Workplace() }

  @Test("A script becomes a page beside it; what it writes and its pictures stay out of the folder")
  func script() throws {
    try place.write(
      "# A lesson.\n\nx = 6 * 7\nchart = plot([1, 4, 9])\nwrite(chart, to: \"chart.svg\")\n",
      to: "lesson.evk")
    let outcome = try place.evoke(["render", "lesson.evk"])
    #expect(outcome.status == 0)
    let page = try place.read("lesson.html")
    #expect(page.contains("<h1>A lesson</h1>"))
    #expect(page.contains("x: 42"))
    #expect(page.contains("<svg "))
    #expect(!page.contains("http://") || page.contains("http://www.w3.org/2000/svg"))
    let files = try FileManager.default.contentsOfDirectory(atPath: place.folder.path)
    #expect(files.sorted() == ["lesson.evk", "lesson.html"])
  }

  @Test("The same notebook gives the same page, under any number of threads")
  func isReproducible() throws {
    try place.write("# T\n\n```evoke\nx = normal([4, 4])\nplot(x)\n```\n", to: "lesson.md")
    for (name, threads) in [("a.html", "1"), ("b.html", "2")] {
      let outcome = try place.evoke(["render", "lesson.md", "-o", name, "--threads", threads])
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    #expect(try place.read("a.html") == place.read("b.html"))
  }

  @Test("The page of a recorded session says whether it came out again")
  func verdicts() throws {
    try place.write("x = 6 * 7\ny = x + 1\n", to: "a.evk")
    #expect(try place.evoke(["run", "a.evk", "--save", "a.session.evk"]).status == 0)
    #expect(try place.evoke(["render", "a.session.evk", "-o", "good.html"]).status == 0)
    #expect(try place.read("good.html").contains("class=\"exact\""))
    let altered = try place.read("a.session.evk").replacingOccurrences(of: "x: 42", with: "x: 43")
    try place.write(altered, to: "b.session.evk")
    let outcome = try place.evoke(["render", "b.session.evk", "-o", "bad.html"])
    #expect(outcome.status == 4)
    #expect(outcome.errors.contains("recorded  x: 43"))
    #expect(try place.read("bad.html").contains("class=\"differs\""))
    // Without running anything, what was recorded is shown.
    #expect(
      try place.evoke(["render", "b.session.evk", "-o", "as-is.html", "--recorded"]).status == 0)
    #expect(try place.read("as-is.html").contains("x: 43"))
    #expect(try place.evoke(["render", "a.evk", "--recorded"]).status == 2)
  }

  @Test("A script that fails leaves the page of what it did, and status 1")
  func failure() throws {
    try place.write("x = 6 * 7\ny = x / 0\n", to: "a.evk")
    let outcome = try place.evoke(["render", "a.evk", "-o", "a.html"])
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("a.evk:2:7: error: division by zero"))
    let page = try place.read("a.html")
    #expect(page.contains("x: 42") && page.contains("class=\"failure\""))
  }

  @Test("Prose shows pictures below the notebook's folder, and no others")
  func proseReadsOnlyItsFolder() throws {
    let png = Data([137, 80, 78, 71])
    try png.write(to: place.folder.appendingPathComponent("in.png"))
    try png.write(to: place.folder.deletingLastPathComponent().appendingPathComponent("out.png"))
    try place.write("![a](in.png) ![b](../out.png)\n", to: "a.md")
    #expect(try place.evoke(["render", "a.md", "-o", "a.html"]).status == 0)
    let page = try place.read("a.html")
    #expect(page.contains("src=\"data:image/png;base64,iVBORw==\""))
    #expect(page.contains("src=\"../out.png\""))
  }

  @Test("A page that cannot be written is refused before anything runs")
  func noFolder() throws {
    try place.write("print(\"ran\")\n", to: "a.evk")
    let outcome = try place.evoke(["render", "a.evk", "-o", "none/a.html"])
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("the page cannot be written"))
    #expect(!outcome.errors.contains("ran"))
  }
}
