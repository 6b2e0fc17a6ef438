import Tensors

/// 1, 2, 2.5 or 5 times a power of ten, kept as whole numbers so that labels are exact.
struct RoundStep: Equatable {
  /// The step is `digits` · 10^`exponent`.
  let digits: Int
  let exponent: Int

  /// The smallest round step that is not below `length`, which is positive.
  init(atLeast length: Double) {
    var exponent = -320
    while exponent < 308, powerOfTen(exponent + 1) <= length { exponent += 1 }
    let leading = length / powerOfTen(exponent)
    for (limit, digits) in [(1, 10), (2, 20), (2.5, 25), (5, 50)] as [(Double, Int)]
    where leading <= limit * (1 + 1e-12) {
      self.init(digits: digits, exponent: exponent - 1)
      return
    }
    self.init(digits: 10, exponent: exponent)
  }

  private init(digits: Int, exponent: Int) {
    let isWhole = digits % 10 == 0
    self.digits = isWhole ? digits / 10 : digits
    self.exponent = isWhole ? exponent + 1 : exponent
  }

  var value: Double { multiple(1) }

  func multiple(_ index: Int) -> Double {
    let whole = Double(index) * Double(digits)
    return exponent < 0 ? whole / powerOfTen(-exponent) : whole * powerOfTen(exponent)
  }
}

/// 10^`exponent`, the nearest double; infinite or zero where out of range.
func powerOfTen(_ exponent: Int) -> Double {
  Double("1e\(exponent)") ?? (exponent < 0 ? 0 : .infinity)
}

/// A marked position of an axis.
struct Tick: Equatable {
  var value: Double
  /// Empty for a position that is only drawn.
  var label: String
}

enum Ticks {
  /// Round positions in a range, about `count` of them.
  static func linear(_ range: ClosedRange<Double>, count: Int) -> [Tick] {
    let length = range.upperBound - range.lowerBound
    guard length > 0, length.isFinite else { return [] }
    let step = RoundStep(atLeast: length / Double(max(count, 1)))
    let slack = 1e-9
    let first = (range.lowerBound / step.value - slack).rounded(.up)
    let last = (range.upperBound / step.value + slack).rounded(.down)
    // Far from zero a step may be smaller than the spacing of doubles.
    guard first <= last, abs(first) < 1e12, abs(last) < 1e12 else { return [] }
    let indices = Int(first)...Int(last)
    let largest = max(
      abs(step.multiple(indices.lowerBound)), abs(step.multiple(indices.upperBound)))
    return indices.map { index in
      Tick(
        value: step.multiple(index),
        label: numeral(index * step.digits, exponent: step.exponent, largest: largest))
    }
  }

  /// Powers of ten; their multiples between them, labelled where there are few powers.
  static func logarithmic(_ range: ClosedRange<Double>, count: Int) -> [Tick] {
    let decades = decadeRange(range)
    let labelEvery = max(1, (decades.count + count - 1) / max(count, 1))
    // The fewer powers there are, the more of what lies between them is labelled.
    let ratio = range.upperBound / range.lowerBound
    let labelled: [Int] = ratio > 500 ? [1] : ratio > 8 ? [1, 2, 5] : [1, 2, 3, 5, 7]
    var ticks: [Tick] = []
    for decade in decades {
      for digit in 1...9 {
        if digit > 1, labelEvery > 1 { break }
        let value = Double(digit) * powerOfTen(decade)
        let exact = decade < 0 ? Double(digit) / powerOfTen(-decade) : value
        guard range.contains(exact) else { continue }
        let isLabelled = labelled.contains(digit) && (digit > 1 || decade % labelEvery == 0)
        ticks.append(
          Tick(value: exact, label: isLabelled ? powerLabel(digit, decade, in: decades) : ""))
      }
    }
    // A range within one decade may hold no labelled position at all.
    return ticks.count(where: { !$0.label.isEmpty }) >= 2 ? ticks : linear(range, count: count)
  }

  /// The exponents of the powers of ten around a positive range.
  private static func decadeRange(_ range: ClosedRange<Double>) -> Range<Int> {
    var low = -320
    while low < 308, powerOfTen(low + 1) <= range.lowerBound { low += 1 }
    var high = low
    while high < 308, powerOfTen(high) < range.upperBound { high += 1 }
    return low..<high + 1
  }

  private static func powerLabel(_ digit: Int, _ exponent: Int, in decades: Range<Int>) -> String {
    if decades.lowerBound >= -3 && decades.upperBound <= 5 {
      return numeral(digit, exponent: exponent, largest: 0)
    }
    return (digit == 1 ? "" : "\(digit) × ") + "10" + superscript(exponent)
  }

  /// `digits` · 10^`exponent` as people write it, with 10ⁿ where there would be many zeros.
  static func numeral(_ digits: Int, exponent: Int, largest: Double) -> String {
    if digits == 0 { return "0" }
    let sign = digits < 0 ? "−" : ""
    var figures = String(digits.magnitude)
    if largest >= 1e5 || (largest > 0 && largest < 1e-3) {
      let power = exponent + figures.count - 1
      while figures.count > 1, figures.hasSuffix("0") { figures.removeLast() }
      if figures.count > 1 { figures.insert(".", at: figures.index(after: figures.startIndex)) }
      let factor = figures == "1" ? "" : "\(figures) × "
      return "\(sign)\(factor)10\(superscript(power))"
    }
    if exponent >= 0 { return sign + figures + String(repeating: "0", count: exponent) }
    if figures.count <= -exponent {
      figures = String(repeating: "0", count: -exponent - figures.count + 1) + figures
    }
    figures.insert(".", at: figures.index(figures.endIndex, offsetBy: exponent))
    return sign + figures
  }

  static func superscript(_ number: Int) -> String {
    let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    return (number < 0 ? "⁻" : "")
      + String(String(number.magnitude).compactMap(\.wholeNumberValue).map { digits[$0] })
  }
}
