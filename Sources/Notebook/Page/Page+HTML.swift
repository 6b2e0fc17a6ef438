import Foundation
import Language

extension Page {
  /// The page: one HTML document that needs nothing else, readable without scripts too.
  public var html: String {
    let body = PageBody(self)
    let content = body.content
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="generator" content="evoke">
      <title>\(escaped(body.title))</title>
      <style>
      \(PageStyle.sheet)
      </style>
      </head>
      <body>
      <main>
      \(content)
      </main>
      \(content.contains("class=\"steps\"") ? "<script>\n\(PageStyle.script)\n</script>" : "")
      </body>
      </html>

      """
  }
}

/// Writes the inside of a page.
private struct PageBody {
  private let page: Page
  private(set) var title: String
  /// The title as HTML.
  private var heading = ""
  private var blocks: [String] = []

  init(_ page: Page) {
    self.page = page
    let name = page.document.name.split(separator: "/").last.map(String.init) ?? ""
    title = name
    heading = "<h1>\(escaped(name))</h1>"
    for part in page.parts {
      switch part {
      case .prose(let lines): blocks.append(prose(lines))
      case .cell(let units): blocks.append(cell(units))
      }
    }
  }

  var content: String {
    ([heading, facts] + blocks + [footer]).filter { !$0.isEmpty }.joined(separator: "\n")
  }

  // MARK: - Prose

  private mutating func prose(_ lines: [String]) -> String {
    if page.document.kind == .script {
      let comment = CommentProse(lines, isFirst: blocks.isEmpty)
      if let found = comment.title {
        title = found
        heading = "<h1>\(escaped(found))</h1>"
      }
      return "<div class=\"prose\">\n\(comment.html)</div>"
    }
    let prose = Prose(lines.joined(separator: "\n"), picture: embedded)
    var html = prose.html
    if blocks.isEmpty, let found = prose.title, html.hasPrefix("<h1>"),
      let end = html.range(of: "</h1>\n")
    {
      title = found
      heading = String(html[..<end.upperBound])
      html = String(html[end.upperBound...])
    }
    return "<div class=\"prose\">\n\(html)</div>"
  }

  private func embedded(_ path: String) -> String? {
    guard let data = page.picture(path) else { return nil }
    let ending = path.split(separator: ".").last?.lowercased() ?? ""
    let type = ["jpg": "jpeg", "jpeg": "jpeg", "webp": "webp", "gif": "gif"][ending] ?? "png"
    return "data:image/\(type);base64,\(data.base64EncodedString())"
  }

  // MARK: - Cells

  private func cell(_ units: [PageUnit]) -> String {
    "<section class=\"cell\">\n" + units.map(unit).joined() + "</section>"
  }

  private func unit(_ unit: PageUnit) -> String {
    let lines = unit.lines.filter { !page.document.generated.contains($0) }
    var code = lines.map { page.document.lines[$0 - 1] }.joined(separator: "\n")
    let outputs = unit.statements.filter { $0 < page.outputs.count }.map { page.outputs[$0] }
    for (from, to) in outputs.compactMap(\.shortened) {
      code = code.replacingOccurrences(of: from, with: to)
    }
    return "<pre class=\"code\">\(highlighted(code))</pre>\n" + outputs.map(output).joined()
  }

  private func highlighted(_ code: String) -> String {
    Highlighting.parts(of: code).map { part in
      switch part.kind {
      case .plain, .name, .symbol: escaped(part.text)
      default: "<i class=\"\(part.kind.rawValue)\">\(escaped(part.text))</i>"
      }
    }.joined()
  }

  private func output(_ output: Page.Output) -> String {
    var html = output.lines.map { line in
      guard let digest = line.digest else {
        return "<pre class=\"printed\">\(escaped(line.text))</pre>\n"
      }
      return "<p class=\"echo\"><span>\(escaped(line.text))</span> <code>\(digest)</code></p>\n"
    }.joined().replacingOccurrences(of: "</pre>\n<pre class=\"printed\">", with: "\n")
    html += depictions(output.depictions)
    if let failure = output.failure { html += "<pre class=\"failure\">\(escaped(failure))</pre>\n" }
    return html
  }

  // MARK: - Pictures and plots

  /// Pictures in rows of their own, drawings side by side where there is room.
  private func depictions(_ depictions: [Depiction]) -> String {
    let images = depictions.compactMap { if case .images(let images) = $0 { images } else { nil } }
    let drawings = depictions.compactMap(drawing)
    return images.map(figures).joined()
      + (drawings.isEmpty ? "" : "<div class=\"figures\">\n\(drawings.joined())</div>\n")
  }

  private func drawing(_ depiction: Depiction) -> String? {
    switch depiction {
    case .images: return nil
    case .drawing(let svg, let narrow):
      let forms = narrow.map { narrow in
        "<div class=\"wide\">\n\(svg)</div>\n<div class=\"narrow\">\n\(narrow)</div>\n"
      }
      return "<figure class=\"drawing\">\n\(forms ?? svg)</figure>\n"
    case .steps(let steps): return moving(steps)
    }
  }

  /// Small pictures stand side by side at twice their size; large ones take the page's width.
  private func figures(_ images: [Depiction.Image]) -> String {
    // A caption that all of them share is said once.
    let captions = Set(images.map(\.caption))
    let shared = images.count > 1 && captions.count == 1 ? captions.first ?? "" : ""
    let figures = images.map { image in
      let source = "data:\(image.mediaType);base64,\(image.data.base64EncodedString())"
      let text = escaped(image.caption)
      let isSmall = image.width <= 160
      // A large picture alone says itself what it is.
      let isCaptioned = shared.isEmpty && !text.isEmpty && (isSmall || images.count > 1)
      let caption = isCaptioned ? "<figcaption>\(text)</figcaption>" : ""
      let width = isSmall ? max(96, image.width * 2) : image.width
      return "<figure class=\"\(isSmall ? "small" : "large")\"><img alt=\"\(text)\" "
        + "width=\"\(width)\" src=\"\(source)\">\(caption)</figure>"
    }
    let below = shared.isEmpty ? "" : "<p class=\"caption\">\(escaped(shared))</p>\n"
    return "<div class=\"pictures\">\n\(figures.joined(separator: "\n"))\n</div>\n\(below)"
  }

  /// With scripts a slider moves through the steps; without them the whole course stands there.
  private func moving(_ steps: Depiction.Steps) -> String {
    let labels = steps.labels.map { "<li>\(escaped($0))</li>" }.joined()
    let last = max(0, steps.labels.count - 1)
    return """
      <figure class="steps">
      <div class="still">
      \(steps.still)</div>
      <div class="moving" hidden>
      \(steps.svg)<div class="controls"><button type="button" aria-label="play">▶</button>\
      <input type="range" min="0" max="\(last)" value="\(last)" aria-label="generation"></div>
      <p class="caption" aria-live="polite"></p>
      <ol hidden>\(labels)</ol>
      </div>
      </figure>

      """
  }

  // MARK: - The session's fingerprint

  private var facts: String {
    var facts = (page.header?.fields ?? []).filter { $0.key != "folder" }.map { field in
      "<span><b>\(escaped(field.key))</b> \(escaped(field.value))</span>"
    }
    if let verdict = page.verdict {
      let meaning =
        switch verdict {
        case .exact: "every recorded line came out again, to the byte"
        case .close: "within tolerance of what was recorded"
        case .differs: "not what was recorded"
        }
      facts.append(
        "<span class=\"\(verdict.rawValue)\"><b>replayed</b> \(verdict.rawValue): \(meaning)</span>"
      )
    }
    return "<p class=\"facts\">\n\(facts.joined(separator: "\n"))\n</p>"
  }

  private var footer: String {
    guard page.header != nil else { return "" }
    let ending = page.document.kind == .script ? "evk" : "md"
    let base = page.document.name.split(separator: "/").last?.split(separator: ".").first
    let name = "\(base.map(String.init) ?? "session").session.\(ending)"
    let data = Data(page.session.utf8).base64EncodedString()
    return """
      <footer>
      <p>This page carries its session:
      <a download="\(escaped(name))" href="data:text/plain;charset=utf-8;base64,\(data)">\
      \(escaped(name))</a>, SHA-256 <code>\(page.sessionDigest.prefix(16))</code>.
      The eight digits behind a line are the digest of the value’s bytes.
      <code>evoke replay \(escaped(name))</code>, beside the files that it reads, computes all of it
      again and says whether every byte is the same.</p>
      </footer>
      """
  }
}

extension Page {
  /// SHA-256 of the recorded session's text, 64 hexadecimal digits.
  public var sessionDigest: String {
    var digest = Digest()
    digest.bytes(Array(session.utf8))
    return digest.hexadecimal()
  }
}

/// A script's comment lines as paragraphs; lines that are indented further stand as they are.
private struct CommentProse {
  /// The first line of a script that begins with a comment.
  var title: String?
  private(set) var html = ""
  private var paragraph: [String] = []
  private var fixed: [String] = []

  init(_ lines: [String], isFirst: Bool) {
    var lines = lines[...]
    if isFirst, let first = lines.first, !first.hasPrefix(" "), !first.isEmpty {
      title = first.hasSuffix(".") ? String(first.dropLast()) : first
      lines = lines.dropFirst()
    }
    for line in lines {
      if line.hasPrefix("  ") {
        endParagraph()
        fixed.append(line.trimmed())
      } else if line.isEmpty {
        endParagraph()
        endFixed()
      } else {
        endFixed()
        paragraph.append(line)
      }
    }
    endParagraph()
    endFixed()
  }

  private mutating func endParagraph() {
    if paragraph.isEmpty { return }
    html += "<p>\(withCode(paragraph.joined(separator: " ")))</p>\n"
    paragraph = []
  }

  private mutating func endFixed() {
    if fixed.isEmpty { return }
    html += "<pre>\(escaped(fixed.joined(separator: "\n")))</pre>\n"
    fixed = []
  }

  /// What stands between backticks is code.
  private func withCode(_ text: String) -> String {
    let pieces = text.split(separator: "`", omittingEmptySubsequences: false)
    guard pieces.count % 2 == 1 else { return escaped(text) }
    return pieces.enumerated().map { index, piece in
      index % 2 == 1 ? "<code>\(escaped(String(piece)))</code>" : escaped(String(piece))
    }.joined()
  }
}

/// Text as HTML has it.
func escaped(_ text: String) -> String {
  var result = ""
  for character in text.unicodeScalars {
    switch character {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    default: result.unicodeScalars.append(character)
    }
  }
  return result
}
