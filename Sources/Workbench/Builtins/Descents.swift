import Evolution
import Inversion
import Language
import Tensors

/// `adam`, `descend`: gradient inversion, the baseline of searching by forward passes.
enum DescentBuiltins {
  static let all = [adam, descend]

  static let adam = Builtin(
    "adam", topic: Topic.search,
    summary: "AdamW at a start, ready to descend along the gradient of an objective",
    parameters: [
      Parameter(
        "start", .tensor | .object(EmbeddingValue.typeName),
        "an embedding, or a tensor [vectors, d] for a word of several"),
      Parameter(label: "rate", .number, default: 0.01, "the step size"),
      Parameter(
        label: "batch", .int, default: 8, unit: "tasks", "denoising tasks that a batch is made of"),
      Parameter(
        label: "accumulate", .int, default: 1, unit: "batches",
        "batches, each with its own draws, that a step's gradient is the mean of"),
      Parameter(
        label: "schedule", .member, default: .member("constant"),
        choices: RateSchedule.allCases.map(\.rawValue), "how the rate changes with the steps"),
      Parameter(
        label: "warmup", .int, default: 0, unit: "steps", "over which the rate rises from 0"),
      Parameter(
        label: "horizon", .int, default: 500, unit: "steps", "where the cosine reaches 0"),
      Parameter(
        label: "clip", .number, default: .none, "the largest norm of a gradient; any if left out"),
      Parameter(label: "decay", .number, default: 0.01, "decoupled weight decay"),
      Parameter(
        label: "betas", .list(.number), default: .list([.double(0.9), .double(0.999)]),
        "how slowly the means of gradients and of their squares follow"),
      Parameter(label: "epsilon", .number, default: 1e-8, "added to the root of the squares"),
    ],
    returns: .object(DescentValue.typeName),
    example: "ad = adam(start, rate: 0.01, batch: 8)",
    source: "Loshchilov & Hutter, arXiv 1711.05101; torch.optim.AdamW"
  ) { arguments, _ in
    var settings = AdamSettings(rate: try arguments.double("rate", in: 1e-12...1e6))
    settings.schedule = RateSchedule(rawValue: try arguments.member("schedule")) ?? .constant
    settings.warmup = try arguments.int("warmup", in: 0...1_000_000)
    settings.horizon = try arguments.int("horizon", in: 1...1_000_000_000)
    settings.clip = try arguments.ifGiven("clip") { try $0.double($1, in: 1e-12...1e12) }
    settings.weightDecay = try arguments.double("decay", in: 0...1e6)
    settings.epsilon = try arguments.double("epsilon", in: 1e-30...1)
    settings.betas = try arguments.doubles("betas")
    guard settings.betas.count == 2, settings.betas.allSatisfy({ (0..<1).contains($0) }) else {
      throw arguments.error("betas", .value, "the betas are two numbers in 0..<1")
    }
    return .object(
      DescentValue(
        try DescentRun(
          settings, start: arguments.tensor("start"),
          batch: arguments.int("batch", in: 1...100_000),
          accumulation: arguments.int("accumulate", in: 1...100_000))))
  }

  static let descend = Builtin(
    "descend", topic: Topic.search,
    summary: "Moves a word along the gradient for some steps; the result can descend further",
    parameters: [
      Parameter("descent", .object(DescentValue.typeName), "the descent so far"),
      Parameter("objective", .object(ObjectiveValue.typeName), "what is to become smaller"),
      Parameter(label: "steps", .int, default: 100, unit: "steps", "how many more"),
      Parameter(
        label: "check", .int, default: 25, unit: "steps",
        "between measurements on the held-out draws"),
      Shared.patience,
      Parameter(
        label: "recompute", .bool, default: false,
        "run blocks again for their gradient instead of keeping what they computed: less memory, the same bits"
      ),
    ],
    returns: .object(DescentValue.typeName),
    example: "ad = descend(ad, loss, steps: 100)",
    source: "Gal et al., arXiv 2208.01618"
  ) { arguments, context in
    let run = try arguments.object("descent", as: DescentValue.self).run
    let objective = try arguments.object("objective", as: ObjectiveValue.self).objective
    let steps = try arguments.int("steps", in: 0...1_000_000)
    let width = objective.vectors * objective.model.textEncoder.width
    guard run.embedding.count == width else {
      throw arguments.error(
        "descent", .shape,
        "this descent moves \(run.embedding.count) numbers, a word of the objective has \(width)",
        hint: "start from an embedding of the same model")
    }
    let (first, spent) = (run.step, run.forwardPasses)
    context.progress(ProgressUpdate("descend", completed: 0, total: steps, unit: "step"))
    let reached = context.resumed(as: DescentValue.self)?.run ?? run
    let descended = try reached.descended(
      on: objective, steps: steps - (reached.step - first), samples: WorkbenchSettings.batch,
      recomputing: arguments.bool("recompute"),
      checkEvery: arguments.int("check", in: 1...1_000_000), stop: arguments.patience(),
      progress: { report in
        var detail = "loss \(Format.number(report.loss))"
        if let heldOut = report.heldOut { detail += "  held-out \(Format.number(heldOut))" }
        context.progress(
          ProgressUpdate(
            "descend", completed: report.step - first, total: steps, unit: "step",
            detail: detail, work: report.forwardPasses - spent))
      }, checkpoint: context.checkCancellation,
      keep: { context.checkpoint(.object(DescentValue($0))) })
    if descended.isInterrupted {
      context.recordInterrupted("steps", as: .int(descended.step - first))
    }
    return .object(DescentValue(descended))
  }
}
