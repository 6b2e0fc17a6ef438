import Kernels

// Arithmetic that users write: shapes broadcast as numpy's do, and what does not fit throws.
extension Tensor {
  public static func add(_ a: Tensor, _ b: Tensor) throws -> Tensor {
    try broadcast(KernelAdd, "add", a, b)
  }
  public static func subtract(_ a: Tensor, _ b: Tensor) throws -> Tensor {
    try broadcast(KernelSubtract, "subtract", a, b)
  }
  public static func multiply(_ a: Tensor, _ b: Tensor) throws -> Tensor {
    try broadcast(KernelMultiply, "multiply", a, b)
  }
  public static func divide(_ a: Tensor, _ b: Tensor) throws -> Tensor {
    try broadcast(KernelDivide, "divide", a, b)
  }

  private static func broadcast(
    _ operation: KernelBinary, _ verb: String, _ a: Tensor, _ b: Tensor
  ) throws -> Tensor {
    guard let shape = broadcastShape(a.shape, b.shape) else {
      throw EvokeError(
        .shape, "cannot \(verb) shapes \(a.shape) and \(b.shape)",
        hint: "from the last axis backwards, sizes must be equal or 1")
    }
    try checkSize(shape)
    let x = a.broadcasted(to: shape)
    let y = b.broadcasted(to: shape)
    return Tensor(shape: shape) { to in
      guard let base = to.baseAddress, !to.isEmpty else { return }
      kernel_binary(operation, x.pointer, y.pointer, to.count, base)
      withExtendedLifetime((x, y)) {}
    }
  }

  private func broadcasted(to target: [Int]) -> Tensor {
    if shape == target { return self }
    let padded = Array(repeating: 1, count: target.count - rank) + shape
    var strides = [Int](repeating: 0, count: target.count)
    var stride = 1
    for i in target.indices.reversed() {
      if padded[i] != 1 { strides[i] = stride }
      stride *= padded[i]
    }
    return gathered(shape: target, strides: strides)
  }

  /// The matrix product over the last two axes, earlier axes broadcast; a vector counts as a row on
  /// the left and as a column on the right, and its axis is dropped (numpy's `matmul`).
  public static func matmul(_ a: Tensor, _ b: Tensor) throws -> Tensor {
    func refusal() -> EvokeError {
      EvokeError(
        .shape, "cannot multiply matrices of shapes \(a.shape) and \(b.shape)",
        hint: "[m, k] @ [k, n]: the inner sizes must agree")
    }
    guard a.rank > 0, b.rank > 0 else { throw refusal() }
    let left = a.rank == 1 ? a.reshaped([1, a.count]) : a
    let right = b.rank == 1 ? b.reshaped([b.count, 1]) : b
    let (m, k) = (left.shape[left.rank - 2], left.shape[left.rank - 1])
    let n = right.shape[right.rank - 1]
    guard right.shape[right.rank - 2] == k,
      let outer = broadcastShape(left.shape.dropLast(2), right.shape.dropLast(2)),
      outer.count <= 6
    else { throw refusal() }
    try checkSize(outer + [m, n])
    try checkSize(outer + [m, k])
    try checkSize(outer + [k, n])
    let x = left.broadcasted(to: outer + [m, k]).reshaped([-1, m, k], of: outer)
    let y = right.broadcasted(to: outer + [k, n]).reshaped([-1, k, n], of: outer)
    let products = (0..<x.shape[0]).map { x.row($0).multiplied(y.row($0)) }
    let kept = outer + (a.rank == 1 ? [] : [m]) + (b.rank == 1 ? [] : [n])
    return products.isEmpty ? Tensor(zeros: kept) : Tensor.stacked(products).reshaped(kept)
  }

  /// −1 as the product of `outer`, which may be empty or hold a zero.
  private func reshaped(_ shape: [Int], of outer: [Int]) -> Tensor {
    reshaped([outer.reduce(1, *)] + shape.dropFirst())
  }

  /// [m, k] times [k, n].
  func multiplied(_ other: Tensor) -> Tensor {
    let (m, k, n) = (shape[0], shape[1], other.shape[1])
    guard m * n > 0 else { return Tensor(zeros: [m, n]) }
    guard k > 0 else { return Tensor(zeros: [m, n]) }
    let packed = TensorStorage(count: kernel_packed_count(n, k))
    kernel_pack_columns(other.pointer, k, n, packed.base)
    return Tensor(shape: [m, n]) { to in
      var gemm = KernelGemm()
      (gemm.m, gemm.n, gemm.k) = (m, n, k)
      (gemm.a, gemm.lda) = (pointer, k)
      gemm.b = UnsafePointer(packed.base)
      (gemm.c, gemm.ldc) = (to.baseAddress, n)
      kernel_gemm(&gemm)
      withExtendedLifetime((self, other, packed)) {}
    }
  }
}

/// numpy's rule: from the last axis backwards, equal sizes or 1.
private func broadcastShape<A: BidirectionalCollection, B: BidirectionalCollection>(
  _ a: A, _ b: B
) -> [Int]? where A.Element == Int, B.Element == Int {
  let rank = max(a.count, b.count)
  let x = Array(repeating: 1, count: rank - a.count) + a
  let y = Array(repeating: 1, count: rank - b.count) + b
  var shape: [Int] = []
  for (i, j) in zip(x, y) {
    guard i == j || i == 1 || j == 1 else { return nil }
    shape.append(i == 1 ? j : i)
  }
  return shape
}

extension Tensor {
  public func exp() -> Tensor { unary(KernelExp) }
  public func log() -> Tensor { unary(KernelLog) }
  public func sqrt() -> Tensor { unary(KernelSqrt) }
  public func abs() -> Tensor { unary(KernelAbs) }
  public func sin() -> Tensor { unary(KernelSin) }
  public func cos() -> Tensor { unary(KernelCos) }
  public func tanh() -> Tensor { unary(KernelTanh) }
  public func erf() -> Tensor { unary(KernelErf) }
  public func negated() -> Tensor { unary(KernelNegate) }

  private func unary(_ operation: KernelUnary) -> Tensor {
    mapped { from, to in kernel_unary(operation, from, count, to) }
  }
}
