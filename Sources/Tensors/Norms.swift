import Kernels

/// Group normalisation (Wu & He, arXiv 1803.08494) over the channels in the last axis.
public struct GroupNorm: Sendable {
  private let groups: Int
  private let weight: Tensor
  private let bias: Tensor
  private let epsilon: Float

  /// - Parameters:
  ///   - groups: divides the channels.
  ///   - weight: [channels]
  ///   - bias: [channels]
  public init(groups: Int, weight: Tensor, bias: Tensor, epsilon: Float) {
    precondition(weight.rank == 1 && bias.shape == weight.shape && weight.count % groups == 0)
    self.groups = groups
    self.weight = weight
    self.bias = bias
    self.epsilon = epsilon
  }

  /// [N, … , channels] → the same shape; mean and variance over a sample's positions and the
  /// channels of a group, taken in double.
  public func callAsFunction(_ x: Tensor, activation: Activation = .none) -> Tensor {
    let channels = weight.count
    precondition(x.rank >= 2 && x.shape.last == channels, "\(x.shape) into \(channels) channels")
    return x.mapped { from, to in
      var norm = parameters(x, activation)
      norm.y = to
      kernel_group_norm(&norm)
      withExtendedLifetime((weight, bias)) {}
    }
  }

  /// The gradient of x from that of the output at x, plus `residual`.
  public func gradient(
    _ dy: Tensor, at x: Tensor, activation: Activation = .none, adding residual: Tensor? = nil
  ) -> Tensor {
    precondition(dy.shape == x.shape && (residual.map { $0.shape == x.shape } ?? true))
    return x.mapped { from, to in
      var gradient = KernelGroupNormGradient()
      gradient.norm = parameters(x, activation)
      gradient.dy = dy.pointer
      gradient.residual = residual?.pointer
      gradient.dx = to
      kernel_group_norm_gradient(&gradient)
      withExtendedLifetime((weight, bias, dy, residual)) {}
    }
  }

  private func parameters(_ x: Tensor, _ activation: Activation) -> KernelGroupNorm {
    var norm = KernelGroupNorm()
    norm.batch = x.shape[0]
    norm.positions = x.shape[1..<(x.rank - 1)].reduce(1, *)
    norm.channels = weight.count
    norm.groups = groups
    norm.x = x.pointer
    norm.weight = weight.pointer
    norm.bias = bias.pointer
    norm.epsilon = epsilon
    norm.activation = activation.kernel
    return norm
  }
}

/// Layer normalisation (Ba, Kiros & Hinton, arXiv 1607.06450) over the last axis.
public struct LayerNorm: Sendable {
  private let weight: Tensor
  private let bias: Tensor
  private let epsilon: Float

  public init(weight: Tensor, bias: Tensor, epsilon: Float) {
    precondition(weight.rank == 1 && bias.shape == weight.shape)
    self.weight = weight
    self.bias = bias
    self.epsilon = epsilon
  }

  /// [… , columns] → the same shape; mean and variance of each row taken in double.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let columns = weight.count
    precondition(x.shape.last == columns, "\(x.shape) into \(columns) columns")
    return x.mapped { from, to in
      kernel_layer_norm(
        from, x.count / columns, columns, weight.pointer, bias.pointer, epsilon, to)
      withExtendedLifetime((weight, bias)) {}
    }
  }

  /// The gradient of x from that of the output at x, plus `residual`.
  public func gradient(_ dy: Tensor, at x: Tensor, adding residual: Tensor? = nil) -> Tensor {
    let columns = weight.count
    precondition(dy.shape == x.shape && (residual.map { $0.shape == x.shape } ?? true))
    return x.mapped { from, to in
      kernel_layer_norm_gradient(
        from, dy.pointer, x.count / columns, columns, weight.pointer, epsilon, residual?.pointer, to
      )
      withExtendedLifetime((weight, dy, residual)) {}
    }
  }
}
