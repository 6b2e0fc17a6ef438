import Kernels

/// Scaled dot-product attention, softmax(scale · Q Kᵀ) V, for every head (arXiv 1706.03762, eq. 1).
///
/// - Parameters:
///   - queries: [B, Tq, heads · d]
///   - keys: [B, Tk, heads · d]
///   - values: [B, Tk, heads · d]
///   - causal: a query sees only keys up to its own position.
///   - scale: 1/√d unless given.
///   - precision: of both products' factors; bfloat16 is for an even d.
/// - Returns: [B, Tq, heads · d]
public func attention(
  queries: Tensor, keys: Tensor, values: Tensor, heads: Int, causal: Bool = false,
  scale: Float? = nil, precision: Precision = .float32
) -> Tensor {
  queries.mapped { _, to in
    var attention = parameters(queries, keys, values, heads, causal, scale)
    attention.y = to
    attention.bfloat16 = precision == .bfloat16 && attention.width % 2 == 0
    kernel_attention(&attention)
    withExtendedLifetime((keys, values)) {}
  }
}

/// The gradients of queries, keys and values from `dy`, that of `attention` at them.
public func attentionGradient(
  _ dy: Tensor, queries: Tensor, keys: Tensor, values: Tensor, heads: Int, causal: Bool = false,
  scale: Float? = nil
) -> (queries: Tensor, keys: Tensor, values: Tensor) {
  precondition(dy.shape == queries.shape, "\(dy.shape) for queries \(queries.shape)")
  let (dk, dv) = (TensorStorage(count: keys.count), TensorStorage(count: values.count))
  let dq = queries.mapped { _, to in
    var gradient = KernelAttentionGradient()
    gradient.attention = parameters(queries, keys, values, heads, causal, scale)
    gradient.dy = dy.pointer
    (gradient.dq, gradient.dk, gradient.dv) = (to, dk.base, dv.base)
    kernel_attention_gradient(&gradient)
    withExtendedLifetime((keys, values, dy)) {}
  }
  return (dq, Tensor(shape: keys.shape, storage: dk), Tensor(shape: keys.shape, storage: dv))
}

private func parameters(
  _ queries: Tensor, _ keys: Tensor, _ values: Tensor, _ heads: Int, _ causal: Bool,
  _ scale: Float?
) -> KernelAttention {
  precondition(queries.rank == 3 && keys.rank == 3 && keys.shape == values.shape)
  precondition(queries.shape[0] == keys.shape[0] && queries.shape[2] == keys.shape[2])
  precondition(queries.shape[2] % heads == 0, "\(heads) heads in \(queries.shape)")
  let width = queries.shape[2] / heads
  var attention = KernelAttention()
  attention.batch = queries.shape[0]
  attention.heads = heads
  attention.width = width
  attention.queries = queries.shape[1]
  attention.keys = keys.shape[1]
  attention.q = queries.pointer
  attention.k = keys.pointer
  attention.v = values.pointer
  attention.scale = scale ?? 1 / Float(width).squareRoot()
  attention.causal = causal
  return attention
}
