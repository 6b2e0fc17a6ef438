import Diffusion
import Inversion
import Language
import Pictures
import Tensors

/// `animate`, `film`: what moves.
enum AnimateBuiltins {
  static let all = [animate, film]

  private static let milliseconds = Parameter(
    label: "milliseconds", .int, default: 200, unit: "ms", "for each picture")

  static let animate = Builtin(
    "animate", topic: Topic.see,
    summary: "A moving picture: a search's population by generation, or pictures one after another",
    parameters: [
      Parameter(
        "value",
        .object(SearchValue.typeName) | .object(ImagesValue.typeName)
          | .list(.object(ImagesValue.typeName)),
        "a search, pictures, or a list of pictures, of which each element is a row"),
      Parameter(label: "captions", .list(.string), default: .list([]), "a line for each picture"),
      milliseconds,
    ],
    returns: .object(AnimationValue.typeName),
    example: "write(animate(es), to: \"population.png\")"
  ) { arguments, _ in
    let milliseconds = try arguments.int("milliseconds", in: 10...60_000)
    if case .object(let search as SearchValue) = arguments["value"] {
      return .object(
        try AnimationValue(PopulationCharts(search.run), milliseconds: milliseconds))
    }
    var rows: [[Picture]]
    var labels: [String]
    if case .object(let images as ImagesValue) = arguments["value"] {
      rows = images.pictures.map { [$0] }
      labels = images.names
    } else {
      let images = try arguments.objects("value", as: ImagesValue.self)
      rows = images.map(\.pictures)
      labels = images.map { $0.names.first ?? "" }
    }
    rows = rows.filter { !$0.isEmpty }
    guard !rows.isEmpty else {
      throw arguments.error("value", .value, "there are no pictures to animate")
    }
    for (index, caption) in try arguments.strings("captions").enumerated()
    where index < labels.count { labels[index] = caption }
    return .object(try AnimationValue(rows: rows, labels: labels, milliseconds: milliseconds))
  }

  static let film = Builtin(
    "film", topic: Topic.see,
    summary: "Draws with the word that a search had after every few generations: how it came to be",
    parameters: [
      Shared.model, Parameter("search", .object(SearchValue.typeName), "an evolved search"),
      Parameter("prompt", .string, "what to draw; the word stands in it as the placeholder"),
      Parameter(label: "word", .string, default: "<word>", "the placeholder in the prompt"),
      Parameter(label: "every", .int, default: 5, unit: "generations", "between drawings"),
      Parameter(label: "count", .int, default: 3, unit: "pictures", "side by side"),
      Shared.seed,
      Parameter(label: "steps", .int, default: 30, unit: "steps", "denoising steps"),
      Parameter(
        label: "guidance", .number, default: 5, "classifier-free guidance, as in `generate`"),
      milliseconds,
    ],
    returns: .object(AnimationValue.typeName),
    example: "film(m, es, \"a photo of a <word>\", every: 10, seed: 3)"
  ) { arguments, context in
    let model = try arguments.model()
    let run = try arguments.object("search", as: SearchValue.self).run
    let prompt = try arguments.string("prompt")
    let word = try arguments.string("word")
    guard prompt.contains(word), !word.isEmpty else {
      throw arguments.error(
        "prompt", .value, "the prompt does not contain the word \(word)",
        hint: "write it as in \"a photo of a \(word)\"")
    }
    guard run.subspace.ambient == model.textEncoder.width else {
      throw arguments.error(
        "search", .shape,
        "this search moves in embeddings of \(run.subspace.ambient) numbers, "
          + "but this model's tokens are \(model.textEncoder.width) wide")
    }
    let every = try arguments.int("every", in: 1...1_000_000)
    let last = run.history.count
    var moments = Array(stride(from: 0, to: last, by: every))
    moments.append(last)
    var request = GenerationRequest(
      prompt, seed: try arguments.firstPictureSeed(context),
      count: try arguments.int("count", in: 1...64))
    request.steps = try arguments.int("steps", in: 1...1000)
    request.guidance = Float(try arguments.double("guidance", in: 0...100))
    let rows = try moments.enumerated().map { index, moment in
      let vector = try run.meanEmbedding(after: moment)
      request.words = [try LearnedWord(word, vectors: vector.reshaped([1, vector.count]))]
      return try model.generate(request) { step, steps in
        context.progress(
          ProgressUpdate(
            "film", completed: index * steps + step, total: moments.count * steps, unit: "step"))
        try context.checkCancellation()
      }
    }
    let labels = moments.map { $0 == 0 ? "start" : "generation \($0)" }
    return .object(
      try AnimationValue(
        rows: rows, labels: labels, milliseconds: arguments.int("milliseconds", in: 10...60_000)))
  }
}
