import Kernels

/// A two-dimensional convolution over [N, H, W, C].
public struct Convolution2D: Sendable {
  /// Zeros around the input. `.same` is (kernel − 1) / 2 on every side, torch's usual `padding`.
  public enum Padding: Sendable, Equatable {
    case same
    case explicit(top: Int, left: Int, bottom: Int, right: Int)
  }

  public let inputs: Int
  public let outputs: Int
  private let kernel: (height: Int, width: Int)
  private let stride: Int
  private let top: Int, left: Int, bottom: Int, right: Int
  private let layer: ConvolutionLayer
  private let packed: PackedWeights
  private let bias: Tensor?

  /// - Parameters:
  ///   - weight: [outputs, inputs, height, width], as torch stores it.
  ///   - bias: [outputs].
  ///   - positions: of the map that the layer is meant for, 0 where that is unknown; it has a say in
  ///     the algorithm, and so in the last bits, for wide layers.
  ///   - execution: bfloat16 is for an even number of at least 32 inputs and windows of at most
  ///     3 × 3; others stay float32.
  public init(
    weight: StoredTensor, bias: Tensor?, stride: Int = 1, padding: Padding = .same,
    positions: Int = 0, execution: Execution = Execution()
  ) {
    precondition(weight.shape.count == 4 && stride > 0)
    precondition(bias.map { $0.shape == [weight.shape[0]] } ?? true)
    outputs = weight.shape[0]
    inputs = weight.shape[1]
    kernel = (weight.shape[2], weight.shape[3])
    self.stride = stride
    switch padding {
    case .same:
      (top, bottom) = ((kernel.height - 1) / 2, (kernel.height - 1) / 2)
      (left, right) = ((kernel.width - 1) / 2, (kernel.width - 1) / 2)
    case .explicit(let top, let left, let bottom, let right):
      (self.top, self.left, self.bottom, self.right) = (top, left, bottom, right)
    }
    let execution = execution.suited(
      inputs: weight.shape[1], windowSide: max(kernel.height, kernel.width))
    layer = ConvolutionLayer(
      inputs: weight.shape[1], outputs: weight.shape[0], kernel_height: weight.shape[2],
      kernel_width: weight.shape[3], stride: stride, positions: positions,
      bfloat16: execution.precision == .bfloat16,
      format: PackedWeights.format(of: weight, execution).kernel)
    packed = PackedWeights(weight, convolution: layer, execution)
    self.bias = bias
  }

  /// A layer of weights that are in memory.
  public init(
    weight: Tensor, bias: Tensor?, stride: Int = 1, padding: Padding = .same, positions: Int = 0,
    execution: Execution = Execution()
  ) {
    self.init(
      weight: StoredTensor(weight), bias: bias, stride: stride, padding: padding,
      positions: positions, execution: execution)
  }

  /// [N, H, W, inputs] → [N, H', W', outputs]
  ///
  /// - Parameters:
  ///   - residual: added to the result, of its shape.
  ///   - perSample: [N, outputs], added to every position (before the residual).
  public func callAsFunction(
    _ x: Tensor, adding residual: Tensor? = nil, addingPerSample perSample: Tensor? = nil
  ) -> Tensor {
    precondition(x.rank == 4 && x.shape[3] == inputs, "\(x.shape) into \(inputs) inputs")
    let height = (x.shape[1] + top + bottom - kernel.height) / stride + 1
    let width = (x.shape[2] + left + right - kernel.width) / stride + 1
    let shape = [x.shape[0], max(0, height), max(0, width), outputs]
    precondition(residual.map { $0.shape == shape } ?? true, "residual shape")
    precondition(perSample.map { $0.shape == [x.shape[0], outputs] } ?? true)
    return convolved(
      x, layer, packed.panels, top: top, left: left, shape: shape, bias: bias, perSample: perSample,
      adding: residual)
  }

  /// The gradient of an input of shape [N, H, W, inputs] from that of the output: a convolution
  /// with the filters transposed and turned.
  public func gradient(_ dy: Tensor, of shape: [Int]) -> Tensor {
    precondition(dy.rank == 4 && dy.shape[3] == outputs && shape[3] == inputs)
    precondition(top < kernel.height && left < kernel.width, "padded by more than the filter")
    return convolved(
      spread(dy), withUnsafePointer(to: layer) { kernel_convolution_transposed($0) },
      packed.transposed, top: kernel.height - 1 - top, left: kernel.width - 1 - left, shape: shape,
      bias: nil, perSample: nil, adding: nil)
  }

  /// Zeros between the pixels, where the convolution skipped some.
  private func spread(_ dy: Tensor) -> Tensor {
    guard stride > 1, dy.count > 0 else { return dy }
    let (n, h, w, c) = (dy.shape[0], dy.shape[1], dy.shape[2], dy.shape[3])
    return Tensor(shape: [n, (h - 1) * stride + 1, (w - 1) * stride + 1, c]) { to in
      kernel_spread(dy.pointer, n, h, w, c, stride, to.baseAddress)
      withExtendedLifetime(dy) {}
    }
  }

  private func convolved(
    _ x: Tensor, _ layer: ConvolutionLayer, _ panels: TensorStorage, top: Int, left: Int,
    shape: [Int], bias: Tensor?, perSample: Tensor?, adding residual: Tensor?
  ) -> Tensor {
    Tensor(shape: shape) { to in
      var convolution = KernelConvolution()
      convolution.layer = layer
      convolution.batch = x.shape[0]
      (convolution.height, convolution.width) = (x.shape[1], x.shape[2])
      (convolution.top, convolution.left) = (top, left)
      (convolution.output_height, convolution.output_width) = (shape[1], shape[2])
      convolution.x = x.pointer
      convolution.weights = UnsafePointer(panels.base)
      convolution.bias = bias?.pointer
      convolution.per_sample = perSample?.pointer
      convolution.residual = residual?.pointer
      convolution.y = to.baseAddress
      kernel_convolve(&convolution)
      withExtendedLifetime((x, panels, bias, perSample, residual)) {}
    }
  }
}
