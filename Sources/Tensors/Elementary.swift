import Kernels

/// Elementary functions whose bits are the same on every machine: no libm behind them.
///
/// In double they are within 2 ulp of the exact value; in float they are computed in double and
/// rounded once. `squareRoot()`, `floor` and the four operations need no such care.
public enum Elementary {
  public static func exp(_ x: Double) -> Double { kernel_exp(x) }
  public static func log(_ x: Double) -> Double { kernel_log(x) }
  public static func sin(_ x: Double) -> Double { kernel_sin(x) }
  public static func cos(_ x: Double) -> Double { kernel_cos(x) }
  public static func tanh(_ x: Double) -> Double { kernel_tanh(x) }
  public static func erf(_ x: Double) -> Double { kernel_erf(x) }
  public static func pow(_ x: Double, _ y: Double) -> Double { kernel_pow(x, y) }

  @_disfavoredOverload
  public static func exp(_ x: Float) -> Float { Float(kernel_exp(Double(x))) }
  @_disfavoredOverload
  public static func log(_ x: Float) -> Float { Float(kernel_log(Double(x))) }
  @_disfavoredOverload
  public static func sin(_ x: Float) -> Float { Float(kernel_sin(Double(x))) }
  @_disfavoredOverload
  public static func cos(_ x: Float) -> Float { Float(kernel_cos(Double(x))) }
  @_disfavoredOverload
  public static func tanh(_ x: Float) -> Float { Float(kernel_tanh(Double(x))) }
  @_disfavoredOverload
  public static func erf(_ x: Float) -> Float { Float(kernel_erf(Double(x))) }
  @_disfavoredOverload
  public static func pow(_ x: Float, _ y: Float) -> Float {
    Float(kernel_pow(Double(x), Double(y)))
  }
}
