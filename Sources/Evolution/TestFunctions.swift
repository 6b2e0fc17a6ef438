import Tensors

/// Functions on which searches are commonly compared, with the minimum 0.
public enum TestFunction: String, Sendable, CaseIterable, Codable {
  case sphere, ellipsoid, cigar, tablet, rosenbrock, differentPowers, rastrigin

  /// The value at `x`, of two coordinates or more.
  public func callAsFunction(_ x: [Double]) -> Double {
    let n = Double(max(1, x.count - 1))
    switch self {
    case .sphere: return squares(x[...])
    case .ellipsoid:
      return x.indices.reduce(0) { $0 + Elementary.pow(10, 6 * Double($1) / n) * x[$1] * x[$1] }
    case .cigar: return x[0] * x[0] + 1e6 * squares(x[1...])
    case .tablet: return 1e6 * x[0] * x[0] + squares(x[1...])
    case .rosenbrock:
      var sum = 0.0
      for i in 0..<(x.count - 1) {
        let a = x[i] * x[i] - x[i + 1]
        let b = x[i] - 1
        sum += 100 * a * a + b * b
      }
      return sum
    case .differentPowers:
      return x.indices.reduce(0) { $0 + Elementary.pow(abs(x[$1]), 2 + 10 * Double($1) / n) }
    case .rastrigin:
      return x.reduce(0) { $0 + 10 * (1 - Elementary.cos(2 * .pi * $1)) + $1 * $1 }
    }
  }

  private func squares(_ x: ArraySlice<Double>) -> Double { x.reduce(0) { $0 + $1 * $1 } }
}
