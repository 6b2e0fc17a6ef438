import Checkpoints
import Tensors

/// The two text encoders of Stable Diffusion XL, CLIP ViT-L and OpenCLIP ViT-bigG.
///
/// Source: Podell et al., arXiv 2307.01952, §2.1; diffusers `StableDiffusionXLPipeline.encode_prompt`.
struct TextEncoderPair: Sendable {
  let first: TextEncoder
  let second: TextEncoder
  /// Both token tables side by side: [V, d₁ + d₂].
  let tokenTable: Tensor
  private let projection: Linear  // text_projection of the second
  private let projectedWidth: Int
  /// The embedding of the token that ends a prompt, in the first encoder.
  private let end: Tensor
  private let endID: Int
  /// What the second tokenizer fills prompts up with, where the first repeats the end.
  private let secondPadding: Int

  var width: Int { first.width + second.width }

  /// Reads both encoders.
  ///
  /// `end` is the token that ends a prompt and fills it up for the first encoder, `secondPadding` what
  /// fills it up for the second. Throws `EvokeError(.format)` when they do not share a vocabulary.
  init(
    _ one: (config: Config, weights: Weights), _ two: (config: Config, weights: Weights),
    end endID: Int, secondPadding: Int
  ) throws {
    let (first, second) = (
      try TextEncoder(one.config, one.weights), try TextEncoder(two.config, two.weights)
    )
    let count = first.tokenTable.shape[0]
    guard second.tokenTable.shape[0] == count, second.maxLength == first.maxLength else {
      throw EvokeError(
        .format,
        "\(two.config.source): the second text encoder has \(second.tokenTable.shape[0]) tokens and "
          + "prompts of \(second.maxLength), the first \(count) and \(first.maxLength)")
    }
    guard (0..<count).contains(secondPadding), (0..<count).contains(endID) else {
      throw EvokeError(
        .format,
        "\(two.config.source): no embedding for the ends of prompts, \(endID) and "
          + "\(secondPadding)")
    }
    projectedWidth = try two.config.size("projection_dim", default: 512)
    guard projectedWidth <= first.width + second.width else {
      throw EvokeError(.format, "\(two.config.source): \"projection_dim\" is \(projectedWidth)")
    }
    projection = try two.weights.linear(
      "text_projection", second.width, projectedWidth, bias: false)
    tokenTable = Tensor.concatenated([first.tokenTable, second.tokenTable], axis: 1)
    self.endID = endID
    end = Tensor(shape: [first.width], values: first.tokenTable.row(endID).values)
    self.secondPadding = secondPadding
    // One copy of the tables is enough.
    self.first = TextEncoder(first, tokenTable: Tensor(zeros: [0, first.width]))
    self.second = TextEncoder(second, tokenTable: Tensor(zeros: [0, second.width]))
  }

  /// Puts the second encoder's padding where ids repeat the end token, in embeddings [B, L, d₁ + d₂].
  func replacePadding(
    of ids: [[Int]], in target: UnsafeMutableBufferPointer<Float>,
    _ table: UnsafeBufferPointer<Float>
  ) {
    for (sample, ids) in ids.enumerated() {
      guard let last = ids.firstIndex(of: endID) else { continue }
      for place in ids.indices where place > last && ids[place] == endID {
        let start = (sample * ids.count + place) * width
        for column in first.width..<width {
          target[start + column] = table[secondPadding * width + column]
        }
      }
    }
  }

  /// [B, L, d₁ + d₂] → [B, L + 1, d₁ + d₂]: hidden states, then the pooled text and zeros.
  func callAsFunction(_ embeddings: Tensor) -> Tensor {
    let (batch, length) = (embeddings.shape[0], embeddings.shape[1])
    func columns(_ range: Range<Int>) -> Tensor {
      embeddings.gathered(
        shape: [batch, length, range.count], strides: [length * width, width, 1],
        from: range.lowerBound)
    }
    let own = columns(0..<first.width)
    let (left, _) = first.lastTwo(own)
    let (right, last) = second.lastTwo(columns(first.width..<width))
    let ends = Tensor.stacked((0..<batch).map { last.row($0).row(endPosition(own.row($0))) })
    let padding = Tensor(zeros: [batch, width - projectedWidth])
    let pooled = Tensor.concatenated([projection(ends), padding], axis: 1)
    return Tensor.concatenated(
      [Tensor.concatenated([left, right], axis: 2), pooled.reshaped([batch, 1, width])], axis: 1)
  }

  /// The first place that holds the end token's embedding; the last place when there is none.
  private func endPosition(_ embeddings: Tensor) -> Int {
    let length = embeddings.shape[0]
    return (0..<length).first { embeddings.row($0) == end } ?? length - 1
  }
}
