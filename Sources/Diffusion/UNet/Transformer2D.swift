import Checkpoints
import Tensors

/// Transformer blocks over the positions of a feature map, conditioned on text.
///
/// Source: diffusers `Transformer2DModel` with continuous input.
struct Transformer2D: Sendable {
  let norm: GroupNorm  // norm
  let projectIn: Linear  // proj_in, a 1×1 convolution unless use_linear_projection
  let blocks: [TransformerBlock]  // transformer_blocks.i
  let projectOut: Linear  // proj_out

  init(
    _ weights: Weights, channels: Int, heads: Int, depth: Int, config: UNetConfig,
    textWidth: Int, layers: inout Int
  ) throws {
    let pointwise = !config.linearProjection
    // diffusers fixes this epsilon, whatever norm_eps says.
    norm = try weights.groupNorm("norm", channels, groups: config.groups, epsilon: 1e-6)
    projectIn = try weights.linear("proj_in", channels, channels, pointwise: pointwise)
    projectOut = try weights.linear("proj_out", channels, channels, pointwise: pointwise)
    blocks = try (0..<depth).map { i in
      defer { layers += 1 }
      return try TransformerBlock(
        weights["transformer_blocks.\(i)"], channels: channels, heads: heads,
        textWidth: textWidth, layer: layers)
    }
  }

  /// Maps `[N, H, W, C]` to the same shape; row n attends to text `rows[n]`.
  func callAsFunction(_ x: Tensor, text: TextConditions, rows: ArraySlice<Int>) -> Tensor {
    answered(asking(x), text: text, rows: rows)
  }

  /// Features on the way through the first block, where they meet the text.
  struct Asking: Sendable {
    /// What the transformer was given, `[N, H, W, C]`.
    let input: Tensor
    /// The positions after self-attention, `[N, H · W, C]`, and their queries to the text.
    let tokens, queries: Tensor
  }

  /// The part in front of the text.
  func asking(_ x: Tensor) -> Asking {
    let tokens = projectIn(norm(x).reshaped([x.shape[0], x.shape[1] * x.shape[2], x.shape[3]]))
    let (seen, queries) = blocks[0].asking(tokens)
    return Asking(input: x, tokens: seen, queries: queries)
  }

  /// The rest.
  func answered(_ asking: Asking, text: TextConditions, rows: ArraySlice<Int>) -> Tensor {
    let x = asking.input
    var tokens = blocks[0].answered(asking.tokens, asking.queries, text: text, rows: rows)
    for block in blocks.dropFirst() { tokens = block(tokens, text: text, rows: rows) }
    return projectOut(tokens, adding: x.reshaped(tokens.shape)).reshaped(x.shape)
  }

  /// The same with the pullback to x and the text; `reachesInput` says whether x depends on it.
  func recorded(
    _ x: Tensor, text: TextConditions, rows: ArraySlice<Int>, reachesInput: Bool
  ) -> (Tensor, TextPullback) {
    let (n, h, w, c) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    var tokens = projectIn(norm(x).reshaped([n, h * w, c]))
    var pullbacks: [TextPullback] = []
    for (i, block) in blocks.enumerated() {
      let (next, pullback) = block.recorded(
        tokens, text: text, rows: rows, reachesInput: reachesInput || i > 0)
      tokens = next
      pullbacks.append(pullback)
    }
    let y = projectOut(tokens, adding: x.reshaped([n, h * w, c])).reshaped([n, h, w, c])
    return (
      y,
      { dy, side in
        var gradient = projectOut.gradient(dy.reshaped([n, h * w, c]))
        for pullback in pullbacks.reversed() {
          guard let next = pullback(gradient, &side) else { return nil }
          gradient = next
        }
        return norm.gradient(
          projectIn.gradient(gradient).reshaped([n, h, w, c]), at: x, adding: dy)
      }
    )
  }
}

/// Self-attention, attention to the text, and a gated feed-forward layer, each added to its input.
///
/// Source: diffusers `BasicTransformerBlock` with `norm_type = "layer_norm"`.
struct TransformerBlock: Sendable {
  let norm1: LayerNorm  // norm1
  let queries1, keys1, values1: Linear  // attn1.to_q, to_k, to_v
  let output1: Linear  // attn1.to_out.0
  let norm2: LayerNorm  // norm2
  let queries2, keys2, values2: Linear  // attn2.to_q, to_k, to_v
  let output2: Linear  // attn2.to_out.0
  let norm3: LayerNorm  // norm3
  let expand: Linear  // ff.net.0.proj
  let contract: Linear  // ff.net.2
  let heads: Int
  let precision: Precision
  /// This block's place in `TextConditions.layers`.
  let layer: Int

