import Tensors

extension CoreBuiltins {
  private static let sequence: ValueType = .any

  private static func elements(_ arguments: Arguments, _ context: Context) throws -> [Value] {
    let values = try Elements(arguments["list"], context.limits).array(context.limits)
    try context.step(values.count)
    return values
  }

  private static func listFunction(
    _ name: String, _ summary: String, _ parameters: [Parameter], returns: ValueType = .list,
    _ example: String, body: @escaping @Sendable ([Value], Arguments, Context) throws -> Value
  ) -> Builtin {
    Builtin(
      name, topic: "Lists", summary: summary,
      parameters: [Parameter("list", sequence, "a list, or anything with elements")] + parameters,
      returns: returns, example: example
    ) { arguments, context in
      try body(try elements(arguments, context), arguments, context)
    }
  }

  static let lists = [
    Builtin(
      "count", topic: "Lists", summary: "How many elements a value has",
      parameters: [Parameter("list", sequence, "a list, or anything with elements")],
      returns: .int, example: "count([1, 2, 3])"
    ) { arguments, context in
      if case .string(let text) = arguments["list"] { return .int(text.count) }
      return .int(try Elements(arguments["list"], context.limits).count)
    },
    listFunction("list", "The elements of a value as a list", [], "list(0..<5)") { values, _, _ in
      .list(List(values))
    },
    listFunction(
      "append", "The list with elements added at its end",
      [Parameter(rest: "values", .any, "what to add")], "append([1, 2], 3)"
    ) { values, arguments, context in
      let added = try arguments.list("values")
      guard values.count + added.count <= context.limits.elements else {
        throw Operators.tooLong(context.limits)
      }
      return .list(List(values + added))
    },
    listFunction(
      "map", "The list of what a function makes of every element",
      [Parameter("function", .function, "takes an element")], "map([1, 2], x => x * x)"
    ) { values, arguments, context in
      let function = try arguments.function("function")
      return .list(List(try values.map { try context.call(function, [$0]) }))
    },
    listFunction(
      "filter", "The elements for which a function says true",
      [Parameter("function", .function, "takes an element")], "filter(0..<9, x => x % 2 == 0)"
    ) { values, arguments, context in
      let function = try arguments.function("function")
      return .list(
        List(
          try values.filter { value in
            guard case .bool(let keep) = try context.call(function, [value]) else {
              throw arguments.error("function", .type, "the function must return true or false")
            }
            return keep
          }))
    },
    listFunction(
      "reduce", "Combines all elements with a function of two, from the left",
      [
        Parameter("function", .function, "takes what there is so far and an element"),
        Parameter(label: "start", .any, default: .none, "what to begin with"),
      ], returns: .any, "reduce([1, 2, 3], (a, b) => a * b, start: 1)"
    ) { values, arguments, context in
      let function = try arguments.function("function")
      var rest = values[...]
      var result = arguments["start"]
      if result.isNone {
        guard let first = rest.popFirst() else {
          throw arguments.error(
            "list", .value, "an empty list needs a start", hint: "give `start:`")
        }
        result = first
      }
      for value in rest { result = try context.call(function, [result, value]) }
      return result
    },
    listFunction(
      "sorted", "The elements in ascending order; equal ones keep their order",
      [
        Parameter(
          label: "by", .function, default: .none, "what to compare instead of the elements"),
        Parameter(label: "descending", .bool, default: false, "whether the greatest come first"),
      ], "sorted([3, 1, 2])"
    ) { values, arguments, context in
      try sorted(values, arguments, context)
    },
    listFunction("reversed", "The elements in reverse order", [], "reversed([1, 2, 3])") {
      values, _, _ in .list(List(values.reversed()))
    },
    listFunction(
      "unique", "The elements without repetitions, each where it is first", [], "unique([1, 2, 1])"
    ) { values, _, context in
      var seen: Set<String> = []
      return .list(List(try values.filter { seen.insert(try context.digest(of: $0)).inserted }))
    },
    listFunction(
      "zip", "Pairs of elements at the same place, as long as the shorter list",
      [Parameter("other", .any, "another list")], "zip([1, 2], [\"a\", \"b\"])"
    ) { values, arguments, context in
      let other = try Elements(arguments["other"], context.limits).array(context.limits)
      return .list(List(zip(values, other).map { .list([$0, $1]) }))
    },
    listFunction(
      "enumerated", "Pairs of place and element", [], "enumerated([\"a\", \"b\"])"
    ) { values, _, _ in
      .list(List(values.enumerated().map { .list([.int($0.offset), $0.element]) }))
    },
    Builtin(
      "repeated", topic: "Lists", summary: "A list of one value many times",
      parameters: [
        Parameter("value", .any, "the value"), Parameter("times", .int, "how many times"),
      ], returns: .list, example: "repeated(0, 5)"
    ) { arguments, context in
      let times = try arguments.int("times", in: 0...context.limits.elements)
      let value = arguments["value"]
      return .list(
        List([Value](repeating: value, count: times), depth: times == 0 ? 1 : value.depth + 1))
    },
  ]

  private static func sorted(
    _ values: [Value], _ arguments: Arguments, _ context: Context
  ) throws -> Value {
    var keys = values
    if arguments.has("by") {
      let function = try arguments.function("by")
      keys = try values.map { try context.call(function, [$0]) }
    }
    let descending = try arguments.bool("descending")
    func precedes(_ a: Value, _ b: Value) throws -> Bool {
      try context.step(min(a.shallowBytes, b.shallowBytes) >> 12)
      guard case .bool(let result) = try Operators.apply(.less, a, b, context.limits) else {
        throw arguments.error("list", .type, "only numbers and strings can be sorted")
      }
      return result
    }
    if let first = keys.first { _ = try precedes(first, first) }
    let places = try keys.indices.sorted { a, b in
      if try precedes(keys[a], keys[b]) { return !descending }
      if try precedes(keys[b], keys[a]) { return descending }
      return a < b
    }
    return .list(List(places.map { values[$0] }))
  }
}
