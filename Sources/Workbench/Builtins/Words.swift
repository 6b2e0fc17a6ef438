import Diffusion
import Inversion
import Language
import Pictures
import Tensors

/// `caption`, `classify`, `sentence`, `lpips`: pictures in words, words as starts, and how alike
/// pictures look.
enum WordsBuiltins {
  static let all = [caption, classify, sentence, lpips]

  static let caption = Builtin(
    "caption", topic: Topic.start,
    summary: "Says in a sentence what each picture shows",
    parameters: [
      Shared.model, Shared.photos,
      Parameter(
        label: "limit", .int, default: 20, unit: "tokens", "the longest caption, 1 to 200"),
    ],
    returns: .list(.string),
    example: "caption(m, photos)",
    source: "Li et al., arXiv 2201.12086; transformers, BlipForConditionalGeneration"
  ) { arguments, context in
    let captioner = try arguments.model().captioner()
    return .strings(
      try captioner.captions(
        of: arguments.object("photos", as: ImagesValue.self).pictures,
        limit: arguments.int("limit", in: 1...200), checkpoint: context.checkCancellation))
  }

  static let classify = Builtin(
    "classify", topic: Topic.start,
    summary: "The words that name the pictures best, by CLIP, with their probabilities",
    parameters: [
      Shared.model, Shared.photos,
      Parameter(
        label: "words", .list(.string), default: .none,
        "what to choose from; the words the model was trained on if left out"),
      Parameter(label: "count", .int, default: 5, "how many of them, the likeliest first"),
      Parameter(
        label: "prompt", .string, default: "a photo of a {}", "the sentence around each word"),
      Parameter(
        label: "temperature", .number, default: 0.01,
        "what the cosines are divided by before the softmax"),
    ],
    returns: .list(.record),
    example: "classify(m, photos)[0].word",
    source: "Radford et al., arXiv 2103.00020, §3.1.2"
  ) { arguments, _ in
    let model = try arguments.model()
    let words = try arguments.ifGiven("words") { try $0.strings($1) } ?? contentWords(of: model)
    let prompt = try arguments.string("prompt")
    guard (1...10_000).contains(words.count) else {
      throw arguments.error("words", .value, "give 1 to 10000 words, not \(words.count)")
    }
    guard prompt.contains("{}") else {
      throw arguments.error("prompt", .value, "the prompt has no {} for the word to stand at")
    }
    let temperature = try arguments.double("temperature", in: 1e-6...1e6)
    let count = try arguments.int("count", in: 1...10_000)
    let clip = try model.requiringCLIP()
    let seen = try clip.imageFeatures(arguments.object("photos", as: ImagesValue.self).pictures)
    let texts = try model.textFeatures(words.map { prompt.replacing("{}", with: $0) })
    let cosines = try Tensor.matmul(seen.mean(axes: [0], keepingAxes: false), transposed(texts))
    let logits = cosines.values.map { Double($0) / temperature }
    let peak = logits.max() ?? 0
    let weights = logits.map { Elementary.exp($0 - peak) }
    let total = weights.reduce(0, +)
    let order = words.indices.sorted {
      weights[$0] == weights[$1] ? $0 < $1 : weights[$0] > weights[$1]
    }
    return .list(
      order.prefix(count).map { index in
        .record(["word": .string(words[index]), "probability": .double(weights[index] / total)])
      })
  }

  private static func transposed(_ tensor: Tensor) -> Tensor { tensor.transposed([1, 0]) }

  static let sentence = Builtin(
    "sentence", topic: Topic.start,
    summary: "The embeddings of a text's tokens as the rows of one learned word, [n, d]",
    parameters: [Shared.model, Parameter("text", .string, "a caption, or a few words")],
    returns: .tensor,
    example: "token(\"<it>\", sentence(m, \"a red striped star\"))",
    source: "Textual Inversion with Captioning Initialization (project page)"
  ) { arguments, _ in
    let model = try arguments.model()
    let ids = model.tokenizer.encode(try arguments.string("text")).dropFirst().dropLast()
    guard !ids.isEmpty else {
      throw arguments.error("text", .value, "there is no word in this text")
    }
    return .tensor(Tensor.stacked(ids.map { model.textEncoder.tokenTable.row($0) }))
  }

  static let lpips = Builtin(
    "lpips", topic: Topic.use,
    summary: "How different pictures look: the perceptual distance, 0 for the same picture",
    parameters: [
      Shared.model, Parameter("pictures", .object(ImagesValue.typeName), "the drawn pictures"),
      Parameter(
        "to", .object(ImagesValue.typeName),
        "the given pictures; the mean over all pairs is taken"),
    ],
    returns: .number,
    example: "lpips(m, drawn, photos)",
    source: "Zhang et al., arXiv 1801.03924, eq. 1"
  ) { arguments, context in
    let model = try arguments.model()
    let side = max(model.pictureSize, PerceptualDistance.smallestSide)
    func pictures(_ name: String) throws -> [Picture] {
      let pictures = try arguments.object(name, as: ImagesValue.self).pictures
      guard !pictures.isEmpty else { throw arguments.error(name, .value, "there is no picture") }
      return pictures.map { picture in
        picture.width == side && picture.height == side
          ? picture : picture.fitted(to: side, filter: .bicubic)
      }
    }
    let (drawn, given) = (try pictures("pictures"), try pictures("to"))
    return .double(
      try model.perceptualDistance().mean(drawn, given, checkpoint: context.checkCancellation))
  }
}
