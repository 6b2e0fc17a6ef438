import Kernels

// Arithmetic of the models: shapes must agree, a mismatch is our own bug. What users write is in
// Tensor+Broadcasting.swift.
extension Tensor {
  public func plus(_ other: Tensor) -> Tensor { combined(KernelAdd, other) }
  public func minus(_ other: Tensor) -> Tensor { combined(KernelSubtract, other) }
  public func times(_ other: Tensor) -> Tensor { combined(KernelMultiply, other) }

  public func scaled(by factor: Float) -> Tensor {
    mapped { from, to in kernel_scale(from, factor, count, to) }
  }

  /// fma(a, self, b · other), element by element.
  public func scaled(by a: Float, plus other: Tensor, scaledBy b: Float) -> Tensor {
    precondition(shape == other.shape, "\(shape) with \(other.shape)")
    return mapped { from, to in
      kernel_combine(a, from, b, other.pointer, count, to)
      withExtendedLifetime(other) {}
    }
  }

  private func combined(_ operation: KernelBinary, _ other: Tensor) -> Tensor {
    precondition(shape == other.shape, "\(shape) with \(other.shape)")
    return mapped { from, to in
      kernel_binary(operation, from, other.pointer, count, to)
      withExtendedLifetime(other) {}
    }
  }
}
