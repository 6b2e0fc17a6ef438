import Checkpoints
import Foundation
import Tensors

/// CLIP's text encoder: Stable Diffusion 1.x (12 layers, quick-GELU) and 2.x (23 layers, GELU) alike,
/// and the pair of them that Stable Diffusion XL reads side by side.
///
/// Source: transformers `CLIPTextModel`; sizes and activation come from `config.json`.
public final class TextEncoder: Sendable {
  /// The width d of embeddings and hidden states.
  public let width: Int
  /// The most tokens a prompt can have.
  public let maxLength: Int
  /// The token embeddings [V, d].
  public let tokenTable: Tensor  // embeddings.token_embedding.weight

  private let positions: Tensor  // embeddings.position_embedding.weight
  private let transformer: CLIPTransformer  // encoder
  private let finalNorm: LayerNorm  // final_layer_norm
  private let endID: Int
  /// Whether a token sees only itself and those before it; in BERT every token sees all.
  private let isCausal: Bool
  /// The two encoders of Stable Diffusion XL; the properties above are then those of the first.
  private let pair: TextEncoderPair?

  /// Reads a `text_encoder` folder: `config.json` and the weights.
  public convenience init(folder: URL) throws {
    let config = try Config(folder.appendingPathComponent("config.json"))
    try self.init(config, try Weights(folder: folder))
  }

  /// Reads the text half of a model; its keys may stand below `text_model`.
  init(_ config: Config, _ weights: Weights) throws {
    // transformers before version 5 keeps the whole model below "text_model".
    let weights = weights.hasComponent("text_model") ? weights["text_model"] : weights
    let sizes = try CLIPTransformerConfig(config, isVision: false)
    let vocabulary = try config.size("vocab_size", default: 49408)
    maxLength = try config.size("max_position_embeddings", default: 77)
    width = sizes.width
    tokenTable = try weights.tensor("embeddings.token_embedding.weight", [vocabulary, width])
    positions = try weights.tensor("embeddings.position_embedding.weight", [maxLength, width])
    transformer = try CLIPTransformer(sizes, weights["encoder"])
    finalNorm = try weights.layerNorm("final_layer_norm", width, epsilon: sizes.epsilon)
    endID = try config.int("eos_token_id", default: 49407)
    isCausal = sizes.isCausal
    pair = nil
  }

  /// Two encoders as one, whose token table, embeddings and hidden states stand side by side.
  init(_ pair: TextEncoderPair) {
    self.pair = pair
    width = pair.width
    maxLength = pair.first.maxLength
    tokenTable = pair.tokenTable
    (positions, transformer) = (pair.first.positions, pair.first.transformer)
    (finalNorm, endID, isCausal) = (pair.first.finalNorm, pair.first.endID, true)
  }

  /// Whether the hidden states end in a row that holds the pooled text.
  public var endsInPooledRow: Bool { pair != nil }

  /// This encoder with another token table, for one of a pair.
  init(_ encoder: TextEncoder, tokenTable: Tensor) {
    (width, maxLength, self.tokenTable) = (encoder.width, encoder.maxLength, tokenTable)
    (positions, transformer) = (encoder.positions, encoder.transformer)
    (finalNorm, endID, pair) = (encoder.finalNorm, encoder.endID, nil)
    isCausal = encoder.isCausal
  }

  /// Token embeddings [B, L, d], without positions.
  ///
  /// Ids from the vocabulary's size up take the rows of `extra` [n, d], the learned words. Throws
  /// `EvokeError(.shape)` for rows of unequal length, too many tokens, or `extra` of another width,
  /// and `.value` for an id that has no row.
  public func embeddings(_ ids: [[Int]], extra: Tensor? = nil) throws -> Tensor {
    let (length, vocabulary) = (ids.first?.count ?? 0, tokenTable.shape[0])
    guard length > 0, ids.allSatisfy({ $0.count == length }) else {
      throw EvokeError(.shape, "the prompts of a batch have unequal numbers of tokens")
    }
    guard length <= maxLength else {
      throw EvokeError(.shape, "\(length) tokens, the text encoder takes at most \(maxLength)")
    }
    if let extra, extra.rank != 2 || extra.shape[1] != width {
      throw EvokeError(
        .shape, "learned words of shape \(extra.shape) do not fit a text encoder of width \(width)",
        hint: "they were learned on another model")
    }
    let rows = vocabulary + (extra?.shape[0] ?? 0)
    if let id = ids.joined().first(where: { $0 < 0 || $0 >= rows }) {
      throw EvokeError(.value, "there is no embedding for token id \(id) (of \(rows))")
    }
    return Tensor(shape: [ids.count, length, width]) { target in
      tokenTable.withUnsafeValues { table in
        copyRows(ids, from: table, to: target) { $0 < vocabulary ? $0 : nil }
        pair?.replacePadding(of: ids, in: target, table)
      }
      extra?.withUnsafeValues { table in
        copyRows(ids, from: table, to: target) { $0 < vocabulary ? nil : $0 - vocabulary }
      }
    }
  }

