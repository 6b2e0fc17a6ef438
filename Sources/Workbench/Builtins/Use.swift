import Diffusion
import Inversion
import Language
import Pictures
import Tensors

/// `token`, `generate`, `align`: what a learned word is for.
enum UseBuiltins {
  static let all = [token, generate, align]

  static let token = Builtin(
    "token", topic: Topic.use,
    summary: "Gives a vector, or several, a name that prompts can use",
    parameters: [
      Parameter("name", .string, "the placeholder, `<star>`"),
      Parameter(
        "vectors", .tensor | .object(EmbeddingValue.typeName),
        "an embedding, such as `es.best`, or a tensor [d] or [n, d]"),
      Parameter(
        label: "model", .object(ModelValue.typeName), default: .none,
        "the model it was learned on; written into the file's metadata"),
    ],
    returns: .object(TokenValue.typeName),
    example: "star = token(\"<star>\", es.best)",
    source: "Gal et al., arXiv 2208.01618"
  ) { arguments, _ in
    let name = try arguments.string("name")
    guard !name.isEmpty, !name.contains(where: \.isWhitespace) else {
      throw arguments.error(
        "name", .value, "a placeholder is one piece of text without spaces, not “\(name)”",
        hint: "write it as in \"<star>\", so that no ordinary word looks like it")
    }
    let vectors = try arguments.tensor("vectors")
    guard (1...2).contains(vectors.rank), vectors.count > 0 else {
      throw arguments.error("vectors", .shape, "a token is [d] or [n, d], not \(vectors.shape)")
    }
    let rows = vectors.rank == 2 ? vectors : vectors.reshaped([1, vectors.count])
    let model = try arguments.ifGiven("model") { try $0.object($1, as: ModelValue.self).model }
    if let model, model.textEncoder.width != rows.shape[1] {
      throw arguments.error(
        "vectors", .shape,
        "these vectors are \(rows.shape[1]) wide, but this model's tokens are \(model.textEncoder.width) wide"
      )
    }
    let word = try LearnedWord(name, vectors: rows)
    return .object(TokenValue(word, modelDigest: model?.digest ?? ""))
  }

  static let generate = Builtin(
    "generate", topic: Topic.use,
    summary: "Draws pictures from a prompt, or from each of a list of prompts",
    parameters: [
      Shared.model,
      Parameter("prompt", .string | .list(.string), "what to draw; one prompt or several"),
      Shared.with, Shared.seed,
      Parameter(label: "count", .int, default: 1, unit: "pictures", "pictures per prompt"),
      Parameter(label: "steps", .int, default: 30, unit: "steps", "denoising steps"),
      Parameter(
        label: "guidance", .number, default: 5,
        "classifier-free guidance: 1 follows the prompt as it is, more follows it harder"),
      Parameter(label: "negative", .string, default: "", "what to stay away from"),
      Parameter(
        label: "sampler", .member, default: .member("ddim"),
        choices: SamplerKind.allCases.map(\.rawValue), "the way from noise to picture"),
      Parameter(
        label: "rng", .member, default: .member("philox"), choices: ["philox", "torch"],
        "who draws the first noise; `.torch` gives the picture that diffusers gives for this seed"),
      Parameter(
        label: "size", .int, default: .none, unit: "pixels",
        "the side of the picture; the model's own if left out"),
    ],
    returns: .object(ImagesValue.typeName),
    example: "generate(m, \"a photo of a <star> on a blue background\", with: star, count: 4)",
    source: "Ho & Salimans, arXiv 2207.12598; diffusers, StableDiffusionPipeline"
  ) { arguments, context in
    let model = try arguments.model()
    try arguments.warnOfForeignWords(context)
    let prompts = try arguments.strings("prompt")
    guard !prompts.isEmpty else {
      throw arguments.error("prompt", .value, "there is no prompt in this list")
    }
    let count = try arguments.int("count", in: 1...1024)
    guard prompts.count * count <= 4096 else {
      throw arguments.error(
        "prompt", .value,
        "\(prompts.count) prompts times \(count) pictures are more than 4096 at a time")
    }
    // A seed that was given counts up by picture, as diffusers' lists of generators do by hand.
    let first = try arguments.firstPictureSeed(context)
    let seeds = (0..<count).map { first &+ UInt64($0) }
    var request = GenerationRequest(
      prompts: prompts.flatMap { Array(repeating: $0, count: count) },
      seeds: prompts.flatMap { _ in seeds })
    request.negative = try arguments.string("negative")
    request.words = try arguments.words()
    request.steps = try arguments.int("steps", in: 1...1000)
    request.guidance = Float(try arguments.double("guidance", in: 0...100))
    request.sampler = SamplerKind(rawValue: try arguments.member("sampler"))
    request.source = try arguments.member("rng") == "torch" ? .torch : .philox
    if let side = try arguments.ifGiven("size", { try $0.int($1, in: 8...4096) }) {
      request.size = (height: side, width: side)
    }
    let side = request.size?.width ?? model.pictureSize
    // Latents, their prediction and the decoded floats, besides the pictures.
    try context.requireMemory(request.seeds.count * side * side * 18)
    let pictures = try drawn(request, model, context, of: prompts, count: count)
    return .object(ImagesValue(pictures, names: Array(request.prompts[..<pictures.count])))
  }

  /// The pictures of a request for `count` of each prompt; those that are finished, if it is stopped.
  private static func drawn(
    _ request: GenerationRequest, _ model: DiffusionModel, _ context: Context,
    of prompts: [String], count: Int
  ) throws -> [Picture] {
    var finished: [Picture] = []
    do {
      return try model.generate(request) { step, steps in
        context.progress(
          ProgressUpdate("generate", completed: step, total: steps, unit: "step"))
        try context.checkCancellation()
      } finished: {
        finished += $0
      }
    } catch let error as EvokeError where error.kind == .interrupted {
      // Of several prompts, those that have all of their pictures.
      let kept = prompts.count == 1 ? finished.count : finished.count / count * count
      guard kept > 0 else {
        let what = prompts.count == 1 ? "a picture was" : "the pictures of a prompt were"
        throw EvokeError(.interrupted, "stopped before \(what) finished")
      }
      if prompts.count == 1 {
        context.recordInterrupted("count", as: .int(kept))
      } else {
        context.recordInterrupted("prompt", as: .strings(Array(prompts[..<(kept / count)])))
      }
      return Array(finished[..<kept])
    }
  }

  static let align = Builtin(
    "align", topic: Topic.use,
    summary: "CLIP alignment: the mean cosine between pictures and other pictures, or a text",
    parameters: [
      Shared.model, Parameter("pictures", .object(ImagesValue.typeName), "the drawn pictures"),
      Parameter(
        "to", .object(ImagesValue.typeName) | .string, "the given pictures, or a text"),
    ],
    returns: .number,
    example: "align(m, drawn, photos)",
    source: "Gal et al., arXiv 2208.01618, §4.2; Radford et al., arXiv 2103.00020"
  ) { arguments, _ in
    let model = try arguments.model()
    let drawn = try arguments.object("pictures", as: ImagesValue.self).pictures
    if case .string(let text) = arguments["to"] {
      return .double(try Inversion.align(model, drawn, withText: text))
    }
    let given = try arguments.object("to", as: ImagesValue.self).pictures
    return .double(try Inversion.align(model, drawn, with: given))
  }
}
