import Foundation
import Testing

@testable import Tensors

/// Elementary functions against mpmath's correctly rounded values.
@Suite struct ElementaryTests {
  static let functions: [String: @Sendable (Double) -> Double] = [
    "exp": { Elementary.exp($0) }, "log": { Elementary.log($0) }, "sin": { Elementary.sin($0) },
    "cos": { Elementary.cos($0) }, "tanh": { Elementary.tanh($0) }, "erf": { Elementary.erf($0) },
  ]
  static let goldens =
    (try? JSONDecoder().decode([String: [[UInt64]]].self, from: Goldens.data("elementary.json")))
    ?? [:]

  @Test(arguments: functions.keys.sorted()) func isWithinTwoUlps(_ name: String) throws {
    let function = try #require(Self.functions[name])
    let points = try #require(Self.goldens[name])
    #expect(points.count > 100)
    for point in points {
      let x = Double(bitPattern: point[0])
      let expected = Double(bitPattern: point[1])
      #expect(ulps(function(x), expected) <= 2, "\(name)(\(x))")
    }
  }

  @Test func powerIsWithinTwoUlps() throws {
    for point in try #require(Self.goldens["pow"]) {
      let (x, y) = (Double(bitPattern: point[0]), Double(bitPattern: point[1]))
      #expect(ulps(Elementary.pow(x, y), Double(bitPattern: point[2])) <= 2, "pow(\(x), \(y))")
    }
  }

  @Test func normalQuantileIsAccurate() throws {
    for point in try #require(Self.goldens["normalQuantile"]) {
      let expected = Double(bitPattern: point[1])
      let error = (normalQuantile(Double(bitPattern: point[0])) - expected).magnitude
      #expect(error <= 1e-14 * max(expected.magnitude, 0.1))
    }
  }

  @Test func extremes() {
    let inf = Double.infinity
    #expect(Elementary.exp(inf) == inf && Elementary.exp(-inf) == 0 && Elementary.exp(0) == 1)
    #expect(Elementary.exp(710) == inf && Elementary.exp(-746) == 0 && Elementary.exp(.nan).isNaN)
    #expect(Elementary.log(0) == -inf && Elementary.log(inf) == inf && Elementary.log(-1).isNaN)
    #expect(Elementary.log(.nan).isNaN && Elementary.log(1) == 0)
    #expect(Elementary.sin(inf).isNaN && Elementary.cos(-inf).isNaN && Elementary.sin(.nan).isNaN)
    #expect(Elementary.sin(-0.0).sign == .minus && Elementary.cos(0) == 1)
    #expect(Elementary.tanh(inf) == 1 && Elementary.tanh(-inf) == -1 && Elementary.tanh(.nan).isNaN)
    #expect(Elementary.tanh(-0.0).sign == .minus)
    #expect(Elementary.erf(inf) == 1 && Elementary.erf(-inf) == -1 && Elementary.erf(.nan).isNaN)
  }

  @Test func powersAtTheEdges() {
    let inf = Double.infinity
    #expect(
      Elementary.pow(0, 0) == 1 && Elementary.pow(.nan, 0) == 1 && Elementary.pow(1, .nan) == 1)
    #expect(Elementary.pow(-2, 3) == -8 && Elementary.pow(-2, 4) == 16)
    #expect(Elementary.pow(-2, 0.5).isNaN && Elementary.pow(0, -1) == inf)
    #expect(Elementary.pow(-0.0, -3) == -inf && Elementary.pow(-0.0, 2) == 0)
    #expect(Elementary.pow(2, inf) == inf && Elementary.pow(0.5, inf) == 0)
    #expect(Elementary.pow(2, -1074) == .leastNonzeroMagnitude && Elementary.pow(2, 1024) == inf)
    #expect(Elementary.pow(10, 2) == 100 && Elementary.pow(-1, inf) == 1)
    #expect(Elementary.pow(inf, -1) == 0 && Elementary.pow(-inf, 3) == -inf)
  }

  @Test func floatsAreRoundedDoubles() {
    #expect(Elementary.exp(Float(1)) == 2.7182817 && Elementary.log(Float(2)) == 0.6931472)
    #expect(Elementary.sin(Float(1)) == 0.84147096 && Elementary.cos(Float(1)) == 0.5403023)
    #expect(Elementary.tanh(Float(1)) == 0.7615942 && Elementary.erf(Float(1)) == 0.8427008)
    #expect(Elementary.pow(Float(2), 0.5) == 1.4142135)
  }
}
