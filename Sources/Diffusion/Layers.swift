import Checkpoints
import Tensors

/// Layers built from the tensors below a prefix; `name` is the key's part before `.weight`.
extension Weights {
  /// A linear layer `[output, input]`, also from a checkpoint that stores it as a 1×1 convolution.
  func linear(
    _ name: String, _ input: Int, _ output: Int, bias: Bool = true, pointwise: Bool = false
  ) throws -> Linear {
    let stored = pointwise ? [output, input, 1, 1] : [output, input]
    let weight = try self.stored(name + ".weight", stored).reshaped([output, input])
    return Linear(
      weight: weight, bias: bias ? try tensor(name + ".bias", [output]) : nil, execution: execution)
  }

  /// A square convolution `[output, input, kernel, kernel]` with a bias, meant for maps of
  /// `positions` (0: unknown).
  func convolution(
    _ name: String, _ input: Int, _ output: Int, kernel: Int = 3, stride: Int = 1,
    padding: Convolution2D.Padding? = nil, positions: Int = 0
  ) throws -> Convolution2D {
    Convolution2D(
      weight: try stored(name + ".weight", [output, input, kernel, kernel]),
      bias: try tensor(name + ".bias", [output]), stride: stride,
      padding: padding ?? .same, positions: positions, execution: execution)
  }

  /// A group normalisation over `channels`.
  func groupNorm(_ name: String, _ channels: Int, groups: Int, epsilon: Float) throws -> GroupNorm {
    GroupNorm(
      groups: groups, weight: try tensor(name + ".weight", [channels]),
      bias: try tensor(name + ".bias", [channels]), epsilon: epsilon)
  }

  /// A layer normalisation over the last axis.
  func layerNorm(_ name: String, _ width: Int, epsilon: Float = 1e-5) throws -> LayerNorm {
    LayerNorm(
      weight: try tensor(name + ".weight", [width]), bias: try tensor(name + ".bias", [width]),
      epsilon: epsilon)
  }
}
