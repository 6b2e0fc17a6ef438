import Kernels

extension Tensor {
  /// The same elements under another shape; one size may be −1 (what is left).
  public func reshaped(_ shape: [Int]) -> Tensor {
    var shape = shape
    if let free = shape.firstIndex(of: -1) {
      let known = shape.enumerated().reduce(1) { $1.offset == free ? $0 : $0 * $1.element }
      precondition(known > 0 && count % known == 0, "\(self.shape) cannot become \(shape)")
      shape[free] = count / known
    }
    precondition(shape.reduce(1, *) == count, "\(self.shape) cannot become \(shape)")
    return Tensor(shape: shape, storage: storage, offset: offset)
  }

  /// Some indices of axis 0; shares storage.
  public func rows(_ range: Range<Int>) -> Tensor {
    precondition(rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0])
    let size = shape.dropFirst().reduce(1, *)
    return Tensor(
      shape: [range.count] + shape.dropFirst(), storage: storage,
      offset: offset + range.lowerBound * size)
  }

  /// One index of axis 0, without that axis; shares storage.
  public func row(_ i: Int) -> Tensor {
    rows(i..<(i + 1)).reshaped(Array(shape.dropFirst()))
  }

  /// Tensors that agree in every other axis, one behind the other along `axis`.
  public static func concatenated(_ parts: [Tensor], axis: Int) -> Tensor {
    precondition(!parts.isEmpty, "nothing to concatenate")
    let axis = axis < 0 ? axis + parts[0].rank : axis
    var shape = parts[0].shape
    for part in parts {
      precondition(
        part.rank == shape.count
          && part.shape.indices.allSatisfy { $0 == axis || part.shape[$0] == shape[$0] },
        "cannot concatenate \(parts.map(\.shape)) along axis \(axis)")
    }
    shape[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
    let outer = shape[..<axis].reduce(1, *)
    let inner = shape[(axis + 1)...].reduce(1, *)
    let stride = shape[axis] * inner
    return Tensor(shape: shape) { to in
      guard let base = to.baseAddress, !to.isEmpty else { return }
      var start = 0
      for part in parts {
        let length = part.shape[axis] * inner
        part.withUnsafeValues { from in
          for row in 0..<outer where length > 0 {
            (base + row * stride + start).update(
              from: from.baseAddress! + row * length, count: length)
          }
        }
        start += length
      }
    }
  }

  /// Tensors of one shape along a new axis 0.
  public static func stacked(_ parts: [Tensor]) -> Tensor {
    concatenated(parts.map { $0.reshaped([1] + $0.shape) }, axis: 0)
  }

  /// The axes in another order: axis `i` of the result is axis `axes[i]` of this tensor.
  public func transposed(_ axes: [Int]) -> Tensor {
    precondition(axes.sorted() == Array(0..<rank), "\(axes) does not permute \(shape)")
    var strides = [Int](repeating: 1, count: rank)
    for i in stride(from: rank - 2, through: 0, by: -1) {
      strides[i] = strides[i + 1] * shape[i + 1]
    }
    return gathered(shape: axes.map { shape[$0] }, strides: axes.map { strides[$0] })
  }

  /// A contiguous copy of a strided view, which must lie within the elements.
  public func gathered(shape: [Int], strides: [Int], from start: Int = 0) -> Tensor {
    precondition(shape.count <= 8, "more than 8 axes")
    return Tensor(shape: shape) { to in
      kernel_gather(pointer + start, shape.count, shape, strides, to.baseAddress)
      withExtendedLifetime(storage) {}
    }
  }

  /// [N, C, H, W] → [N, H, W, C]; any number of positions axes.
  public func channelsLast() -> Tensor {
    precondition(rank >= 3)
    let positions = shape[2...].reduce(1, *)
    return Tensor(shape: [shape[0]] + shape[2...] + [shape[1]]) { to in
      kernel_transpose(pointer, shape[0], shape[1], positions, to.baseAddress)
      withExtendedLifetime(storage) {}
    }
  }

  /// [N, H, W, C] → [N, C, H, W]; any number of positions axes.
  public func channelsFirst() -> Tensor {
    precondition(rank >= 3)
    let channels = shape[rank - 1]
    let positions = shape[1..<(rank - 1)].reduce(1, *)
    return Tensor(shape: [shape[0], channels] + shape[1..<(rank - 1)]) { to in
      kernel_transpose(pointer, shape[0], positions, channels, to.baseAddress)
      withExtendedLifetime(storage) {}
    }
  }

  /// [N, H, W, C] → [N, 2H, 2W, C], every pixel four times.
  public func upsampledNearest2x() -> Tensor {
    precondition(rank == 4)
    return Tensor(shape: [shape[0], shape[1] * 2, shape[2] * 2, shape[3]]) { to in
      kernel_upsample(pointer, shape[0], shape[1], shape[2], shape[3], to.baseAddress)
      withExtendedLifetime(storage) {}
    }
  }

  /// The gradient of an input [N, h, w, C] from this one, [N, H, W, C], of its enlargement, in which
  /// row y took row `rows[y]` and column x column `columns[x]`.
  public func enlargementGradient(of shape: [Int], rows: [Int], columns: [Int]) -> Tensor {
    precondition(rank == 4 && rows.count == self.shape[1] && columns.count == self.shape[2])
    return Tensor(shape: shape) { to in
      kernel_nearest_gradient(
        pointer, shape[0], rows.count, columns.count, shape[3], rows, columns, shape[1], shape[2],
        to.baseAddress)
      withExtendedLifetime(storage) {}
    }
  }

  /// Some indices of the last axis, copied.
  public func lastAxis(_ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= shape[rank - 1])
    var strides = [Int](repeating: 1, count: rank)
    for i in stride(from: rank - 2, through: 0, by: -1) {
      strides[i] = strides[i + 1] * shape[i + 1]
    }
    return gathered(
      shape: shape.dropLast() + [range.count], strides: strides, from: range.lowerBound)
  }
}
