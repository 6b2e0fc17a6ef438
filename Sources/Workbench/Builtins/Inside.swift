import Diffusion
import Language
import Pictures
import Tensors

/// `tokenize` … `schedule`: every step of the model, one at a time.
enum InsideBuiltins {
  static let all = [
    tokenize, tokens, encode, latents, decode, noise, predict, features, schedule,
  ]

  /// Rows and columns of latents that the models are run on, 4096 pixels of Stable Diffusion.
  private static let largestSide = 512

  private static let text = Parameter("text", .string, "a prompt")

  static let tokenize = Builtin(
    "tokenize", topic: Topic.inside,
    summary: "Cuts a text into the ids of its tokens, with the start and the end token",
    parameters: [Shared.model, text, Shared.with],
    returns: .list(.int),
    example: "tokenize(m, \"a red star\")",
    source: "transformers, CLIPTokenizer"
  ) { arguments, _ in
    try .ints(arguments.tokenizer().encode(arguments.string("text")))
  }

  static let tokens = Builtin(
    "tokens", topic: Topic.inside,
    summary: "Cuts a text into its tokens, as pieces of text",
    parameters: [Shared.model, text, Shared.with],
    returns: .list(.string),
    example: "tokens(m, \"a red star\")",
    source: "transformers, CLIPTokenizer"
  ) { arguments, _ in
    try .strings(arguments.tokenizer().tokens(arguments.string("text")))
  }

  static let encode = Builtin(
    "encode", topic: Topic.inside,
    summary: "Turns a text into the hidden states that condition the UNet, [1, L, d]",
    parameters: [Shared.model, text, Shared.with],
    returns: .tensor,
    example: "h = encode(m, \"a red star\")",
    source: "transformers, CLIPTextModel (last_hidden_state)"
  ) { arguments, _ in
    try .tensor(
      arguments.model().encode(prompts: [arguments.string("text")], with: arguments.words()))
  }

  static let latents = Builtin(
    "latents", topic: Topic.inside,
    summary: "Encodes pictures into scaled latents, [n, C, h, w]",
    parameters: [
      Shared.model, Shared.photos,
      Parameter(
        label: "sample", .bool, default: false,
        "draw from the posterior instead of taking its mean"),
      Shared.seed,
    ],
    returns: .tensor,
    example: "z = latents(m, photos)",
    source: "diffusers, AutoencoderKL.encode; Kingma & Welling, arXiv 1312.6114"
  ) { arguments, context in
    let model = try arguments.model()
    let pictures = try arguments.object("photos", as: ImagesValue.self).pictures
    guard try arguments.bool("sample") else { return .tensor(try model.latents(pictures)) }
    var random = context.random(seed: try arguments.seed())
    return .tensor(try model.latents(pictures) { random.normals(shape: $0) })
  }

  static let decode = Builtin(
    "decode", topic: Topic.inside,
    summary: "Decodes scaled latents into pictures",
    parameters: [Shared.model, Parameter("latents", .tensor, "[n, C, h, w], scaled")],
    returns: .object(ImagesValue.typeName),
    example: "decode(m, latents(m, photos))",
    source: "diffusers, AutoencoderKL.decode"
  ) { arguments, context in
    let model = try arguments.model()
    let z = try arguments.tensor("latents")
    guard z.rank == 4, z.count > 0, z.shape[1] == model.latentShape[0] else {
      throw arguments.error(
        "latents", .shape,
        "latents of this model are [n, \(model.latentShape[0]), h, w], not \(z.shape)",
        hint: "latents(m, photos) gives such a tensor")
    }
    guard z.shape[2] <= largestSide, z.shape[3] <= largestSide else {
      throw arguments.error(
        "latents", .shape,
        "latents of at most \(largestSide)×\(largestSide) are decoded, not \(z.shape)")
    }
    try context.requireMemory(z.count * 80)
    let pictures = try model.decode(z)
    return .object(ImagesValue(pictures, names: pictures.indices.map { "decoded \($0 + 1)" }))
  }

