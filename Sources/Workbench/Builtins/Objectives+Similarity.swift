import Diffusion
import Inversion
import Language
import Tensors

extension ObjectiveBuiltins {
  static let similarity = Builtin(
    "similarity", topic: Topic.objective,
    summary:
      "How unlike the given pictures those drawn with a candidate are, by CLIP; for `evolve` alone",
    parameters: [
      Shared.model, Shared.photos, prompts,
      Parameter(
        label: "draws", .int, default: 4, unit: "pictures",
        "drawn of a candidate and generation, all candidates from the same noise: more rank better and cost as much"
      ),
      Parameter(
        label: "steps", .int, default: 8, unit: "steps",
        "denoising steps a picture: few tell candidates apart already"),
      Parameter(
        label: "guidance", .number, default: 3,
        "classifier-free guidance, as in `generate`; at 1 a step costs half"),
      Parameter(
        label: "sampler", .member, default: .member("dpm"),
        choices: SamplerKind.allCases.map(\.rawValue), "the way from noise to picture"),
      Parameter(
        label: "heldout", .object(ImagesValue.typeName), default: .none,
        "pictures that progress is measured on; the given ones, under other noise, if left out"),
      Parameter(
        label: "heldout_draws", .int, default: 16, unit: "pictures", "drawn for that"),
      Parameter(
        label: "vectors", .int, default: 1, "token embeddings that the word is made of"),
      Shared.seed,
    ],
    returns: .object(SimilarityValue.typeName),
    example: "es = evolve(cma(space), similarity(m, photos, draws: 4, steps: 8))",
    source: "Gal et al., arXiv 2208.01618, §4.2; Radford et al., arXiv 2103.00020"
  ) { arguments, context in
    let model = try arguments.model()
    _ = try model.requiringCLIP()
    let photos = try arguments.object("photos", as: ImagesValue.self)
    let heldOut = try arguments.ifGiven("heldout") { try $0.object($1, as: ImagesValue.self) }
    let random = context.random(seed: try arguments.seed())
    let objective = try SimilarityObjective(
      model, photos.pictures, prompts: chosenPrompts(arguments),
      draws: arguments.int("draws", in: 1...10_000), steps: arguments.int("steps", in: 1...1000),
      guidance: Float(arguments.double("guidance", in: 0...100)),
      sampler: SamplerKind(rawValue: arguments.member("sampler")) ?? .dpm,
      heldOut: heldOut?.pictures, heldOutDraws: arguments.int("heldout_draws", in: 1...10_000),
      vectors: arguments.int("vectors", in: 1...64), random: random)
    var digest = Digest()
    digest.string("similarity")
    try arguments.object("model", as: ModelValue.self).hash(into: &digest)
    photos.hash(into: &digest)
    heldOut?.hash(into: &digest)
    for template in objective.templates { digest.string(template) }
    for value in [
      objective.draws, objective.steps, objective.heldOutDraws, objective.vectors,
    ] { digest.int(value) }
    digest.double(Double(objective.guidance))
    digest.string(objective.sampler.rawValue)
    var key = random
    digest.int(Int(truncatingIfNeeded: key.nextUInt64()))
    return .object(
      SimilarityValue(objective, pictures: photos.count, identity: digest.finalized()))
  }
}
