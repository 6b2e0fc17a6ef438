import Tensors

/// The builtins that every program has, one file a topic.
enum CoreBuiltins {
  static let all = session + numbers + lists + strings + records + tensors + random

  static let session = [
    Builtin(
      "print", topic: "Session", summary: "Writes values on one line, with spaces between",
      parameters: [Parameter(rest: "values", .any, "what to write")], returns: .none,
      example: "print(\"loss\", 0.25)"
    ) { arguments, context in
      var line = ""
      for (index, value) in try arguments.list("values").enumerated() {
        line += (index > 0 ? " " : "") + value.description
        if line.utf8.count > context.limits.stringBytes { throw Operators.tooLong(context.limits) }
      }
      try context.print(line)
      return .none
    },
    Builtin(
      "seed", topic: "Session",
      summary:
        "Sets the seed of the session, from which every draw without a seed of its own comes",
      parameters: [Parameter("seed", .int, "any whole number")], returns: .none,
      example: "seed(7)"
    ) { arguments, context in
      context.setSessionSeed(try arguments.int("seed"))
      return .none
    },
    Builtin(
      "type", topic: "Session", summary: "The name of a value's type",
      parameters: [Parameter("value", .any, "any value")], returns: .string,
      example: "type([1, 2])"
    ) { arguments, _ in .string(arguments["value"].typeName) },
    Builtin(
      "digest", topic: "Session",
      summary: "SHA-256 over a value's bytes, of which echo lines show the first 8 digits",
      parameters: [Parameter("value", .any, "any value")], returns: .string,
      example: "digest([1, 2, 3])"
    ) { arguments, context in .string(try context.digest(of: arguments["value"])) },
    Builtin(
      "check", topic: "Session", summary: "Fails unless a condition holds",
      parameters: [
        Parameter("condition", .bool, "what must be true"),
        Parameter("message", .string, default: "the check failed", "what to say if it is not"),
      ], returns: .none, example: "check(1 + 1 == 2, \"arithmetic is broken\")"
    ) { arguments, _ in
      guard try arguments.bool("condition") else {
        let message = try arguments.string("message")
        throw arguments.error(
          "condition", .value, message.isEmpty ? "the check failed" : message)
      }
      return .none
    },
  ]
}

/// Bodies that several builtins share.
enum Bodies {
  /// Applies a function of numbers to a number, or to every element of a tensor.
  static func elementwise(
    _ number: @escaping @Sendable (Double) -> Double,
    _ tensor: @escaping @Sendable (Tensor) -> Tensor
  ) -> Builtin.Body {
    { arguments, _ in
      switch arguments["x"] {
      case .int(let value): return try finite(number(Double(value)), arguments)
      case .double(let value): return try finite(number(value), arguments)
      default: return .tensor(tensor(try arguments.tensor("x")))
      }
    }
  }

  private static func finite(_ value: Double, _ arguments: Arguments) throws -> Value {
    if value.isNaN, !((try? arguments.double("x"))?.isNaN ?? false) {
      throw arguments.error(
        "x", .numeric, "\(arguments.builtin.name) of \(arguments["x"].description) is no number")
    }
    return .double(value)
  }

  /// Rounds numbers to ints.
  static func rounding(_ rule: FloatingPointRoundingRule) -> Builtin.Body {
    { arguments, _ in
      switch arguments["x"] {
      case .int(let value): return .int(value)
      case .double(let value): return .int(try int(value.rounded(rule), arguments))
      default:
        let tensor = try arguments.tensor("x")
        return .tensor(tensor.mapped { $0.rounded(rule) })
      }
    }
  }

  /// A whole Double as an int.
  static func int(_ value: Double, _ arguments: Arguments) throws -> Int {
    guard let int = Int(exactly: value) else {
      throw arguments.error("x", .numeric, "\(plainText(value)) does not fit into an int")
    }
    return int
  }
}

extension Tensor {
  /// The tensor with `body` applied to every element.
  func mapped(_ body: (Float) -> Float) -> Tensor {
    Tensor(shape: shape) { to in
      withUnsafeValues { from in
        for index in 0..<from.count { to[index] = body(from[index]) }
      }
    }
  }
}
