import Checkpoints
import Tensors

/// BLIP's mouth: BERT with causal attention, which also looks at the picture's states.
///
/// Source: transformers `BlipTextLMHeadModel`.
struct CaptionerDecoder: Sendable {
  let vocabularySize: Int
  /// Tokens of the longest text.
  let longest: Int
  private let width: Int
  private let words: Tensor  // bert.embeddings.word_embeddings.weight, also the last layer's
  private let positions: Tensor  // bert.embeddings.position_embeddings.weight
  private let firstNorm: LayerNorm  // bert.embeddings.LayerNorm
  private let blocks: [Block]  // bert.encoder.layer.N
  private let transform: Linear  // cls.predictions.transform.dense
  private let lastNorm: LayerNorm  // cls.predictions.transform.LayerNorm
  private let logits: Linear  // the word embeddings, with cls.predictions.bias

  /// - Parameter seen: the width of the picture's states.
  init(_ config: Config, _ weights: Weights, seen: Int) throws {
    let d = try config.size("hidden_size", default: 768)
    width = d
    vocabularySize = try config.size("vocab_size", default: 30524)
    longest = try config.size("max_position_embeddings", default: 512)
    let heads = try config.size("num_attention_heads", default: 8)
    let epsilon = Float(try config.double("layer_norm_eps", default: 1e-12))
    guard d % heads == 0 else {
      throw EvokeError(.format, "\(config.source): \(d) channels do not divide by \(heads) heads")
    }
    guard try config.string("hidden_act", default: "gelu") == "gelu" else {
      throw EvokeError(.format, "\(config.source): only the activation gelu is known here")
    }
    let embeddings = weights["bert.embeddings"]
    words = try embeddings.tensor("word_embeddings.weight", [vocabularySize, d])
    positions = try embeddings.tensor("position_embeddings.weight", [longest, d])
    firstNorm = try embeddings.layerNorm("LayerNorm", d, epsilon: epsilon)
    let hidden = try config.size("intermediate_size", default: 3072)
    blocks = try (0..<config.size("num_hidden_layers", default: 12)).map {
      try Block(
        weights["bert.encoder.layer.\($0)"], width: d, hidden: hidden, seen: seen, heads: heads,
        epsilon: epsilon)
    }
    let head = weights["cls.predictions"]
    transform = try head.linear("transform.dense", d, d)
    lastNorm = try head.layerNorm("transform.LayerNorm", d, epsilon: epsilon)
    logits = Linear(weight: words, bias: try head.tensor("bias", [vocabularySize]))
  }

  /// Token ids of one length and a picture's states [n, P, e] each → logits [n, L, V].
  func callAsFunction(_ ids: [[Int]], seen: Tensor) -> Tensor {
    let rows = ids.map { ids in
      Tensor.stacked(ids.map { words.row($0) }).plus(positions.rows(0..<ids.count))
    }
    let hidden = blocks.reduce(firstNorm(Tensor.stacked(rows))) { $1($0, seen: seen) }
    return logits(lastNorm(transform(hidden, activation: .gelu)))
  }

  /// Attention to the text so far, attention to the picture, a perceptron, each with the norm
  /// behind its sum; transformers `BlipTextLayer`.
  private struct Block: Sendable {
    let own: Attending  // attention
    let other: Attending  // crossattention
    let expand: Linear  // intermediate.dense
    let contract: Linear  // output.dense
    let norm: LayerNorm  // output.LayerNorm

    init(
      _ weights: Weights, width: Int, hidden: Int, seen: Int, heads: Int, epsilon: Float
    ) throws {
      own = try Attending(weights["attention"], width, from: width, heads, epsilon)
      other = try Attending(weights["crossattention"], width, from: seen, heads, epsilon)
      expand = try weights.linear("intermediate.dense", width, hidden)
      contract = try weights.linear("output.dense", hidden, width)
      norm = try weights.layerNorm("output.LayerNorm", width, epsilon: epsilon)
    }

    func callAsFunction(_ x: Tensor, seen: Tensor) -> Tensor {
      let x = other(own(x, to: x, causal: true), to: seen, causal: false)
      return norm(contract(expand(x, activation: .gelu), adding: x))
    }
  }

  /// norm(x + attention(x, other)); transformers `BlipTextAttention`.
  private struct Attending: Sendable {
    let queries: Linear  // self.query
    let keys: Linear  // self.key
    let values: Linear  // self.value
    let output: Linear  // output.dense
    let norm: LayerNorm  // output.LayerNorm
    let heads: Int

    init(_ weights: Weights, _ d: Int, from e: Int, _ heads: Int, _ epsilon: Float) throws {
      queries = try weights.linear("self.query", d, d)
      keys = try weights.linear("self.key", e, d)
      values = try weights.linear("self.value", e, d)
      output = try weights.linear("output.dense", d, d)
      norm = try weights.layerNorm("output.LayerNorm", d, epsilon: epsilon)
      self.heads = heads
    }

    func callAsFunction(_ x: Tensor, to other: Tensor, causal: Bool) -> Tensor {
      let attended = attention(
        queries: queries(x), keys: keys(other), values: values(other), heads: heads,
        causal: causal)
      return norm(output(attended, adding: x))
    }
  }
}
