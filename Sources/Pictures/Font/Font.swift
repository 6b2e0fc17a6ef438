import Foundation

/// A typeface shipped as outlines, so that text looks the same on every machine.
struct Font: Sendable {
  static let regular = Font(regularGlyphs)
  static let medium = Font(mediumGlyphs)

  /// Units of advances and outlines in the font's size.
  static let unitsPerEm = 1024.0
  /// Height of capital letters and of x, in parts of the size.
  static let capitalHeight = 0.711
  static let xHeight = 0.528

  struct Glyph: Sendable {
    let advance: Double
    /// An SVG path in 1/1024 of the size, y downwards, the origin on the baseline.
    let outline: Substring
  }

  private let glyphs: [UInt32: Glyph]
  private let missing: Glyph

  private init(_ table: String) {
    var glyphs: [UInt32: Glyph] = [:]
    for line in table.split(separator: "\n") {
      let fields = line.split(separator: " ", maxSplits: 2)
      guard let code = UInt32(fields[0], radix: 16), let advance = Double(fields[1]) else {
        preconditionFailure("malformed glyph: \(line)")
      }
      glyphs[code] = Glyph(advance: advance, outline: fields.count > 2 ? fields[2] : "")
    }
    self.glyphs = glyphs
    missing = Glyph(
      advance: 600, outline: "m60-711l480 0 0 711-480 0zm60 60l0 591 360 0 0-591z")
  }

  /// The characters drawn for a text: composed where possible, control characters as spaces; what
  /// the font lacks is drawn as an empty box.
  func glyphs(of text: String) -> [(scalar: Unicode.Scalar, glyph: Glyph)] {
    text.precomposedStringWithCanonicalMapping.unicodeScalars.compactMap { scalar in
      let properties = scalar.properties
      if properties.isVariationSelector || properties.isDefaultIgnorableCodePoint { return nil }
      let shown = properties.isWhitespace || scalar.value < 32 ? " " : scalar
      return (shown, glyphs[shown.value] ?? missing)
    }
  }

  func width(of text: String, size: Double) -> Double {
    glyphs(of: text).reduce(0) { $0 + $1.glyph.advance } * size / Self.unitsPerEm
  }
}

extension Path {
  /// Reads an outline of the glyph tables: m, l, q and z in relative coordinates.
  init(outline: some StringProtocol) {
    var at = Point(0, 0)
    var start = at
    var numbers = NumberReader(outline.utf8)
    while let command = numbers.nextCommand() {
      switch command {
      case UInt8(ascii: "m"):
        at = at + numbers.point()
        start = at
        elements.append(.move(at))
      case UInt8(ascii: "l"):
        while numbers.hasNumber {
          at = at + numbers.point()
          elements.append(.line(at))
        }
      case UInt8(ascii: "q"):
        while numbers.hasNumber {
          let control = at + numbers.point()
          at = at + numbers.point()
          elements.append(.quadratic(control, at))
        }
      default:
        elements.append(.close)
        at = start
      }
    }
  }
}

/// Whole numbers that a minus sign, a space or a command separates.
private struct NumberReader {
  private var rest: ArraySlice<UInt8>

  init(_ text: some Sequence<UInt8>) { rest = ArraySlice(text) }

  mutating func nextCommand() -> UInt8? { rest.popFirst() }

  var hasNumber: Bool { rest.first.map { $0 < UInt8(ascii: "a") } ?? false }

  mutating func point() -> Point {
    let x = number()
    // Controls come before their end point, both relative to where the curve starts.
    return Point(x, number())
  }

  private mutating func number() -> Double {
    while rest.first == UInt8(ascii: " ") { rest.removeFirst() }
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative { rest.removeFirst() }
    var value = 0
    while let digit = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
      value = value * 10 + Int(digit - UInt8(ascii: "0"))
      rest.removeFirst()
    }
    return Double(isNegative ? -value : value)
  }
}
