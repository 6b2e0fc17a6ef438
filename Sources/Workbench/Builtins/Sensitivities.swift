import Inversion
import Language
import Tensors

/// `sensitivity`, `peak`, `agreement`: at which timesteps the condition matters.
enum SensitivityBuiltins {
  static let all = [sensitivity, peak, agreement]

  static let sensitivity = Builtin(
    "sensitivity", topic: Topic.objective,
    summary: "Measures how strongly the text acts at each timestep: g(t) = E‖∇_c ‖ε(x_t, c) − ε‖‖",
    parameters: [
      Shared.model, Shared.photos,
      Parameter(
        label: "by", .member, default: .member("gradient"), choices: ["gradient", "difference"],
        "by backward passes, or by central differences along random directions: forward passes only"
      ),
      Parameter(label: "text", .string, default: .string("a photo"), "the prompt c"),
      Shared.with,
      Parameter(
        label: "at", .list(.int), default: .none, unit: "timesteps",
        "where to measure; at the middles of 20 equal parts if left out"),
      Parameter(
        label: "draws", .int, default: 16, "pictures with noise a timestep, the same for all"),
      Parameter(
        label: "directions", .int, default: 8, "of `.difference`, the same for all timesteps"),
      Parameter(label: "step", .number, default: 0.05, "of `.difference`, in units of c"),
      Shared.seed,
    ],
    returns: .object(CurveValue.typeName),
    example: "g = sensitivity(m, photos)",
    source: "Wang & Kalogeiton, hal-04713286, eq. 4"
  ) { arguments, context in
    let model = try arguments.model()
    let photos = try arguments.object("photos", as: ImagesValue.self).pictures
    let steps = model.schedule.trainingSteps
    let even = (0..<20).map { steps * (2 * $0 + 1) / 40 }
    let timesteps = try arguments.ifGiven("at") { try $0.ints($1) } ?? even
    guard !timesteps.isEmpty, timesteps.allSatisfy({ (0..<steps).contains($0) }) else {
      throw arguments.error("at", .value, "timesteps of this model lie in 0..<\(steps)")
    }
    let method: SensitivityMethod =
      try arguments.member("by") == "gradient"
      ? .gradient
      : .difference(
        directions: arguments.int("directions", in: 1...10_000),
        step: arguments.double("step", in: 1e-6...1e3))
    let condition = try model.encode(
      prompts: [arguments.string("text")], with: arguments.words())
    return .object(
      CurveValue(
        try Inversion.sensitivity(
          model, photos, condition: condition, timesteps: timesteps,
          draws: arguments.int("draws", in: 1...100_000), by: method,
          random: context.random(seed: arguments.seed()), batch: WorkbenchSettings.batch,
          checkpoint: context.checkCancellation)))
  }

  private static let curve = Parameter("curve", .object(CurveValue.typeName), "g(t)")

  static let peak = Builtin(
    "peak", topic: Topic.objective,
    summary: "The interval of timesteps in which g(t) is largest: the high-grad timesteps",
    parameters: [
      curve,
      Parameter(
        label: "width", .int, default: 100, unit: "timesteps", "of the interval; 1 for one timestep"
      ),
    ],
    returns: .range,
    example: "loss = denoising(m, photos, timesteps: peak(g, width: 100))",
    source: "Wang & Kalogeiton, hal-04713286, §3"
  ) { arguments, _ in
    let range = try arguments.object("curve", as: CurveValue.self).curve
      .peak(width: arguments.int("width", in: 1...1_000_000))
    return .range(IntRange(range.lowerBound, range.upperBound))
  }

  static let agreement = Builtin(
    "agreement", topic: Topic.objective,
    summary: "How well two curves agree: Spearman's rank correlation, 1 for the same order",
    parameters: [curve, Parameter("other", .object(CurveValue.typeName), "the other")],
    returns: .number,
    example: "agreement(sensitivity(m, photos), sensitivity(m, photos, by: .difference))",
    source: "Spearman 1904"
  ) { arguments, _ in
    let a = try arguments.object("curve", as: CurveValue.self).curve
    let b = try arguments.object("other", as: CurveValue.self).curve
    guard a.timesteps == b.timesteps else {
      throw arguments.error("other", .value, "the curves were measured at different timesteps")
    }
    return .double(try rankCorrelation(a.values, b.values))
  }
}