  static let noise = Builtin(
    "noise", topic: Topic.inside,
    summary: "Noises latents as training does: √ᾱ z + √(1−ᾱ) ε, with seeded normal noise ε",
    parameters: [
      Shared.model, Parameter("latents", .tensor, "[n, C, h, w], scaled"),
      Parameter(label: "at", .int, unit: "timestep", "the timestep, 0 for hardly any noise"),
      Shared.seed,
    ],
    returns: .record,
    example: "n = noise(m, z, at: 500)   # n.noised, n.noise",
    source: "Ho et al., arXiv 2006.11239, eq. 4"
  ) { arguments, context in
    let model = try arguments.model()
    let z = try arguments.tensor("latents")
    guard z.rank >= 1, z.count > 0 else {
      throw arguments.error("latents", .shape, "there is nothing to noise in a tensor \(z.shape)")
    }
    let t = try arguments.int("at", in: 0...model.schedule.trainingSteps - 1)
    var random = context.random(seed: try arguments.seed())
    let epsilon = random.normals(shape: z.shape)
    let steps = Array(repeating: t, count: z.shape[0])
    return .record([
      "noised": .tensor(try model.schedule.noised(z, epsilon, at: steps)),
      "noise": .tensor(epsilon),
    ])
  }

  static let predict = Builtin(
    "predict", topic: Topic.inside,
    summary:
      "Runs the UNet once: its raw output for noised latents at a timestep, shaped as they are",
    parameters: [
      Shared.model, Parameter("latents", .tensor, "noised latents, [n, C, h, w]"),
      Parameter(label: "at", .number, unit: "timestep", "the timestep"),
      Parameter(label: "text", .tensor, "hidden states from `encode`, [1 or n, L, d]"),
    ],
    returns: .tensor,
    example: "predict(m, n.noised, at: 500, text: encode(m, \"a star\"))",
    source: "diffusers, UNet2DConditionModel"
  ) { arguments, _ in
    let model = try arguments.model()
    let z = try arguments.tensor("latents")
    let text = try arguments.tensor("text")
    guard z.rank == 4, z.count > 0, z.shape[1] == model.latentShape[0] else {
      throw arguments.error(
        "latents", .shape,
        "latents of this model are [n, \(model.latentShape[0]), h, w], not \(z.shape)",
        hint: "latents(m, photos) gives such a tensor")
    }
    let width = model.textEncoder.width
    guard text.rank == 3, [1, z.shape[0]].contains(text.shape[0]), text.shape[2] == width,
      text.count > 0
    else {
      throw arguments.error(
        "text", .shape,
        "the hidden states for these latents are [1 or \(z.shape[0]), L, \(width)], not \(text.shape)",
        hint: "encode(m, \"a star\") gives such a tensor")
    }
    guard z.shape[2] <= largestSide, z.shape[3] <= largestSide else {
      throw arguments.error(
        "latents", .shape,
        "latents of at most \(largestSide)×\(largestSide) are predicted, not \(z.shape)")
    }
    let t = try arguments.double("at", in: 0...Double(model.schedule.trainingSteps - 1))
    let states =
      text.shape[0] == z.shape[0]
      ? text : Tensor.concatenated(Array(repeating: text, count: z.shape[0]), axis: 0)
    return .tensor(
      try model.unet(z, timesteps: Array(repeating: t, count: z.shape[0]), text: states))
  }

  static let features = Builtin(
    "features", topic: Topic.inside,
    summary: "CLIP features of pictures or of a text, as rows of length one, [n, d]",
    parameters: [
      Shared.model,
      Parameter(
        "of", .object(ImagesValue.typeName) | .string | .list(.string), "pictures, a text, or texts"
      ),
      Shared.with,
    ],
    returns: .tensor,
    example: "features(m, photos) @ features(m, \"a star\").T   # cosines",
    source: "Radford et al., arXiv 2103.00020"
  ) { arguments, _ in
    let model = try arguments.model()
    let clip = try model.requiringCLIP()
    if case .object = arguments["of"] {
      return .tensor(try clip.imageFeatures(arguments.object("of", as: ImagesValue.self).pictures))
    }
    let prompts = try arguments.strings("of")
    guard (1...10_000).contains(prompts.count) else {
      throw arguments.error("of", .value, "give 1 to 10000 texts, not \(prompts.count)")
    }
    return .tensor(try model.textFeatures(prompts, with: arguments.words()))
  }

  static let schedule = Builtin(
    "schedule", topic: Topic.inside,
    summary:
      "The noise schedule: for each timestep ᾱ, the signal's share, and the signal-to-noise ratio",
    parameters: [Shared.model],
    returns: .record,
    example: "plot(schedule(m).alphas)",
    source: "Ho et al., arXiv 2006.11239, §2"
  ) { arguments, _ in
    let alphas = try arguments.model().schedule.alphasCumulativeProduct.map { Double($0) }
    let count = alphas.count
    func tensor(_ values: [Double]) -> Value {
      .tensor(Tensor(shape: [count], values: values.map { Float($0) }))
    }
    return .record([
      "alphas": tensor(alphas), "snr": tensor(alphas.map { $0 / (1 - $0) }),
    ])
  }
}