  private func copyRows(
    _ ids: [[Int]], from table: UnsafeBufferPointer<Float>,
    to target: UnsafeMutableBufferPointer<Float>, row: (Int) -> Int?
  ) {
    for (place, id) in ids.joined().enumerated() {
      guard let row = row(id) else { continue }
      for column in 0..<width { target[place * width + column] = table[row * width + column] }
    }
  }

  /// The last hidden state [B, L, d], final norm included, of token embeddings [B, L, d].
  ///
  /// Of Stable Diffusion XL's pair: the states before the last layer, side by side, and one row more,
  /// [B, L + 1, d], whose beginning is the pooled text of the second encoder.
  public func callAsFunction(_ embeddings: Tensor) -> Tensor {
    if let pair { return pair(embeddings) }
    return finalNorm(transformer(placed(embeddings), causal: isCausal))
  }

  /// The states before the last layer, and those after it with the final norm.
  func lastTwo(_ embeddings: Tensor) -> (Tensor, Tensor) {
    let (before, last) = transformer.lastTwo(placed(embeddings), causal: true)
    return (before, finalNorm(last))
  }

  /// The same with the pullback to the embeddings: from the gradient of the hidden states to that of
  /// the token embeddings, both [B, L, d]. `recomputing` trades time for memory.
  ///
  /// Throws `EvokeError(.value)` for the pair of encoders of Stable Diffusion XL.
  public func recorded(
    _ embeddings: Tensor, recomputing: Bool = false
  ) throws -> (hidden: Tensor, pullback: (Tensor) -> Tensor) {
    guard pair == nil else {
      throw EvokeError(
        .value, "there are no gradients through the two text encoders of Stable Diffusion XL",
        hint: "a search by forward passes needs none: cma, nes, spsa")
    }
    let (x, pullback) = transformer.recorded(
      placed(embeddings), causal: isCausal, recomputing: recomputing)
    return (finalNorm(x), { pullback(self.finalNorm.gradient($0, at: x)) })
  }

  /// Token embeddings with those of their positions added.
  private func placed(_ embeddings: Tensor) -> Tensor {
    precondition(embeddings.rank == 3 && embeddings.shape[2] == width)
    let (batch, length) = (embeddings.shape[0], embeddings.shape[1])
    precondition(length <= maxLength)
    return Tensor(shape: embeddings.shape) { target in
      embeddings.withUnsafeValues { tokens in
        positions.withUnsafeValues { positions in
          let row = length * width
          for sample in 0..<batch {
            for i in 0..<row { target[sample * row + i] = tokens[sample * row + i] + positions[i] }
          }
        }
      }
    }
  }

  /// The gradient of learned words, [count, d], from that of the embeddings [B, L, d] of prompts: the
  /// sum over the places that took a row past the table, prompt by prompt, in double.
  public func wordGradient(_ gradient: Tensor, _ ids: [[Int]], count: Int) -> Tensor {
    let vocabulary = tokenTable.shape[0]
    var sums = [Double](repeating: 0, count: count * width)
    gradient.withUnsafeValues { values in
      for (place, id) in ids.joined().enumerated() where id >= vocabulary {
        for i in 0..<width {
          sums[(id - vocabulary) * width + i] += Double(values[place * width + i])
        }
      }
    }
    return Tensor(shape: [count, width], values: sums.map { Float($0) })
  }

  /// The hidden states at each prompt's end token: [B, L, d] → [B, d].
  func pooled(_ hidden: Tensor, _ ids: [[Int]]) -> Tensor {
    let length = hidden.shape[1]
    return Tensor.stacked(
      ids.enumerated().map { sample, ids in
        hidden.row(sample).row(min(endPosition(ids), length - 1))
      })
  }

  /// Where a prompt ends.
  ///
  /// Configs made before transformers 4.31 say 2 for the end token whatever the vocabulary; there the
  /// reference takes the largest id, which is the end token as long as no placeholders were added.
  private func endPosition(_ ids: [Int]) -> Int {
    guard endID == 2 else { return ids.firstIndex(of: endID) ?? 0 }
    let largest = ids.filter { $0 < tokenTable.shape[0] }.max()
    return ids.firstIndex { $0 == largest } ?? 0
  }
}
