import Diffusion
import Inversion
import Language
import Tensors

/// `denoising`, `similarity`, `heldout`, `losses`: how good a candidate is.
enum ObjectiveBuiltins {
  static let all = [denoising, similarity, heldout, losses]

  /// `.object`, `.style`, or sentences of one's own.
  static let prompts = Parameter(
    label: "prompts", .member | .list(.string), default: .member("object"),
    choices: ["object", "style"],
    "the sentences around the word: for things, for manners of drawing, or one's own with {} in them"
  )

  static func chosenPrompts(_ arguments: Arguments) throws -> Prompts {
    if case .member(let name) = arguments["prompts"] { return name == "style" ? .style : .object }
    return .templates(try arguments.strings("prompts"))
  }

  static let denoising = Builtin(
    "denoising", topic: Topic.objective,
    summary:
      "The denoising loss of a candidate on the pictures, by forward passes, on common draws",
    parameters: [
      Shared.model, Shared.photos, prompts,
      Parameter(
        label: "timesteps", .range | .int | .member, default: .none,
        choices: ["adaptive"], unit: "timesteps",
        "what timesteps are drawn from: a range, one alone, or `.adaptive`, in proportion to the sensitivity g(t) found on the way; all but the model's first and last tenth if left out"
      ),
      Parameter(
        label: "draws", .int, default: 32,
        "denoising tasks a candidate and generation, the same for all candidates: more rank better and cost as much"
      ),
      Parameter(
        label: "heldout", .object(ImagesValue.typeName), default: .none,
        "pictures that progress is measured on; the given ones, under other draws, if left out"),
      Parameter(
        label: "heldout_draws", .int, default: 96, "tasks of the fixed held-out set"),
      Parameter(
        label: "vectors", .int, default: 1, "token embeddings that the word is made of"),
      Parameter(
        label: "weighting", .member, default: .member("relative"),
        choices: TimestepWeighting.allCases.map(\.rawValue),
        "whether every timestep counts by its loss, or by its loss relative to what is usual there"),
      Shared.seed,
    ],
    returns: .object(ObjectiveValue.typeName),
    example: "loss = denoising(m, photos, prompts: .object, timesteps: 100..<900, draws: 32)",
    source:
      "Gal et al., arXiv 2208.01618, eq. 2; fixed evaluation set: arXiv 2302.04841; adaptive timesteps: Wang & Kalogeiton, hal-04713286, eq. 5"
  ) { arguments, context in
    let model = try arguments.model()
    let photos = try arguments.object("photos", as: ImagesValue.self)
    let heldOut = try arguments.ifGiven("heldout") { try $0.object($1, as: ImagesValue.self) }
    let weighting = TimestepWeighting(rawValue: try arguments.member("weighting")) ?? .relative
    let random = context.random(seed: try arguments.seed())
    let steps = model.schedule.trainingSteps
    let adaptive = if case .member = arguments["timesteps"] { true } else { false }
    let given = adaptive ? nil : try arguments.ifGiven("timesteps") { try $0.range($1) }
    let timesteps = given ?? (adaptive ? 0..<steps : steps / 10..<steps - steps / 10)
    guard !timesteps.isEmpty, timesteps.lowerBound >= 0, timesteps.upperBound <= steps else {
      throw arguments.error(
        "timesteps", .value, "timesteps of this model lie in 0..<\(steps)",
        hint: "for example 300..<700, or 400 alone")
    }
    let tasks = try arguments.int("draws", in: 1...100_000)
    let fixedTasks = try arguments.int("heldout_draws", in: 1...100_000)
    // Noise and noised latents of every task.
    try context.requireMemory((tasks + fixedTasks) * model.latentShape.reduce(8, *))
    let objective = try DenoisingObjective(
      model, photos.pictures, prompts: chosenPrompts(arguments), timesteps: timesteps,
      adaptive: adaptive, draws: tasks, weighting: weighting, heldOut: heldOut?.pictures,
      heldOutDraws: fixedTasks, vectors: arguments.int("vectors", in: 1...64), random: random)
    var digest = Digest()
    try arguments.object("model", as: ModelValue.self).hash(into: &digest)
    photos.hash(into: &digest)
    heldOut?.hash(into: &digest)
    for template in objective.templates { digest.string(template) }
    for value in [
      timesteps.lowerBound, timesteps.upperBound, objective.draws, objective.heldOutDraws,
    ] { digest.int(value) }
    if adaptive { digest.string("adaptive") }
    if objective.vectors > 1 { digest.int(objective.vectors) }
    digest.string(weighting.rawValue)
    var key = random
    digest.int(Int(truncatingIfNeeded: key.nextUInt64()))
    return .object(
      ObjectiveValue(objective, pictures: photos.count, identity: digest.finalized()))
  }

  static let heldout = Builtin(
    "heldout", topic: Topic.objective,
    summary: "The loss of one embedding on the objective's fixed held-out draws: lower is better",
    parameters: [
      Shared.objective, Parameter("embedding", .tensor, "an embedding or a token, d numbers"),
    ],
    returns: .number,
    example: "heldout(loss, es.best)",
    source: "arXiv 2302.04841"
  ) { arguments, _ in
    let objective = try arguments.objective()
    return .double(try objective.heldOutLoss(arguments.tensor("embedding")))
  }

  static let losses = Builtin(
    "losses", topic: Topic.objective,
    summary: "The losses of some embeddings on the common draws of a generation",
    parameters: [
      Shared.objective, Parameter("embeddings", .list(.tensor), "the candidates, d numbers each"),
      Parameter(label: "generation", .int, default: 0, "whose draws to use"),
    ],
    returns: .list(.number),
    example: "losses(loss, [start, es.best])"
  ) { arguments, context in
    let objective = try arguments.objective()
    let candidates = try arguments.list("embeddings").map { value in
      if case .object(let object) = value, let tensor = object.asTensor { return tensor }
      guard case .tensor(let tensor) = value else {
        throw arguments.error("embeddings", .type, "a candidate is an embedding or a tensor")
      }
      return tensor
    }
    return .doubles(
      try objective.losses(
        candidates, generation: arguments.int("generation", in: 0...Int.max), batch: nil,
        checkpoint: context.checkCancellation))
  }
}
