/// An sRGB colour.
public struct Color: Sendable, Hashable {
  public let red: UInt8
  public let green: UInt8
  public let blue: UInt8

  /// A colour from 0xRRGGBB.
  public init(_ hex: UInt32) {
    red = UInt8(truncatingIfNeeded: hex >> 16)
    green = UInt8(truncatingIfNeeded: hex >> 8)
    blue = UInt8(truncatingIfNeeded: hex)
  }

  public static let black = Color(0x000000)
  public static let white = Color(0xffffff)

  /// The colours that series take in turn: distinguishable with any form of colour blindness.
  ///
  /// Source: Okabe & Ito, "Color Universal Design" (2008); yellow comes last, being faint on white.
  public static let palette: [Color] = [
    Color(0x0072b2), Color(0xd55e00), Color(0x009e73), Color(0xcc79a7), Color(0xe69f00),
    Color(0x56b4e9), Color(0x333333), Color(0xf0e442),
  ]

  /// The colour at `position` 0…1 of a ramp from dark blue to yellow whose lightness grows evenly,
  /// in print and for the colour-blind too.
  ///
  /// Source: matplotlib's viridis at nine equidistant points, interpolated linearly.
  public static func ramp(_ position: Double) -> Color {
    let steps: [Color] = [
      Color(0x440154), Color(0x472d7b), Color(0x3b528b), Color(0x2c728e), Color(0x21918c),
      Color(0x28ae80), Color(0x5ec962), Color(0xaddc30), Color(0xfde725),
    ]
    let place = (position > 0 ? min(position, 1) : 0) * Double(steps.count - 1)
    let index = min(Int(place), steps.count - 2)
    return steps[index].mixed(with: steps[index + 1], place - Double(index))
  }

  /// This colour with `share` 0…1 of another in it.
  public func mixed(with other: Color, _ share: Double) -> Color {
    func mix(_ a: UInt8, _ b: UInt8) -> UInt32 {
      UInt32((Double(a) + (Double(b) - Double(a)) * share).rounded())
    }
    return Color(
      mix(red, other.red) << 16 | mix(green, other.green) << 8 | mix(blue, other.blue))
  }

  /// #rrggbb
  var hex: String {
    let digits = Array("0123456789abcdef")
    return "#"
      + [red, green, blue].map { "\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }.joined()
  }
}