  init(_ weights: Weights, channels c: Int, heads: Int, textWidth: Int, layer: Int) throws {
    self.heads = heads
    precision = weights.execution.precision
    self.layer = layer
    norm1 = try weights.layerNorm("norm1", c)
    queries1 = try weights.linear("attn1.to_q", c, c, bias: false)
    keys1 = try weights.linear("attn1.to_k", c, c, bias: false)
    values1 = try weights.linear("attn1.to_v", c, c, bias: false)
    output1 = try weights.linear("attn1.to_out.0", c, c)
    norm2 = try weights.layerNorm("norm2", c)
    queries2 = try weights.linear("attn2.to_q", c, c, bias: false)
    keys2 = try weights.linear("attn2.to_k", textWidth, c, bias: false)
    values2 = try weights.linear("attn2.to_v", textWidth, c, bias: false)
    output2 = try weights.linear("attn2.to_out.0", c, c)
    norm3 = try weights.layerNorm("norm3", c)
    expand = try weights.linear("ff.net.0.proj", c, 8 * c)
    contract = try weights.linear("ff.net.2", 4 * c, c)
  }

  /// Maps tokens `[N, T, C]` to the same shape.
  func callAsFunction(_ x: Tensor, text: TextConditions, rows: ArraySlice<Int>) -> Tensor {
    let (seen, queries) = asking(x)
    return answered(seen, queries, text: text, rows: rows)
  }

  /// Self-attention, and the queries to the text.
  func asking(_ x: Tensor) -> (tokens: Tensor, queries: Tensor) {
    let own = norm1(x)
    let seen = output1(
      attention(
        queries: queries1(own), keys: keys1(own), values: values1(own), heads: heads,
        precision: precision),
      adding: x)
    return (seen, queries2(norm2(seen)))
  }

  /// The text's part, and the feed-forward layer.
  func answered(
    _ x: Tensor, _ queries: Tensor, text: TextConditions, rows: ArraySlice<Int>
  ) -> Tensor {
    let (keys, values) = text.layers[layer]
    let told = output2(
      attention(
        queries: queries, keys: keys.gathered(rows), values: values.gathered(rows), heads: heads,
        precision: precision),
      adding: x)
    return contract(expand(norm3(told)).gatedGELU(), adding: told)
  }

  /// The same with the pullback to the tokens and the text.
  func recorded(
    _ x: Tensor, text: TextConditions, rows: ArraySlice<Int>, reachesInput: Bool
  ) -> (Tensor, TextPullback) {
    let own = norm1(x)
    let (q, k, v) = (queries1(own), keys1(own), values1(own))
    let seen = output1(
      attention(queries: q, keys: k, values: v, heads: heads, precision: precision), adding: x)
    let asked = queries2(norm2(seen))
    let keys = text.layers[layer].keys.gathered(rows)
    let values = text.layers[layer].values.gathered(rows)
    let told = output2(
      attention(
        queries: asked, keys: keys, values: values, heads: heads, precision: precision),
      adding: seen)
    let wide = expand(norm3(told))
    return (
      contract(wide.gatedGELU(), adding: told),
      { dy, side in
        let dTold = norm3.gradient(
          expand.gradient(wide.gatedGELUGradient(contract.gradient(dy))), at: told, adding: dy)
        let cross = attentionGradient(
          output2.gradient(dTold), queries: asked, keys: keys, values: values, heads: heads)
        side.text = keys2.gradient(
          cross.keys, adding: values2.gradient(cross.values, adding: side.text))
        guard reachesInput else { return nil }
        let dSeen = norm2.gradient(queries2.gradient(cross.queries), at: seen, adding: dTold)
        let own = attentionGradient(
          output1.gradient(dSeen), queries: q, keys: k, values: v, heads: heads)
        let dOwn = queries1.gradient(
          own.queries, adding: keys1.gradient(own.keys, adding: values1.gradient(own.values)))
        return norm1.gradient(dOwn, at: x, adding: dSeen)
      }
    )
  }
}

/// Text hidden states as the UNet's cross-attention layers see them: every layer's keys and values.
///
/// They depend on the text alone, so one value serves all timesteps and all pictures of a text.
public struct TextConditions: Sendable {
  /// Number of texts.
  public let count: Int
  let layers: [(keys: Tensor, values: Tensor)]
  /// The pooled texts `[count, p]`, for models that take them.
  var pooled: Tensor?
}

extension Tensor {
  /// Rows of axis 0 picked by `indices`; no copy when they are one run in order.
  func gathered(_ indices: ArraySlice<Int>) -> Tensor {
    guard let first = indices.first else { return rows(0..<0) }
    if indices.enumerated().allSatisfy({ $1 == first + $0 }) {
      return indices.count == shape[0] ? self : rows(first..<first + indices.count)
    }
    let size = shape.dropFirst().reduce(1, *)
    return withUnsafeValues { source in
      Tensor(shape: [indices.count] + shape.dropFirst()) { target in
        for (place, index) in indices.enumerated() {
          _ = UnsafeMutableBufferPointer(rebasing: target[place * size..<(place + 1) * size])
            .update(fromContentsOf: source[index * size..<(index + 1) * size])
        }
      }
    }
  }
}
