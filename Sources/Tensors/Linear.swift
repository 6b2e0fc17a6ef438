import Kernels

/// y = x Wᵀ + b over the last axis.
public struct Linear: Sendable {
  public let inputs: Int
  public let outputs: Int
  private let packed: PackedWeights
  private let bias: Tensor?
  private let precision: Precision

  /// - Parameters:
  ///   - weight: [outputs, inputs], as torch stores it.
  ///   - bias: [outputs].
  ///   - execution: bfloat16 is for an even number of at least 32 inputs; others stay float32.
  public init(weight: StoredTensor, bias: Tensor?, execution: Execution = Execution()) {
    precondition(weight.shape.count == 2 && (bias.map { $0.shape == [weight.shape[0]] } ?? true))
    outputs = weight.shape[0]
    inputs = weight.shape[1]
    let execution = execution.suited(inputs: weight.shape[1])
    precision = execution.precision
    packed = PackedWeights(weight, execution)
    self.bias = bias
  }

  /// A layer of weights that are in memory.
  public init(weight: Tensor, bias: Tensor?, execution: Execution = Execution()) {
    self.init(weight: StoredTensor(weight), bias: bias, execution: execution)
  }

  /// [… , inputs] → [… , outputs]: the activation of x Wᵀ + b + residual.
  public func callAsFunction(
    _ x: Tensor, activation: Activation = .none, adding residual: Tensor? = nil
  ) -> Tensor {
    precondition(x.shape.last == inputs, "\(x.shape) into a layer of \(inputs) inputs")
    return product(
      x, packed.panels, precision, packed.format, outputs: outputs, bias: bias,
      activation: activation, adding: residual)
  }

  /// The gradient of x, [… , inputs], from that of y = x Wᵀ + b, [… , outputs]: dy W + residual.
  public func gradient(_ dy: Tensor, adding residual: Tensor? = nil) -> Tensor {
    precondition(dy.shape.last == outputs, "\(dy.shape) from a layer of \(outputs) outputs")
    return product(
      dy, packed.transposed, .float32, .float32, outputs: inputs, bias: nil, activation: .none,
      adding: residual)
  }

  private func product(
    _ x: Tensor, _ panels: TensorStorage, _ precision: Precision, _ format: StoredTensor.Format,
    outputs: Int, bias: Tensor?, activation: Activation, adding residual: Tensor?
  ) -> Tensor {
    let shape = Array(x.shape.dropLast() + [outputs])
    precondition(residual.map { $0.shape == shape } ?? true, "residual shape")
    return Tensor(shape: shape) { to in
      var gemm = KernelGemm()
      gemm.m = x.shape.dropLast().reduce(1, *)
      gemm.n = outputs
      gemm.k = x.shape[x.rank - 1]
      gemm.a = x.pointer
      gemm.lda = gemm.k
      gemm.b = UnsafePointer(panels.base)
      gemm.bias = bias?.pointer
      gemm.residual = residual?.pointer
      gemm.activation = activation.kernel
      gemm.c = to.baseAddress
      gemm.ldc = outputs
      gemm.bfloat16 = precision == .bfloat16
      gemm.format = format.kernel
      kernel_gemm(&gemm)
      withExtendedLifetime((x, panels, bias, residual)) {}
    }
  }
}
