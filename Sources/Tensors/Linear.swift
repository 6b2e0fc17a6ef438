import Kernels

/// A matrix in the panels that the product kernel reads; shared between copies of its layer.
struct PackedMatrix: Sendable {
  let storage: TensorStorage

  /// Packs [n, k] row-major weights.
  init(rows: UnsafePointer<Float>, n: Int, k: Int) {
    storage = TensorStorage(count: kernel_packed_count(n, k))
    kernel_pack_rows(rows, n, k, storage.base)
  }

  /// Packs [outputs, height, width, inputs] filters for the algorithm that the layer calls for.
  init(convolution layer: ConvolutionLayer, weights: Tensor) {
    storage = withUnsafePointer(to: layer) {
      TensorStorage(count: kernel_convolution_packed_count($0))
    }
    withUnsafePointer(to: layer) { kernel_convolution_pack($0, weights.pointer, storage.base) }
    withExtendedLifetime(weights) {}
  }

  /// Packs a [k, n] row-major right-hand side.
  init(columns: UnsafePointer<Float>, k: Int, n: Int) {
    storage = TensorStorage(count: kernel_packed_count(n, k))
    kernel_pack_columns(columns, k, n, storage.base)
  }
}

/// y = x Wᵀ + b over the last axis.
public struct Linear: Sendable {
  public let inputs: Int
  public let outputs: Int
  private let packed: PackedMatrix
  private let bias: Tensor?

  /// - Parameters:
  ///   - weight: [outputs, inputs], as torch stores it.
  ///   - bias: [outputs].
  public init(weight: Tensor, bias: Tensor?) {
    precondition(weight.rank == 2 && (bias.map { $0.shape == [weight.shape[0]] } ?? true))
    outputs = weight.shape[0]
    inputs = weight.shape[1]
    packed = weight.withUnsafeValues { [outputs, inputs] in
      PackedMatrix(rows: $0.baseAddress!, n: outputs, k: inputs)
    }
    self.bias = bias
  }

  /// [… , inputs] → [… , outputs]: the activation of x Wᵀ + b + residual.
  public func callAsFunction(
    _ x: Tensor, activation: Activation = .none, adding residual: Tensor? = nil
  ) -> Tensor {
    precondition(x.shape.last == inputs, "\(x.shape) into a layer of \(inputs) inputs")
    let shape = x.shape.dropLast() + [outputs]
    precondition(residual.map { $0.shape == Array(shape) } ?? true, "residual shape")
    return Tensor(shape: Array(shape)) { to in
      var gemm = KernelGemm()
      gemm.m = x.shape.dropLast().reduce(1, *)
      gemm.n = outputs
      gemm.k = inputs
      gemm.a = x.pointer
      gemm.lda = inputs
      gemm.b = UnsafePointer(packed.storage.base)
      gemm.bias = bias?.pointer
      gemm.residual = residual?.pointer
      gemm.activation = activation.kernel
      gemm.c = to.baseAddress
      gemm.ldc = outputs
      kernel_gemm(&gemm)
      withExtendedLifetime((x, packed, bias, residual)) {}
    }
  }
}
