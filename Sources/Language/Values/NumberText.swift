/// A number with `significant` digits, `0.0871`, `1.23e-05`; the same text on every platform.
///
/// Rounds the shortest decimal text that identifies the number, half away from zero.
public func formatted(_ number: Double, significant: Int = 4) -> String {
  guard number.isFinite else { return plainText(number) }
  if number == 0 { return "0" }
  var (digits, exponent) = decimalDigits(number.magnitude)
  let wanted = max(1, min(17, significant))
  if digits.count > wanted {
    let roundsUp = digits[wanted] >= 5
    digits.removeSubrange(wanted...)
    if roundsUp {
      var place = wanted - 1
      while place >= 0, digits[place] == 9 {
        digits[place] = 0
        place -= 1
      }
      if place >= 0 {
        digits[place] += 1
      } else {
        digits.insert(1, at: 0)
        digits.removeLast()
        exponent += 1
      }
    }
  }
  while digits.count > 1, digits.last == 0 { digits.removeLast() }
  return (number < 0 ? "-" : "") + decimalText(digits, exponent)
}

/// A number with `decimals` digits behind the point, `3.140`.
public func formatted(_ number: Double, decimals: Int) -> String {
  guard number.isFinite else { return plainText(number) }
  let places = max(0, min(17, decimals))
  var (digits, exponent) = decimalDigits(number.magnitude)
  // digits = d0.d1d2… × 10^exponent; keep those down to 10^-places.
  let kept = exponent + 1 + places
  if number == 0 || kept < 0 {
    digits = [0]
    exponent = 0
  } else if kept < digits.count {
    let roundsUp = digits[kept] >= 5
    digits = [0] + digits[..<kept]
    exponent += 1
    if roundsUp {
      var place = digits.count - 1
      while digits[place] == 9 {
        digits[place] = 0
        place -= 1
      }
      digits[place] += 1
    }
  }
  func digit(_ power: Int) -> String {
    let index = exponent - power
    return String(index >= 0 && index < digits.count ? digits[index] : 0)
  }
  let whole = (0...max(0, exponent)).reversed().map(digit).joined()
  let trimmed = whole.drop { $0 == "0" }
  let fraction = places > 0 ? "." + (1...places).map { digit(-$0) }.joined() : ""
  let text = (trimmed.isEmpty ? "0" : String(trimmed)) + fraction
  return number < 0 && text.contains { $0 >= "1" && $0 <= "9" } ? "-" + text : text
}

/// The shortest text that reads back as `number`.
func plainText(_ number: Double) -> String {
  if number.isNaN { return "nan" }
  if number.isInfinite { return number < 0 ? "-inf" : "inf" }
  return number.description
}

/// The digits d0 d1 … and the power of ten of d0 in the shortest text that identifies `number`.
private func decimalDigits(_ number: Double) -> (digits: [Int], exponent: Int) {
  var digits: [Int] = []
  var exponent = -1
  var seenPoint = false
  var power = 0
  let parts = number.description.split(separator: "e")
  if parts.count > 1 { power = Int(parts[1]) ?? 0 }
  for character in parts.first ?? "0" {
    if character == "." {
      seenPoint = true
    } else if let digit = character.wholeNumberValue {
      if digits.isEmpty, digit == 0 {
        if seenPoint { exponent -= 1 }
        continue
      }
      digits.append(digit)
      if !seenPoint { exponent += 1 }
    }
  }
  if digits.isEmpty { return ([0], 0) }
  return (digits, exponent + power)
}

private func decimalText(_ digits: [Int], _ exponent: Int) -> String {
  let text = digits.map(String.init).joined()
  if exponent < -5 || exponent > 15 {
    let mantissa = text.count > 1 ? "\(text.prefix(1)).\(text.dropFirst())" : text
    let size = abs(exponent)
    return "\(mantissa)e\(exponent < 0 ? "-" : "+")\(size < 10 ? "0" : "")\(size)"
  }
  if exponent < 0 { return "0." + String(repeating: "0", count: -exponent - 1) + text }
  if digits.count <= exponent + 1 {
    return text + String(repeating: "0", count: exponent + 1 - digits.count)
  }
  return "\(text.prefix(exponent + 1)).\(text.dropFirst(exponent + 1))"
}
