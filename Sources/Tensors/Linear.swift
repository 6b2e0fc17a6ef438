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
    let shape = x.shape.dropLast() + [outputs]
    precondition(residual.map { $0.shape == Array(shape) } ?? true, "residual shape")
    let panels = packed.panels
    return Tensor(shape: Array(shape)) { to in
      var gemm = KernelGemm()
      gemm.m = x.shape.dropLast().reduce(1, *)
      gemm.n = outputs
      gemm.k = inputs
      gemm.a = x.pointer
      gemm.lda = inputs
      gemm.b = UnsafePointer(panels.base)
      gemm.bias = bias?.pointer
      gemm.residual = residual?.pointer
      gemm.activation = activation.kernel
      gemm.c = to.baseAddress
      gemm.ldc = outputs
      gemm.bfloat16 = precision == .bfloat16
      kernel_gemm(&gemm)
      withExtendedLifetime((x, panels, bias, residual)) {}
    }
  }
}
