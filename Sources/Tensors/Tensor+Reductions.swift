import Kernels

extension Tensor {
  /// The sum over some axes (all of them by default; negative ones count from the end), taken in
  /// double and rounded once.
  public func sum(axes: [Int]? = nil, keepingAxes: Bool = false) throws -> Tensor {
    try reduced("sum", axes, keepingAxes) { Float(kernel_sum($0.baseAddress, $0.count)) }
  }

  /// The mean over some axes, taken in double.
  public func mean(axes: [Int]? = nil, keepingAxes: Bool = false) throws -> Tensor {
    try reduced("mean", axes, keepingAxes, emptyAllowed: false) {
      Float(kernel_sum($0.baseAddress, $0.count) / Double($0.count))
    }
  }

  /// The standard deviation over some axes: √(Σ(x − mean)² / (n − correction)).
  ///
  /// numpy divides by n, torch by n − 1; `correction` chooses.
  public func std(
    axes: [Int]? = nil, keepingAxes: Bool = false, correction: Int = 0
  ) throws -> Tensor {
    try reduced("std", axes, keepingAxes, emptyAllowed: false) { x in
      let mean = kernel_sum(x.baseAddress, x.count) / Double(x.count)
      let squares = kernel_sum_of_squared_deviations(x.baseAddress, x.count, mean)
      return Float((squares / Double(x.count - correction)).squareRoot())
    }
  }

  /// The least element over some axes; NaN if there is one.
  public func min(axes: [Int]? = nil, keepingAxes: Bool = false) throws -> Tensor {
    try reduced("min", axes, keepingAxes, emptyAllowed: false) { x in
      x.reduce(x[0]) { $0.isNaN || $1 >= $0 ? $0 : $1 }
    }
  }

  /// The greatest element over some axes; NaN if there is one.
  public func max(axes: [Int]? = nil, keepingAxes: Bool = false) throws -> Tensor {
    try reduced("max", axes, keepingAxes, emptyAllowed: false) { x in
      x.reduce(x[0]) { $0.isNaN || $1 <= $0 ? $0 : $1 }
    }
  }

  /// Moves the reduced axes last, then reduces each contiguous run.
  private func reduced(
    _ what: String, _ axes: [Int]?, _ keeping: Bool, emptyAllowed: Bool = true,
    _ body: (UnsafeBufferPointer<Float>) -> Float
  ) throws -> Tensor {
    let axes = try checked(axes ?? Array(0..<rank))
    let kept = (0..<rank).filter { !axes.contains($0) }
    let length = axes.reduce(1) { $0 * shape[$1] }
    guard emptyAllowed || length > 0 else {
      throw EvokeError(.shape, "\(what) of no elements: shape \(shape)")
    }
    let ordered = kept + axes == Array(0..<rank) ? self : transposed(kept + axes)
    let result =
      keeping ? shape.indices.map { axes.contains($0) ? 1 : shape[$0] } : kept.map { shape[$0] }
    return Tensor(shape: result) { to in
      ordered.withUnsafeValues { from in
        for i in to.indices {
          to[i] = body(UnsafeBufferPointer(rebasing: from[(i * length)..<((i + 1) * length)]))
        }
      }
    }
  }

  private func checked(_ axes: [Int]) throws -> [Int] {
    let resolved = axes.map { $0 < 0 ? $0 + rank : $0 }
    for (axis, given) in zip(resolved, axes) where axis < 0 || axis >= rank {
      throw EvokeError(
        .shape, "there is no axis \(given) in shape \(shape)",
        hint: rank == 0 ? "it is a single number" : "axes go from 0 to \(rank - 1)")
    }
    guard Set(resolved).count == resolved.count else {
      throw EvokeError(.shape, "an axis is named twice in \(axes)")
    }
    return resolved.sorted()
  }
}
