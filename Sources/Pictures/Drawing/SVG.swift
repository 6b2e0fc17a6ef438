import Foundation

extension Drawing {
  /// The drawing as a self-contained SVG document. Text is written as outlines and looks the same
  /// everywhere; what it says stands in `aria-label`.
  func svg() throws -> String {
    var writer = SVGWriter()
    writer.lines = svgHead
    for item in items { try writer.write(item) }
    return (writer.lines + ["</svg>", ""]).joined(separator: "\n")
  }

  /// Drawings of the same thing as one SVG document: what all of them have in common is there once,
  /// the rest in groups of the class `step` with the drawing's number, from 0, as `data-step`.
  static func svg(steps drawings: [Drawing]) throws -> String {
    guard let first = drawings.first else { return "" }
    var lines = first.svgHead
    for index in 0..<(drawings.map(\.items.count).max() ?? 0) {
      let forms = try drawings.map { drawing in
        var writer = SVGWriter()
        if index < drawing.items.count { try writer.write(drawing.items[index]) }
        return writer.lines
      }
      if forms.allSatisfy({ $0 == forms[0] }) {
        lines += forms[0]
      } else {
        for (step, form) in forms.enumerated() where !form.isEmpty {
          lines += ["<g class=\"step\" data-step=\"\(step)\">"] + form + ["</g>"]
        }
      }
    }
    return (lines + ["</svg>", ""]).joined(separator: "\n")
  }

  private var svgHead: [String] {
    let size = "\(decimal(width)) \(decimal(height))"
    return [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(size)\" "
        + "width=\"\(decimal(width))\" height=\"\(decimal(height))\" role=\"img\">"
    ] + (title.isEmpty ? [] : ["<title>\(escaped(title))</title>"]) + [
      "<rect width=\"100%\" height=\"100%\" fill=\"\(background.hex)\"/>"
    ]
  }
}

private struct SVGWriter {
  var lines: [String] = []

  mutating func write(_ item: Drawing.Item) throws {
    switch item {
    case .area(let path, let color, let opacity):
      lines.append("<path d=\"\(data(path))\" fill=\"\(color.hex)\"\(fade("fill", opacity))/>")
    case .line(let points, let closed, let pen):
      let points = points.filter(\.isFinite)
      guard let first = points.first else { return }
      let path = Path([.move(first)] + points.dropFirst().map { .line($0) })
      lines.append(
        "<path d=\"\(data(path))\(closed ? "z" : "")\" fill=\"none\" \(attributes(pen)) "
          + "stroke-linejoin=\"round\"\(pen.dashes.isEmpty ? " stroke-linecap=\"round\"" : "")/>")
    case .rule(let a, let b, let pen):
      lines.append("<path d=\"\(data(Path([.move(a), .line(b)])))\" \(attributes(pen))/>")
    case .box(let box, let color):
      lines.append("<rect \(place(box)) fill=\"\(color.hex)\"/>")
    case .text(let text): write(text)
    case .picture(let picture, let box, let filter):
      let png = try picture.pngData().base64EncodedString()
      let style = filter == .nearest ? " style=\"image-rendering:pixelated\"" : ""
      lines.append(
        "<image \(place(box)) preserveAspectRatio=\"none\"\(style) "
          + "href=\"data:image/png;base64,\(png)\"/>")
    case .clipped(let box, let items):
      let view = [box.x, box.y, box.width, box.height].map { decimal($0) }.joined(separator: " ")
      lines.append("<svg \(place(box)) viewBox=\"\(view)\" overflow=\"hidden\">")
      for item in items { try write(item) }
      lines.append("</svg>")
    }
  }

  private mutating func write(_ text: Drawing.Text) {
    var outline = ""
    var advance = 0.0
    for (_, glyph) in text.font.glyphs(of: text.text) {
      if !glyph.outline.isEmpty { outline += "M\(decimal(advance)) 0\(glyph.outline)" }
      advance += glyph.advance
    }
    let start = text.start
    let scale = decimal(text.size / Font.unitsPerEm, places: 6)
    let turn = text.isUpright ? "rotate(-90)" : ""
    lines.append(
      "<path aria-label=\"\(escaped(text.text))\" fill=\"\(text.color.hex)\" transform=\""
        + "translate(\(decimal(start.x)) \(decimal(start.y)))\(turn)scale(\(scale))\" "
        + "d=\"\(outline)\"/>")
  }

  private func place(_ box: Rectangle) -> String {
    "x=\"\(decimal(box.x))\" y=\"\(decimal(box.y))\" width=\"\(decimal(box.width))\" "
      + "height=\"\(decimal(box.height))\""
  }

  private func attributes(_ pen: Pen) -> String {
    let dashes = pen.dashes.map { decimal($0) }.joined(separator: " ")
    return "stroke=\"\(pen.color.hex)\" stroke-width=\"\(decimal(pen.width))\""
      + (dashes.isEmpty ? "" : " stroke-dasharray=\"\(dashes)\"") + fade("stroke", pen.opacity)
  }

  private func fade(_ what: String, _ opacity: Double) -> String {
    opacity < 1 ? " \(what)-opacity=\"\(decimal(opacity))\"" : ""
  }

  private func data(_ path: Path) -> String {
    func text(_ points: Point...) -> String {
      points.map { "\(decimal($0.x)) \(decimal($0.y))" }.joined(separator: " ")
    }
    return path.elements.map { element in
      switch element {
      case .move(let p): "M\(text(p))"
      case .line(let p): "L\(text(p))"
      case .quadratic(let a, let p): "Q\(text(a, p))"
      case .cubic(let a, let b, let p): "C\(text(a, b, p))"
      case .close: "Z"
      }
    }.joined()
  }
}

/// Text as XML has it; control characters, which XML cannot hold, become spaces.
func escaped(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case _ where scalar.value < 32 || (0xfffe...0xffff).contains(scalar.value): result += " "
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}

/// A number with at most `places` decimals, without trailing zeros: the same text everywhere. Far
/// from any drawing numbers end at ±10⁸.
func decimal(_ value: Double, places: Int = 2) -> String {
  var unit = 1
  for _ in 0..<places { unit *= 10 }
  if value.isNaN { return "0" }
  let scaled = Int((min(max(value, -1e8), 1e8) * Double(unit)).rounded())
  let magnitude = scaled.magnitude
  var fraction = String(magnitude % UInt(unit))
  fraction = String(repeating: "0", count: places - fraction.count) + fraction
  while fraction.hasSuffix("0") { fraction.removeLast() }
  let whole = "\(scaled < 0 ? "-" : "")\(magnitude / UInt(unit))"
  return fraction.isEmpty ? whole : "\(whole).\(fraction)"
}
