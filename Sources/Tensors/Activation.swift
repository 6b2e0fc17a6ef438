import Kernels

/// The activations of the models: SiLU x·σ(x); GELU by erf, by tanh (Hendrycks & Gimpel,
/// arXiv 1606.08415) or quick, x·σ(1.702x); ReLU.
public enum Activation: Sendable {
  case none, silu, gelu, geluTanh, quickGELU, relu

  var kernel: KernelActivation {
    switch self {
    case .none: KernelNone
    case .silu: KernelSiLU
    case .gelu: KernelGELU
    case .geluTanh: KernelGELUTanh
    case .quickGELU: KernelQuickGELU
    case .relu: KernelReLU
    }
  }
}

extension Tensor {
  /// The activation of every element.
  public func activated(_ activation: Activation) -> Tensor {
    mapped { from, to in kernel_activate(activation.kernel, from, count, to) }
  }

  /// The gradient of x, this tensor, from that of its activation.
  public func activationGradient(_ dy: Tensor, _ activation: Activation) -> Tensor {
    precondition(dy.shape == shape, "\(dy.shape) for \(shape)")
    return mapped { from, to in
      kernel_activation_gradient(activation.kernel, from, dy.pointer, count, to)
      withExtendedLifetime(dy) {}
    }
  }

  /// Softmax over the last axis.
  public func softmaxed() -> Tensor {
    let columns = shape.last ?? 1
    return mapped { from, to in
      if columns > 0 { kernel_softmax(from, count / columns, columns, to) }
    }
  }

  /// [… , 2n] → [… , n]: the first half times GELU of the second (GEGLU, arXiv 2002.05202, in
  /// diffusers' order of the halves).
  public func gatedGELU() -> Tensor {
    let n = shape[rank - 1] / 2
    precondition(shape[rank - 1] == 2 * n, "odd last axis in \(shape)")
    let rows = shape.dropLast().reduce(1, *)
    return Tensor(shape: shape.dropLast() + [n]) { to in
      kernel_gated_gelu(pointer, rows, n, to.baseAddress)
      withExtendedLifetime(storage) {}
    }
  }

  /// The gradient of x [… , 2n], this tensor, from that of its `gatedGELU()`.
  public func gatedGELUGradient(_ dy: Tensor) -> Tensor {
    let n = shape[rank - 1] / 2
    precondition(dy.shape == shape.dropLast() + [n], "\(dy.shape) for \(shape)")
    return mapped { from, to in
      kernel_gated_gelu_gradient(from, dy.pointer, shape.dropLast().reduce(1, *), n, to)
      withExtendedLifetime(dy) {}
    }
  }

  /// A tensor of this shape that `body` fills from this one.
  func mapped(
    _ body: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) -> Tensor {
    Tensor(shape: shape) { to in
      if let base = to.baseAddress { body(pointer, base) }
      withExtendedLifetime(storage) {}
    }
  }
}
