import Tensors

extension CoreBuiltins {
  private static func function(
    _ name: String, _ summary: String, _ example: String,
    _ number: @escaping @Sendable (Double) -> Double,
    _ tensor: @escaping @Sendable (Tensor) -> Tensor
  ) -> Builtin {
    Builtin(
      name, topic: "Numbers", summary: summary + ", of a number or of every element",
      parameters: [Parameter("x", .number | .tensor, "a number or a tensor")],
      returns: .number | .tensor, example: example, body: Bodies.elementwise(number, tensor))
  }

  private static func rounding(
    _ name: String, _ summary: String, _ rule: FloatingPointRoundingRule
  ) -> Builtin {
    Builtin(
      name, topic: "Numbers", summary: summary,
      parameters: [Parameter("x", .number | .tensor, "a number or a tensor")],
      returns: .int | .tensor, example: "\(name)(2.5)", body: Bodies.rounding(rule))
  }

  static let numbers =
    [
      function("sqrt", "The square root", "sqrt(2)", { $0.squareRoot() }, { $0.sqrt() }),
      function("exp", "e to the power", "exp(1)", { Elementary.exp($0) }, { $0.exp() }),
      function("log", "The natural logarithm", "log(2)", { Elementary.log($0) }, { $0.log() }),
      function("sin", "The sine", "sin(0.5)", { Elementary.sin($0) }, { $0.sin() }),
      function("cos", "The cosine", "cos(0.5)", { Elementary.cos($0) }, { $0.cos() }),
      function(
        "tanh", "The hyperbolic tangent", "tanh(0.5)", { Elementary.tanh($0) }, { $0.tanh() }),
      rounding("round", "The nearest whole number, halves to the even one", .toNearestOrEven),
      rounding("floor", "The largest whole number not above", .down),
      rounding("ceil", "The smallest whole number not below", .up),
      Builtin(
        "abs", topic: "Numbers", summary: "The absolute value, of a number or of every element",
        parameters: [Parameter("x", .number | .tensor, "a number or a tensor")],
        returns: .number | .tensor, example: "abs(-3)"
      ) { arguments, _ in
        switch arguments["x"] {
        case .int(let value):
          guard value != .min else { throw Operators.overflow("abs(\(value))") }
          return .int(abs(value))
        case .double(let value): return .double(value.magnitude)
        default: return .tensor(try arguments.tensor("x").abs())
        }
      },
      Builtin(
        "int", topic: "Numbers", summary: "A whole number from a number (cut off) or from text",
        parameters: [Parameter("x", .number | .string | .bool, "a number, text, true or false")],
        returns: .int, example: "int(\"42\")"
      ) { arguments, _ in
        switch arguments["x"] {
        case .double(let value): return .int(try Bodies.int(value.rounded(.towardZero), arguments))
        case .bool(let value): return .int(value ? 1 : 0)
        case .string(let text):
          guard let value = Int(text) else {
            throw arguments.error("x", .value, "\(quoted(text)) is no whole number")
          }
          return .int(value)
        case let value: return value
        }
      },
      Builtin(
        "double", topic: "Numbers", summary: "A floating-point number from a number or from text",
        parameters: [Parameter("x", .number | .string, "a number or text")], returns: .number,
        example: "double(\"0.5\")"
      ) { arguments, _ in
        if case .string(let text) = arguments["x"] {
          guard let value = Double(text), !text.contains(where: { $0 == "x" || $0 == "X" }) else {
            throw arguments.error("x", .value, "\(quoted(text)) is no number")
          }
          return .double(value)
        }
        return .double(try arguments.double("x"))
      },
      Builtin(
        "format", topic: "Numbers", summary: "A number as text with so many digits",
        parameters: [
          Parameter("x", .number, "the number"),
          Parameter(label: "digits", .int, default: 4, "significant digits, 1 to 17"),
          Parameter(label: "decimals", .int, default: .none, "digits behind the point instead"),
        ], returns: .string, example: "format(2 / 3, decimals: 2)"
      ) { arguments, _ in
        let number = try arguments.double("x")
        if arguments.has("decimals") {
          return .string(formatted(number, decimals: try arguments.int("decimals", in: 0...17)))
        }
        return .string(formatted(number, significant: try arguments.int("digits", in: 1...17)))
      },
    ] + reductions
}
