import Foundation
import Language
import Testing

@testable import Notebook

@Suite struct PageTests {
  private func page(
    _ source: String, name: String = "lesson.evk", host: TestHost = TestHost()
  ) throws -> String {
    let interpreter = Interpreter(registry: registry(), host: host)
    var depictions: [[Depiction]] = []
    let recording = try Recorder.run(
      SessionDocument(source, name: name), with: interpreter, version: "0.1",
      environment: environment
    ) { depictions.append(try Page.depictions(of: $0, displayed: [])) }
    return try Page(recording, depictions: depictions).html
  }

  /// The page's text in reading order, tags left out.
  private func text(_ html: String) -> String {
    html.replacing(/(?s)<style>.*?<\/style>|<script>.*?<\/script>|<[^>]*>/, with: "")
      .replacingOccurrences(of: "&lt;", with: "<").replacingOccurrences(of: "&quot;", with: "\"")
  }

  @Test("A script's first comment is the title, later ones are prose, results follow statements")
  func script() throws {
    let html = try page("# Learn.\n#\n# two\n# lines\n\n# First x.\nx = 1 + 1\ny = x * 2 # twice\n")
    #expect(html.contains("<title>Learn</title>"))
    #expect(html.contains("<h1>Learn</h1>"))
    #expect(html.contains("<p>two lines</p>"))
    let order = ["First x.", "x = 1 + 1", "x: 2", "y = x * 2 # twice", "y: 4"]
    var rest = text(html)[...]
    for piece in order {
      let found = try #require(rest.range(of: piece), "\(piece) is missing or too early")
      rest = rest[found.upperBound...]
    }
  }

  @Test("A notebook's prose is Markdown; fences of other languages do not run")
  func notebook() throws {
    let html = try page(
      """
      # A *lesson*

      | a | b |
      |---|---|
      | 1 | 2 |

      ```evoke
      x = 6 * 7

      y = "<b>"
      ```

      ```sh
      x = 9
      ```
      """, name: "lesson.md")
    #expect(html.contains("<h1>A <em>lesson</em></h1>"))
    #expect(html.contains("<title>A lesson</title>"))
    #expect(html.contains("<td>2</td>"))
    #expect(text(html).contains("x: 42"))
    #expect(html.contains("&lt;b&gt;"))
    #expect(!html.contains("<b>\""))
    #expect(html.contains("<code class=\"language-sh\">"))
  }

  @Test("Nothing that a notebook contains can run in the page")
  func isSafe() throws {
    let html = try page(
      """
      # <script>alert(1)</script>
      [here](javascript:alert(2)) <img src=x onerror=alert(3)>

      ```evoke
      x = "</pre><script>alert(4)</script>"
      print(x)
      ```
      """, name: "bad.md")
    #expect(!html.contains("<script>alert"))
    #expect(!html.contains("javascript:"))
    #expect(!html.contains("onerror"))
    #expect(!html.contains("<script>"))  // without moving pictures there is no script at all
  }

  @Test("The page carries the session that replays, and its digest")
  func carriesSession() throws {
    let html = try page("x = 3\n", name: "a/b.evk")
    let address = try #require(html.firstMatch(of: /base64,([A-Za-z0-9+\/=]+)"/)).1
    let session = String(
      decoding: try #require(Data(base64Encoded: String(address))), as: UTF8.self)
    #expect(try replay(session, name: "b.session.evk").verdict == .exact)
    #expect(html.contains("download=\"b.session.evk\""))
    var digest = Digest()
    digest.bytes(Array(session.utf8))
    #expect(html.contains(digest.hexadecimal().prefix(16)))
  }

  @Test("A page of a recorded session runs nothing and shows what was recorded")
  func recordedOnly() throws {
    let recorded = try session("x = 3\ny = 4\nmeasure(2)\n")
    let html = try Page(recorded: SessionDocument(recorded, name: "a.evk")).html
    let shown = text(html)
    for line in ["x: 3", "y: 4", "ans: 2"] { #expect(shown.contains(line), "\(line)") }
    #expect(!shown.contains("#>"))
  }

  @Test("A statement that fails is shown with its error, and what stood before it with its results")
  func failure() throws {
    let shown = text(try page("x = 3\ny = x / 0\nz = 5\n"))
    #expect(shown.contains("x: 3"))
    #expect(shown.contains("a.evk") || shown.contains("lesson.evk:2:"))
    #expect(shown.contains("z = 5"))
    #expect(!shown.contains("z: 5"))
  }

  @Test("An operation that was stopped is shown as the shorter one that it was")
  func interrupted() throws {
    let shown = text(
      try page("x = evolve(0, generations: 9)\ny = 1\n", host: TestHost(stopsAfter: 4)))
    #expect(shown.contains("x = evolve(0, generations: 4)"))
    #expect(shown.contains("x: 4"))
  }

  @Test("Pictures are part of the page; a caption that all share is said once")
  func pictures() throws {
    struct Photos: Depictable {
      static let typeName = "Photos"
      let summary = "two"
      func hash(into digest: inout Digest) {}
      func depictions() throws -> [Depiction] {
        [
          .images(
            (0..<2).map { Depiction.Image(Data([$0]), width: 64, height: 64, caption: "a star") }),
          .steps(.init(svg: "<svg id=\"m\"/>", labels: ["one", "two"], still: "<svg id=\"s\"/>")),
        ]
      }
    }
    let document = SessionDocument("x = 1\n", name: "a.evk")
    let recording = try Recorder.run(
      document, with: Interpreter(registry: registry()), version: "0.1")
    let html = try Page(recording, depictions: [Photos().depictions()]).html
    #expect(html.contains("src=\"data:image/png;base64,AA==\""))
    #expect(html.contains("src=\"data:image/png;base64,AQ==\""))
    #expect(text(html).components(separatedBy: "a star").count == 2)
    // Without scripts the still drawing is seen, and the slider is not.
    #expect(html.contains("<div class=\"still\">\n<svg id=\"s\"/>"))
    #expect(html.contains("<div class=\"moving\" hidden>"))
    #expect(html.contains("max=\"1\""))
  }

  @Test("A notebook replays lines that begin with spaces, as a script does")
  func indentedLines() throws {
    let code = "print(\"  two\")\nprint(\"\")\nprint(\"one \")"
    for (source, name) in [(code + "\n", "a.evk"), ("# T\n\n```evoke\n\(code)\n```\n", "a.md")] {
      let recorded = try session(source, name: name)
      #expect(recorded.contains("  two\n"))
      let report = try replay(recorded, name: name)
      #expect(report.verdict == .exact, "\(name): \(report.rendered())")
    }
  }
}
