import Diffusion
import Evolution
import Pictures
import Tensors

/// Where an inversion starts, and which words it was put together from.
public struct Initialisation: Sendable, Equatable {
  /// e_0, [d].
  public let embedding: Tensor
  /// Every word that was considered with its share, largest first.
  public let weights: [(word: String, weight: Double)]

  /// The word with the largest share.
  public var nearestWord: String { weights[0].word }

  public static func == (a: Initialisation, b: Initialisation) -> Bool {
    a.embedding == b.embedding && a.weights.count == b.weights.count
      && zip(a.weights, b.weights).allSatisfy { $0.word == $1.word && $0.weight == $1.weight }
  }
}

/// The start of an inversion by parameter-free cross-attention from pictures to words.
///
/// Query: the CLIP feature of a picture; keys: the CLIP features of each word, meant over prompts;
/// values: the words' token embeddings; softmax of the cosines over a temperature, meant over the
/// pictures (Fei et al., arXiv 2304.05818, equation 4). Unlike the released code, which takes the
/// softmax of bare cosines, nearly the mean of all words, and then divides by the norm, the
/// temperature follows the spread of the cosines and e_0 gets the median norm of the words' rows.
///
/// - Parameters:
///   - words: what to choose from; by default the model's words of three letters and more that
///     the prompts themselves do not use.
///   - temperature: what cosines are divided by; towards 0 the nearest word alone. By default 0.7
///     standard deviations of the cosines of all words (docs/method.md has the measurements).
///   - prompts: the sentences that a word's key is meant over.
/// - Throws: `EvokeError` for no pictures, a model without CLIP, a word that is no single token, or a
///   temperature that is not positive.
public func attend(
  _ model: DiffusionModel, _ pictures: [Picture], words: [String]? = nil,
  temperature: Double? = nil, prompts: Prompts = .object
) throws -> Initialisation {
  if let temperature, !(temperature > 0 && temperature.isFinite) {
    throw EvokeError(.value, "the temperature must be a positive number, not \(temperature)")
  }
  guard !pictures.isEmpty else { throw EvokeError(.value, "there are no pictures to look at") }
  let templates = try prompts.templates(for: model)
  let chosen = words ?? contentWords(of: model)
  let rows = try tokenRows(of: model, chosen)
  let queries = try model.imageFeatures(pictures)
  let keys = try wordFeatures(model, chosen, templates)

  var shares = [Double](repeating: 0, count: chosen.count)
  for picture in 0..<pictures.count {
    let cosines = keys.map { dot($0, queries.row(picture)) }
    let weights = softmax(cosines, temperature: temperature ?? 0.7 * deviation(cosines))
    for i in shares.indices { shares[i] += weights[i] / Double(pictures.count) }
  }
  let table = model.textEncoder.tokenTable
  var sum = [Double](repeating: 0, count: model.textEncoder.width)
  for (share, row) in zip(shares, rows) {
    for (i, value) in table.row(row).values.enumerated() { sum[i] += share * Double(value) }
  }
  let order = shares.indices.sorted {
    shares[$0] == shares[$1] ? $0 < $1 : shares[$0] > shares[$1]
  }
  return Initialisation(
    embedding: try atWordNorm(sum, model), weights: order.map { (chosen[$0], shares[$0]) })
}

/// Rows of the token table that a model's words have: what subspaces are taken from.
///
/// Words that are several tokens are left out.
public func wordRows(of model: DiffusionModel) -> [Int] {
  var seen = Set<Int>()
  return model.words.compactMap { model.tokenizer.id(ofWord: $0) }.filter {
    seen.insert($0).inserted
  }
}

/// The embedding of one word, [d], as a start.
///
/// - Throws: `EvokeError(.name)` when it is no single token of the model.
public func wordEmbedding(_ model: DiffusionModel, _ word: String) throws -> Tensor {
  model.textEncoder.tokenTable.row(try tokenRows(of: model, [word])[0])
}

/// The model's words that can name what a picture shows.
public func contentWords(of model: DiffusionModel) -> [String] {
  let used = Set((Prompts.object.all + Prompts.style.all).flatMap(words(of:)))
  let plain = model.words.filter { $0.count > 2 && !used.contains($0) }
  let single = plain.filter { model.tokenizer.id(ofWord: $0) != nil }
  return single.isEmpty ? model.words : single
}

private func softmax(_ values: [Double], temperature: Double) -> [Double] {
  let peak = values.max() ?? 0
  let exponentials = values.map { Elementary.exp(($0 - peak) / max(temperature, 1e-12)) }
  let total = exponentials.reduce(0, +)
  return exponentials.map { $0 / total }
}

private func deviation(_ values: [Double]) -> Double {
  let mean = values.reduce(0, +) / Double(values.count)
  let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  return (squares / Double(values.count)).squareRoot()
}

private func tokenRows(of model: DiffusionModel, _ words: [String]) throws -> [Int] {
  guard !words.isEmpty else { throw EvokeError(.value, "there are no words to choose from") }
  return try words.map { word in
    guard let row = model.tokenizer.id(ofWord: word) else {
      throw EvokeError(
        .name, "\"\(word)\" is not a single token of the model",
        hint: closest(to: word, among: model.words).map { "did you mean \"\($0)\"?" })
    }
    return row
  }
}

/// The unit mean of each word's CLIP text features over the templates.
private func wordFeatures(
  _ model: DiffusionModel, _ words: [String], _ templates: [String]
) throws -> [Tensor] {
  try words.map { word in
    let features = try model.textFeatures(templates.map { $0.filled(with: word) })
    let width = features.shape[1]
    var sum = [Double](repeating: 0, count: width)
    for (i, value) in features.values.enumerated() { sum[i % width] += Double(value) }
    let norm = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return Tensor(shape: [width], values: sum.map { Float(norm > 0 ? $0 / norm : 0) })
  }
}

/// A vector brought to the median norm of the words' rows.
private func atWordNorm(_ vector: [Double], _ model: DiffusionModel) throws -> Tensor {
  let table = model.textEncoder.tokenTable
  let norms = wordRows(of: model).map { row in
    table.row(row).values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
  }.sorted()
  let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
  guard norm > 0, !norms.isEmpty else {
    throw EvokeError(.numeric, "the words' embeddings cancel out")
  }
  let factor = norms[norms.count / 2] / norm
  return Tensor(shape: [vector.count], values: vector.map { Float($0 * factor) })
}

func dot(_ a: Tensor, _ b: Tensor) -> Double {
  a.withUnsafeValues { x in
    b.withUnsafeValues { y in
      var sum = 0.0
      for i in x.indices { sum += Double(x[i]) * Double(y[i]) }
      return sum
    }
  }
}
