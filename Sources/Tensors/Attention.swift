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
  precondition(queries.rank == 3 && keys.rank == 3 && keys.shape == values.shape)
  precondition(queries.shape[0] == keys.shape[0] && queries.shape[2] == keys.shape[2])
  precondition(queries.shape[2] % heads == 0, "\(heads) heads in \(queries.shape)")
  let width = queries.shape[2] / heads
  return queries.mapped { from, to in
    var attention = KernelAttention()
    attention.batch = queries.shape[0]
    attention.heads = heads
    attention.width = width
    attention.queries = queries.shape[1]
    attention.keys = keys.shape[1]
    attention.q = from
    attention.k = keys.pointer
    attention.v = values.pointer
    attention.y = to
    attention.scale = scale ?? 1 / Float(width).squareRoot()
    attention.causal = causal
    attention.bfloat16 = precision == .bfloat16 && width % 2 == 0
    kernel_attention(&attention)
    withExtendedLifetime((keys, values)) {}
  }
}
