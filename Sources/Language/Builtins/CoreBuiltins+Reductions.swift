import Tensors

extension CoreBuiltins {
  private static let axisParameters = [
    Parameter("x", .tensor | .list | .range, "a tensor, or a list of numbers"),
    Parameter(
      label: "axis", .int | .list(.int), default: .none, "the axes to reduce; all if left out"),
    Parameter(label: "keep", .bool, default: false, "whether reduced axes stay, with extent 1"),
  ]

  /// A reduction of a tensor along axes, or of a list of numbers.
  private static func reduction(
    _ name: String, _ summary: String, _ example: String,
    list: @escaping @Sendable ([Value], Context) throws -> Value,
    tensor: @escaping @Sendable (Tensor, [Int]?, Bool) throws -> Tensor
  ) -> Builtin {
    Builtin(
      name, topic: "Numbers", summary: summary, parameters: axisParameters,
      returns: .number | .tensor, example: example
    ) { arguments, context in
      switch arguments["x"] {
      case .list, .range:
        if arguments.has("axis") {
          throw arguments.error("axis", .type, "only tensors have axes")
        }
        return try list(try Elements(arguments["x"], context.limits).array(context.limits), context)
      default:
        let value = try arguments.tensor("x")
        let axes = try axes(arguments, rank: value.rank)
        let keep = try arguments.bool("keep")
        return Elements.value(of: try tensor(value, axes, keep))
      }
    }
  }

  private static func axes(_ arguments: Arguments, rank: Int) throws -> [Int]? {
    guard arguments.has("axis") else { return nil }
    return try arguments.ints("axis").map { axis in
      let place = axis < 0 ? axis + rank : axis
      guard place >= 0, place < rank else {
        throw arguments.error(
          "axis", .shape, "there is no axis \(axis) in a tensor with \(rank) axes")
      }
      return place
    }
  }

  private static func number(_ value: Value) throws -> Double {
    switch value {
    case .int(let int): return Double(int)
    case .double(let double): return double
    default: throw EvokeError(.type, "the list holds \(value.briefly), which is no number")
    }
  }

  /// The least or greatest of values: numbers, or strings.
  private static func extreme(
    _ values: [Value], _ operation: BinaryOperator, _ context: Context
  ) throws -> Value {
    guard var best = values.first else {
      throw EvokeError(.value, "an empty list has no extreme element")
    }
    if case .double(let number) = best, number.isNaN { return best }
    for value in values.dropFirst() {
      if case .double(let number) = value, number.isNaN { return value }
      if case .bool(true) = try Operators.apply(operation, value, best, context.limits) {
        best = value
      }
    }
    if values.count == 1 {
      switch best {
      case .int, .double, .string: break
      default: _ = try number(best)
      }
    }
    return best
  }

  private static func extremes(
    _ name: String, _ summary: String, _ operation: BinaryOperator,
    _ tensor: @escaping @Sendable (Tensor, [Int]?, Bool) throws -> Tensor
  ) -> Builtin {
    Builtin(
      name, topic: "Numbers", summary: summary,
      parameters: [
        Parameter("x", .any, "a tensor, a list, or the first of several numbers"),
        Parameter(rest: "others", .number | .string, "further numbers"),
        axisParameters[1], axisParameters[2],
      ], returns: .any, example: "\(name)(3, 1, 2)"
    ) { arguments, context in
      let others = try arguments.list("others")
      switch arguments["x"] {
      case .list where others.isEmpty, .range where others.isEmpty:
        let values = try Elements(arguments["x"], context.limits).array(context.limits)
        return try extreme(values, operation, context)
      case .int, .double, .string:
        return try extreme([arguments["x"]] + others, operation, context)
      default:
        let value = try arguments.tensor("x")
        guard value.count > 0 else {
          throw arguments.error("x", .value, "an empty tensor has no extreme element")
        }
        let axes = try axes(arguments, rank: value.rank)
        return Elements.value(of: try tensor(value, axes, try arguments.bool("keep")))
      }
    }
  }

  static let reductions = [
    reduction(
      "sum", "The sum of numbers, or of a tensor's elements along axes", "sum([1, 2, 3])",
      list: { values, context in
        var sum = Value.int(0)
        for value in values { sum = try Operators.apply(.add, sum, value, context.limits) }
        return sum
      },
      tensor: { try $0.sum(axes: $1, keepingAxes: $2) }),
    reduction(
      "mean", "The mean of numbers, or of a tensor's elements along axes", "mean([1, 2, 4])",
      list: { values, _ in
        guard !values.isEmpty else { throw EvokeError(.value, "an empty list has no mean") }
        var sum = 0.0
        for value in values { sum += try number(value) }
        return .double(sum / Double(values.count))
      },
      tensor: { try $0.mean(axes: $1, keepingAxes: $2) }),
    reduction(
      "std", "The standard deviation (of the whole population)", "std([1, 2, 4])",
      list: { values, _ in
        guard !values.isEmpty else { throw EvokeError(.value, "an empty list has no deviation") }
        let numbers = try values.map(number)
        let mean = numbers.reduce(0, +) / Double(numbers.count)
        var squares = 0.0
        for number in numbers { squares += (number - mean) * (number - mean) }
        return .double((squares / Double(numbers.count)).squareRoot())
      },
      tensor: { try $0.std(axes: $1, keepingAxes: $2) }),
    extremes(
      "min", "The least of numbers, or of a tensor's elements along axes", .less,
      { try $0.min(axes: $1, keepingAxes: $2) }),
    extremes(
      "max", "The greatest of numbers, or of a tensor's elements along axes", .greater,
      { try $0.max(axes: $1, keepingAxes: $2) }),
  ]
}
