import Foundation
import Kernels

/// A layer's weights in the panels that the product kernel reads; shared between copies of the
/// layer.
///
/// The first application packs them into recycled memory and lets go of it again, the second keeps
/// them: a part of a model that is applied once takes no memory, and the first result does not wait
/// for gigabytes of fresh pages. With `MemoryUse.small` every application does as the first.
final class PackedWeights: @unchecked Sendable {  // what varies is only touched under `lock`
  /// As the checkpoint holds them: [outputs, inputs] or [outputs, inputs, height, width].
  let source: StoredTensor
  private let layer: ConvolutionLayer?
  private let execution: Execution
  private let lock = NSLock()
  private weak var lent: TensorStorage?
  private var kept: TensorStorage?
  private var packings = 0
  private var turned: TensorStorage?

  /// How panels hold the numbers of a layer whose filters are not transformed.
  static func format(of source: StoredTensor, _ execution: Execution) -> StoredTensor.Format {
    let isLarge = source.shape.reduce(1, *) >= 1 << 18
    return execution.keepsHalves && isLarge && execution.precision == .float32
      ? source.format : .float32
  }

  /// How a linear layer's panels hold their numbers.
  var format: StoredTensor.Format { Self.format(of: source, execution) }

  init(
    _ source: StoredTensor, convolution layer: ConvolutionLayer? = nil, _ execution: Execution
  ) {
    self.source = source
    self.layer = layer
    self.execution = execution
  }

  /// The panels, for as long as the caller holds them.
  var panels: TensorStorage {
    lock.withLock {
      if let panels = kept ?? lent { return panels }
      packings += 1
      let keeps = packings > 1 && execution.memory == .fast
      let panels = pack(recycling: !keeps)
      if keeps { kept = panels } else { lent = panels }
      return panels
    }
  }

  /// The panels the other way round, outputs to inputs: what gradients read, in single
  /// precision whatever the layer's. Kept from the first use.
  var transposed: TensorStorage {
    lock.withLock {
      if let turned { return turned }
      let made = transpose()
      if execution.memory == .fast { turned = made }
      return made
    }
  }

  private func transpose() -> TensorStorage {
    let weights = source.tensor()
    let (outputs, inputs) = (source.shape[0], source.shape[1])
    defer { withExtendedLifetime(weights) {} }
    guard var layer else {
      let packed = TensorStorage(count: kernel_packed_count(inputs, outputs))
      kernel_pack_columns(weights.pointer, outputs, inputs, packed.base)
      return packed
    }
    var back = kernel_convolution_transposed(&layer)
    let turned = TensorStorage(count: weights.count)
    kernel_transpose_filters(
      weights.pointer, outputs, inputs, source.shape[2] * source.shape[3], turned.base)
    let packed = TensorStorage(count: kernel_convolution_packed_count(&back))
    kernel_convolution_pack(
      &back, KernelStored(from: turned.base, format: KernelFloat32), packed.base)
    return packed
  }

  /// Memory for panels. What is lent comes in few sizes: the next layer takes the same block, where
  /// fresh pages from the system would cost more than packing does. What is kept ends the lending.
  private func memory(_ count: Int, recycling: Bool) -> TensorStorage {
    var capacity = 4 << 20
    while capacity < count { capacity *= 4 }
    if recycling { return TensorStorage(count: count, capacity: capacity) }
    kernel_forget(capacity)
    return TensorStorage(count: count)
  }

  private func pack(recycling: Bool) -> TensorStorage {
    source.withKernel { stored in
      guard var layer else {
        let (n, k) = (source.shape[0], source.shape[1])
        let inBFloat16 = execution.precision == .bfloat16
        let inHalves = format != .float32
        let count = kernel_packed_count(n, inBFloat16 ? k / 2 : k)
        let packed = memory(inHalves ? count / 2 : count, recycling: recycling)
        let pack =
          inHalves
          ? kernel_pack_row_halves : inBFloat16 ? kernel_pack_rows_bfloat16 : kernel_pack_rows
        pack(stored, n, k, packed.base)
        return packed
      }
      let packed = memory(kernel_convolution_packed_count(&layer), recycling: recycling)
      kernel_convolution_pack(&layer, stored, packed.base)
      return packed
    }
  }
}
