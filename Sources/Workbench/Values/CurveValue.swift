import Inversion
import Language
import Tensors

/// g(t): how strongly the condition acts at a timestep.
public struct CurveValue: Object {
  public static let typeName = "Curve"
  public static let memberNames = ["timesteps", "values", "errors", "largest"]

  public let curve: SensitivityCurve

  public init(_ curve: SensitivityCurve) { self.curve = curve }

  public var summary: String {
    let top = largest
    return
      "g(t) at \(curve.timesteps.count) timesteps, largest \(Format.number(curve.values[top])) "
      + "± \(Format.number(curve.errors[top])) at \(curve.timesteps[top])"
  }

  public func hash(into digest: inout Digest) {
    for timestep in curve.timesteps { digest.int(timestep) }
    digest.doubles(curve.values)
    digest.doubles(curve.errors)
  }

  public func member(_ name: String) throws -> Value? {
    switch name {
    case "timesteps": .ints(curve.timesteps)
    case "values": .doubles(curve.values)
    case "errors": .doubles(curve.errors)
    case "largest": .int(curve.timesteps[largest])
    default: nil
    }
  }

  /// Where g is largest.
  private var largest: Int {
    curve.values.indices.max { curve.values[$0] < curve.values[$1] } ?? 0
  }
}
