/// How numbers look in echo lines: short, and the same on every machine.
enum Format {
  /// `value` with four significant digits: `0.0871`, `12.35`, `1.2e-07`.
  static func number(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    if value == 0 { return "0" }
    let magnitude = abs(value)
    if magnitude >= 1e-4 && magnitude < 1e6 {
      var places = 3
      var scale = magnitude
      while scale < 1 {
        scale *= 10
        places += 1
      }
      while scale >= 10 && places > 0 {
        scale /= 10
        places -= 1
      }
      return fixed(value, places: places)
    }
    var exponent = 0
    var mantissa = magnitude
    while mantissa >= 10 {
      mantissa /= 10
      exponent += 1
    }
    while mantissa < 1 {
      mantissa *= 10
      exponent -= 1
    }
    return "\(value < 0 ? "-" : "")\(fixed(mantissa, places: 1))e\(exponent)"
  }

  /// A share between 0 and 1 with two decimals.
  static func fraction(_ value: Double) -> String { fixed(value, places: 2) }

  /// `value` as a percentage with its sign: `−9.0 %`.
  static func change(_ value: Double) -> String {
    "\(value < 0 ? "−" : "+")\(fixed(abs(value) * 100, places: 1)) %"
  }

  /// `value` rounded half away from zero to `places` decimals.
  static func fixed(_ value: Double, places: Int) -> String {
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let scaled = (abs(value) * scale).rounded(.toNearestOrAwayFromZero)
    guard scaled < 9e15 else { return "\(value)" }
    let digits = String(Int(scaled))
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard places > 0 else { return sign + padded }
    return "\(sign)\(padded.dropLast(places)).\(padded.suffix(places))"
  }
}
