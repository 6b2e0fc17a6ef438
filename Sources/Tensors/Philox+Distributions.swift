// Distributions. Uniform and normal draws take one 64-bit word each, so that the k-th draw is the
// same however the draws before it were grouped.
extension Philox {
  /// Uniform in [0, 1), 53 bits.
  public mutating func uniform() -> Double { Double(nextUInt64() >> 11) * 0x1p-53 }

  /// Standard normal, by the quantile function of a uniform draw.
  public mutating func normal() -> Double {
    normalQuantile((Double(nextUInt64() >> 11) + 0.5) * 0x1p-53)
  }

  public mutating func normals(_ n: Int) -> [Double] {
    (0..<n).map { _ in normal() }
  }

  /// Standard normal draws, rounded to float32, in row-major order.
  public mutating func normals(shape: [Int]) -> Tensor {
    Tensor(shape: shape) { to in
      for i in to.indices { to[i] = Float(normal()) }
    }
  }

  /// Uniform draws in [0, 1), in row-major order; 24 bits each.
  public mutating func uniforms(shape: [Int]) -> Tensor {
    Tensor(shape: shape) { to in
      for i in to.indices { to[i] = Float(nextUInt64() >> 40) * 0x1p-24 }
    }
  }

  /// Uniform in 0..<bound, without bias: Lemire's method (arXiv 1805.10941).
  public mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0, "no integers below \(bound)")
    let range = UInt64(bound)
    var product = nextUInt64().multipliedFullWidth(by: range)
    if product.low < range {
      let threshold = (0 &- range) % range
      while product.low < threshold { product = nextUInt64().multipliedFullWidth(by: range) }
    }
    return Int(product.high)
  }

  /// The elements in random order (Fisher & Yates, from the end).
  public mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
    var elements = elements
    for i in stride(from: elements.count - 1, to: 0, by: -1) {
      elements.swapAt(i, integer(below: i + 1))
    }
    return elements
  }
}

/// The quantile of the standard normal distribution: Wichura's AS 241 (PPND16, Applied Statistics
/// 37, 1988), about 1e-16 relative. `p` in (0, 1).
func normalQuantile(_ p: Double) -> Double {
  let q = p - 0.5
  if q.magnitude <= 0.425 {
    let r = 0.180625 - q * q
    return q * ratio(r, centreNumerator, centreDenominator)
  }
  let r = (-Elementary.log(q < 0 ? p : 1 - p)).squareRoot()
  let size =
    r <= 5
    ? ratio(r - 1.6, middleNumerator, middleDenominator)
    : ratio(r - 5, tailNumerator, tailDenominator)
  return q < 0 ? -size : size
}

/// Coefficients from the constant term up.
private func ratio(_ x: Double, _ numerator: [Double], _ denominator: [Double]) -> Double {
  func polynomial(_ coefficients: [Double]) -> Double {
    var value = coefficients[coefficients.count - 1]
    for i in stride(from: coefficients.count - 2, through: 0, by: -1) {
      value = value * x + coefficients[i]
    }
    return value
  }
  return polynomial(numerator) / polynomial(denominator)
}

private let centreNumerator = [
  3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
  45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727,
]
private let centreDenominator = [
  1.0, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867,
  39307.89580009271061, 28729.085735721942674, 5226.495278852545925,
]
private let middleNumerator = [
  1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
  1.27045825245236838258, 0.24178072517745061177, 0.0227238449892691845833,
  7.7454501427834140764e-4,
]
private let middleDenominator = [
  1.0, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455,
  0.14810397642748007459, 0.0151986665636164571966, 5.475938084995344946e-4,
  1.05075007164441684324e-9,
]
private let tailNumerator = [
  6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123,
  0.026532189526576123093, 0.0012426609473880784386, 2.71155556874348757815e-5,
  2.01033439929228813265e-7,
]
private let tailDenominator = [
  1.0, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525,
  7.868691311456132591e-4, 1.8463183175100546818e-5, 1.4215117583164458887e-7,
  2.04426310338993978564e-15,
]
