import Tensors

extension CoreBuiltins {
  private static let seedParameter = Parameter(
    label: "seed", .int, default: .none,
    "draws by this seed alone, instead of by the session's seed and the name that is bound")

  private static func draw(
    _ name: String, _ summary: String,
    _ fill: @escaping @Sendable (inout Philox, [Int]) -> Tensor
  ) -> Builtin {
    Builtin(
      name, topic: "Random", summary: summary,
      parameters: [
        Parameter("shape", .list(.int) | .int, "the extent of every axis"), seedParameter,
      ], returns: .tensor, example: "\(name)([2, 3])",
      source: "Philox4x32-10: Salmon et al., SC 2011"
    ) { arguments, context in
      let shape = try arguments.ints("shape")
      try Operators.checkSize(shape, context.limits)
      var random = context.random(seed: try arguments.int(ifGiven: "seed"))
      return .tensor(fill(&random, shape))
    }
  }

  static let random = [
    draw("normal", "Numbers of the standard normal distribution") { $0.normals(shape: $1) },
    draw("uniform", "Numbers evenly from 0 up to 1") { $0.uniforms(shape: $1) },
    Builtin(
      "shuffled", topic: "Random", summary: "The elements of a list in random order",
      parameters: [Parameter("list", .any, "a list, or anything with elements"), seedParameter],
      returns: .list, example: "shuffled([1, 2, 3])"
    ) { arguments, context in
      let values = try Elements(arguments["list"], context.limits).array(context.limits)
      var random = context.random(seed: try arguments.int(ifGiven: "seed"))
      return .list(List(random.shuffled(values)))
    },
  ]
}
