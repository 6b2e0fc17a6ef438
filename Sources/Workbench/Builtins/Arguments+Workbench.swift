import Diffusion
import Inversion
import Language
import Pictures
import Tensors

extension Arguments {
  /// What `read` returns for the argument `name`, or nil if it was left out.
  func ifGiven<R>(_ name: String, _ read: (Arguments, String) throws -> R) rethrows -> R? {
    has(name) ? try read(self, name) : nil
  }

  /// The model given as the argument `model`.
  func model() throws -> DiffusionModel { try object("model", as: ModelValue.self).model }

  /// The objective given as the argument `objective`.
  func objective() throws -> any Objective {
    if case .object(let similarity as SimilarityValue) = self["objective"] {
      return similarity.objective
    }
    return try object("objective", as: ObjectiveValue.self).objective
  }

  /// The argument `seed`, if it was given.
  func seed() throws -> Int? { try ifGiven("seed") { try $0.int($1) } }

  /// The seed of the first picture: the argument `seed`, or else a draw of this call's.
  func firstPictureSeed(_ context: Context) throws -> UInt64 {
    if let seed = try seed() { return UInt64(bitPattern: Int64(seed)) }
    var random = context.random()
    return random.nextUInt64() >> 16
  }

  /// When the held-out set ends a run, if the argument `patience` was given.
  func patience() throws -> FixedSetStopping? {
    try ifGiven("patience") { FixedSetStopping(window: try $0.int($1, in: 2...1_000_000)) }
  }

  /// The learned words given as `with`; none if it was left out.
  ///
  /// - Throws: an error about `with` if a word is as wide as another model's tokens.
  func words() throws -> [LearnedWord] {
    guard has("with") else { return [] }
    let words = try objects("with", as: TokenValue.self).map(\.word)
    let width = try model().textEncoder.width
    for word in words where word.vectors.shape[1] != width {
      throw error(
        "with", .shape,
        "\(word.placeholder) is \(word.vectors.shape[1]) wide, but this model's tokens are \(width) wide",
        hint:
          "a word works on the model it was learned on, and on models that share its text encoder")
    }
    let room = try model().tokenizer.maxLength - 2
    for word in words where word.count > room {
      throw error(
        "with", .shape,
        "\(word.placeholder) has \(word.count) vectors, but a prompt of this model has room for \(room)"
      )
    }
    return words
  }

  /// Warns of words in `with` that were learned on another model: they may mean something else here.
  func warnOfForeignWords(_ context: Context) throws {
    guard has("with") else { return }
    let model = try model()
    for token in try objects("with", as: TokenValue.self)
    where !token.modelDigest.isEmpty && token.modelDigest != model.digest {
      context.note(
        "\(token.word.placeholder) was learned on another model than \(model.name): it may mean "
          + "something else here")
    }
  }

  /// The model's tokenizer, with the learned words given as `with` added.
  func tokenizer() throws -> CLIPTokenizer {
    var tokenizer = try model().tokenizer
    for word in try words() {
      tokenizer = try tokenizer.adding(word.placeholder, vectors: word.count)
    }
    return tokenizer
  }
}

extension DiffusionModel {
  /// The shape of one picture's latents, [C, h, w].
  var latentShape: [Int] {
    let side = pictureSize / autoencoder.downsampling
    return [autoencoder.latentChannels, side, side]
  }

  /// The CLIP model, which alignment and initialisation need.
  ///
  /// - Throws: `EvokeError` (file) if the folder has none.
  func requiringCLIP() throws -> CLIPModel {
    guard let clip else {
      throw EvokeError(
        .file, "the model \(name) has no CLIP image encoder",
        hint: "put a CLIPModel in the sub-folder clip/ (save_pretrained), or use the demo model")
    }
    return clip
  }
}

extension DiffusionModel {
  /// Scaled latents drawn from the posterior, [n, C, h, w]; `normals` gives noise of a shape.
  func latents(_ pictures: [Picture], normals: ([Int]) -> Tensor) throws -> Tensor {
    let fitted = pictures.map { $0.fitted(to: pictureSize, filter: .bicubic) }
    let posterior = try autoencoder.encode(tensor(of: fitted))
    let sample = try Tensor.add(
      posterior.mean, Tensor.multiply(posterior.deviation, normals(posterior.mean.shape)))
    return sample.scaled(by: autoencoder.scalingFactor)
  }
}
