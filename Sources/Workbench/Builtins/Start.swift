import Diffusion
import Inversion
import Language
import Tensors

/// `word`, `attend`: where a search starts.
enum StartBuiltins {
  static let all = [word, attend]

  static let word = Builtin(
    "word", topic: Topic.start,
    summary: "The embedding of a word that the model knows",
    parameters: [
      Shared.model, Parameter("text", .string, "a word that is one token, `star`"),
    ],
    returns: .object(EmbeddingValue.typeName),
    example: "start = word(m, \"star\")",
    source: "Gal et al., arXiv 2208.01618, §4.1"
  ) { arguments, _ in
    let model = try arguments.model()
    let text = try arguments.string("text")
    do {
      return .object(
        EmbeddingValue(try wordEmbedding(model, text), words: [(word: text, weight: 1)]))
    } catch let error as EvokeError {
      let guess = closest(to: text, among: model.words).map { "did you mean “\($0)”?" }
      throw arguments.error("text", error.kind, error.message, hint: guess ?? error.hint)
    }
  }

  static let attend = Builtin(
    "attend", topic: Topic.start,
    summary: "Starts from the words that the pictures attend to: parameter-free cross-attention",
    parameters: [
      Shared.model, Shared.photos,
      Parameter(
        label: "temperature", .number, default: .none,
        "what the cosines are divided by before the softmax: towards 0 the nearest word alone; 0.7 of their standard deviation if left out"
      ),
      Parameter(
        label: "words", .list(.string), default: .none,
        "what to choose from; all words the model was trained on if left out"),
      ObjectiveBuiltins.prompts,
    ],
    returns: .object(EmbeddingValue.typeName),
    example: "start = attend(m, photos)",
    source: "Fei et al., arXiv 2304.05818, eq. 4; the temperature is evoke's"
  ) { arguments, _ in
    let found = try Inversion.attend(
      arguments.model(), arguments.object("photos", as: ImagesValue.self).pictures,
      words: arguments.ifGiven("words") { try $0.strings($1) },
      temperature: arguments.ifGiven("temperature") { try $0.double($1, in: 1e-6...1e6) },
      prompts: ObjectiveBuiltins.chosenPrompts(arguments))
    // Words that hardly count would only make the value long.
    let words = found.weights.prefix { $0.weight >= 0.005 }
    return .object(
      EmbeddingValue(found.embedding, words: words.isEmpty ? [found.weights[0]] : Array(words)))
  }
}
