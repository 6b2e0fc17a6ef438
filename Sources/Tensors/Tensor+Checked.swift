import Kernels

// The throwing forms of shape changes, for shapes that come from a user.
extension Tensor {
  /// Refuses shapes that could not be held: negative sizes, more than eight axes, or more bytes
  /// than the machine has memory.
  ///
  /// - Throws: `EvokeError` of kind `.shape`.
  public static func checkSize(_ shape: [Int]) throws {
    guard shape.allSatisfy({ $0 >= 0 }) else {
      throw EvokeError(.shape, "a size in shape \(shape) is negative")
    }
    guard shape.count <= 8 else {
      throw EvokeError(.shape, "shape \(shape) has more than 8 axes")
    }
    var bytes = MemoryLayout<Float>.size
    for size in shape where !shape.contains(0) {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: size)
      guard !overflow, product <= kernel_memory() else {
        throw EvokeError(
          .shape, "a tensor of shape \(shape) would not fit into memory",
          hint: "the machine has \(kernel_memory() >> 30) GiB")
      }
      bytes = product
    }
  }

  /// The same elements under another shape; one size may be −1 (what is left).
  ///
  /// - Throws: `EvokeError` of kind `.shape` when the sizes do not multiply to the element count.
  public func reshape(_ shape: [Int]) throws -> Tensor {
    let free = shape.indices.filter { shape[$0] == -1 }
    let known = shape.filter { $0 != -1 }
    try Tensor.checkSize(known)
    let product = known.reduce(1, *)
    let fits = free.isEmpty ? product == count : product > 0 && count % product == 0
    guard free.count <= 1, fits else {
      throw EvokeError(
        .shape, "cannot reshape \(self.shape) to \(shape)",
        hint: "\(count) elements before and after; at most one size may be -1")
    }
    return reshaped(shape)
  }

  /// The axes in another order, reversed unless given.
  ///
  /// - Throws: `EvokeError` of kind `.shape` when `axes` is no permutation of the axes.
  public func transpose(_ axes: [Int]? = nil) throws -> Tensor {
    let axes = axes ?? Array((0..<rank).reversed())
    guard axes.sorted() == Array(0..<rank) else {
      throw EvokeError(
        .shape, "cannot transpose shape \(shape) by \(axes)",
        hint: "name each axis from 0 to \(rank - 1) once")
    }
    return transposed(axes)
  }

  /// Tensors one behind the other along an axis (negative: from the end).
  ///
  /// - Throws: `EvokeError` of kind `.shape` when they do not agree in the other axes.
  public static func concatenate(_ parts: [Tensor], axis: Int = 0) throws -> Tensor {
    guard let first = parts.first else {
      throw EvokeError(.shape, "there is nothing to concatenate")
    }
    let position = axis < 0 ? axis + first.rank : axis
    guard (0..<first.rank).contains(position) else {
      throw EvokeError(.shape, "there is no axis \(axis) in shape \(first.shape)")
    }
    for part in parts {
      var expected = first.shape
      if part.rank == first.rank { expected[position] = part.shape[position] }
      guard part.shape == expected else {
        throw EvokeError(
          .shape, "cannot concatenate shapes \(first.shape) and \(part.shape) along axis \(axis)",
          hint: "the other axes must agree")
      }
    }
    return concatenated(parts, axis: position)
  }
}
