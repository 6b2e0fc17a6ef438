import Diffusion
import Evolution
import Language
import Tensors

/// `subspace`: where a search may go.
enum SubspaceBuiltins {
  static let all = [subspace]

  static let subspace = Builtin(
    "subspace", topic: Topic.subspace,
    summary: "Chooses directions in the space of token embeddings, e = e₀ + W q",
    parameters: [
      Shared.model,
      Parameter(
        label: "dim", .int, default: 32, unit: "dimensions",
        "how many; `.full` takes all of them whatever is said here"),
      Parameter(
        label: "by", .member, default: .member("pca"),
        choices: Subspace.Kind.allCases.map(\.rawValue),
        "principal components of the trained words' embeddings in units of their standard deviations, "
          + "a random projection scaled to the embeddings' spread, a plain one, or the whole space"),
      Parameter(
        label: "around", .object(EmbeddingValue.typeName) | .tensor, default: .none,
        "e₀, where q = 0 lies; the mean of the trained words if left out"),
      Parameter(
        label: "sigma", .number, default: 1,
        "the step size that the search will start with, for `.prior`"),
      Parameter(label: "alpha", .number, default: 1, "the wanted spread, for `.prior`"),
      Shared.seed,
    ],
    returns: .object(SubspaceValue.typeName),
    example: "space = subspace(m, dim: 32, by: .pca, around: start)",
    source: "Fei et al., arXiv 2304.05818; prior normalisation: arXiv 2205.11200"
  ) { arguments, context in
    let model = try arguments.model()
    let table = model.textEncoder.tokenTable
    let width = model.textEncoder.width
    let rows = model.trainedRows
    let kind = Subspace.Kind(rawValue: try arguments.member("by")) ?? .pca
    let dimension = try arguments.int("dim", in: 1...width)
    let origin =
      try arguments.ifGiven("around") { try $0.tensor($1) } ?? model.meanEmbedding(of: rows)
    guard origin.count == width else {
      throw arguments.error(
        "around", .shape, "a start of this model is \(width) wide, not \(origin.shape)",
        hint: "attend(m, photos) or word(m, \"star\") gives one")
    }
    let start = origin.reshaped([width])
    func random() throws -> Philox { context.random(seed: try arguments.seed()) }
    let subspace: Subspace =
      switch kind {
      case .pca: try .pca(of: table, rows: rows, dimension: dimension, around: start)
      case .full: try .full(of: table, rows: rows, around: start)
      case .random:
        try .random(ambient: width, dimension: dimension, around: start, random: random())
      case .prior:
        try .prior(
          of: table, rows: rows, dimension: dimension, sigma: arguments.double("sigma"),
          alpha: arguments.double("alpha"), around: start, random: random())
      }
    return .object(SubspaceValue(subspace))
  }
}

extension DiffusionModel {
  /// The rows of the token table that training touched: those of whole words.
  var trainedRows: [Int] { words.compactMap { tokenizer.id(ofWord: $0) } }

  /// The mean of `rows` of the token table, [d].
  func meanEmbedding(of rows: [Int]) -> Tensor {
    let table = textEncoder.tokenTable
    let width = textEncoder.width
    return Tensor(shape: [width]) { mean in
      var sums = [Double](repeating: 0, count: width)
      table.withUnsafeValues { values in
        for row in rows {
          for i in 0..<width { sums[i] += Double(values[row * width + i]) }
        }
      }
      for i in 0..<width { mean[i] = Float(sums[i] / Double(max(1, rows.count))) }
    }
  }
}
