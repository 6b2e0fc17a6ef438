import Tensors

extension CoreBuiltins {
  private static let tensorParameter = Parameter("t", .tensor, "a tensor")
  private static let shapeParameter = Parameter(
    "shape", .list(.int) | .int, "the extent of every axis")

  private static func shape(_ arguments: Arguments, _ context: Context) throws -> [Int] {
    let shape = try arguments.ints("shape")
    do {
      try Operators.checkSize(shape, context.limits)
    } catch let error as EvokeError {
      throw ArgumentError(parameter: "shape", error: error)
    }
    return shape
  }

  static let tensors = making + reshaping + looking

  private static let making = [
    Builtin(
      "tensor", topic: "Tensors", summary: "A tensor of numbers, from lists nested as deep as axes",
      parameters: [Parameter("values", .any, "a number, a range, or lists of numbers")],
      returns: .tensor, example: "tensor([[1, 2], [3, 4]])"
    ) { arguments, context in
      if case .object = arguments["values"] { return .tensor(try arguments.tensor("values")) }
      var flat: [Float] = []
      var shape: [Int] = []
      try flatten(arguments["values"], 0, &shape, &flat, arguments, context)
      guard flat.count == shape.reduce(1, *) else {
        throw arguments.error(
          "values", .shape, "the lists are not all equally long and deep")
      }
      return .tensor(Tensor(shape: shape, values: flat))
    },
    Builtin(
      "zeros", topic: "Tensors", summary: "A tensor of zeros", parameters: [shapeParameter],
      returns: .tensor, example: "zeros([2, 3])"
    ) { arguments, context in .tensor(Tensor(zeros: try shape(arguments, context))) },
    Builtin(
      "ones", topic: "Tensors", summary: "A tensor of ones", parameters: [shapeParameter],
      returns: .tensor, example: "ones([2, 3])"
    ) { arguments, context in
      .tensor(Tensor(repeating: 1, shape: try shape(arguments, context)))
    },
    Builtin(
      "linspace", topic: "Tensors", summary: "Numbers at equal distances, both ends included",
      parameters: [
        Parameter("from", .number, "the first number"), Parameter("to", .number, "the last one"),
        Parameter(label: "count", .int, default: 50, "how many"),
      ], returns: .tensor, example: "linspace(0, 1, count: 11)"
    ) { arguments, context in
      let (from, to) = (try arguments.double("from"), try arguments.double("to"))
      let count = try arguments.int("count", in: 2...context.limits.elements)
      let values = (0..<count).map { Float(from + (to - from) * Double($0) / Double(count - 1)) }
      return .tensor(Tensor(shape: [count], values: values))
    },
  ]

  /// Collects the numbers of nested lists, which must all be of one shape.
  private static func flatten(
    _ value: Value, _ level: Int, _ shape: inout [Int], _ flat: inout [Float],
    _ arguments: Arguments, _ context: Context
  ) throws {
    func ragged() -> ArgumentError {
      arguments.error("values", .shape, "the lists are not all equally long and deep")
    }
    switch value {
    case .int, .double:
      guard level == shape.count else { throw ragged() }
      if case .int(let int) = value { flat.append(Float(int)) }
      if case .double(let double) = value { flat.append(Float(double)) }
    case .list, .range:
      let elements = try Elements(value, context.limits)
      if flat.isEmpty, level == shape.count {
        shape.append(elements.count)
        try Operators.checkSize(shape, context.limits)
      }
      guard level < shape.count, shape[level] == elements.count else { throw ragged() }
      try context.step(elements.count)
      for index in 0..<elements.count {
        try flatten(try elements[index], level + 1, &shape, &flat, arguments, context)
      }
    case .tensor(let tensor):
      if flat.isEmpty, level == shape.count {
        shape += tensor.shape
        try Operators.checkSize(shape, context.limits)
      }
      guard Array(shape.dropFirst(level)) == tensor.shape else { throw ragged() }
      flat += tensor.values
    default:
      throw arguments.error(
        "values", .type, "a tensor is made of numbers, not of \(value.briefly)")
    }
  }

  private static let reshaping = [
    Builtin(
      "reshape", topic: "Tensors", summary: "The same elements in another shape",
      parameters: [
        tensorParameter,
        Parameter("shape", .list(.int) | .int, "the new extents; one may be -1 for the rest"),
      ], returns: .tensor, example: "reshape(tensor(0..<6), [2, -1])"
    ) { arguments, _ in
      let tensor = try arguments.tensor("t")
      return .tensor(tensor.reshaped(try newShape(try arguments.ints("shape"), tensor, arguments)))
    },
    Builtin(
      "transpose", topic: "Tensors",
      summary: "The axes in another order, reversed if none is given",
      parameters: [
        tensorParameter,
        Parameter("axes", .list(.int), default: .none, "the old axes in their new order"),
      ], returns: .tensor, example: "transpose(tensor([[1, 2], [3, 4]]))"
    ) { arguments, _ in
      let tensor = try arguments.tensor("t")
      let axes =
        arguments.has("axes") ? try arguments.ints("axes") : (0..<tensor.rank).reversed()
      guard axes.sorted() == Array(0..<tensor.rank) else {
        throw arguments.error(
          "axes", .shape, "\(axes) is no order of the axes 0..<\(tensor.rank)")
      }
      return .tensor(tensor.transposed(axes))
    },
    Builtin(
      "concatenate", topic: "Tensors", summary: "Tensors one behind the other along an axis",
      parameters: [
        Parameter("parts", .list(.tensor), "tensors of the same shape but for that axis"),
        Parameter(label: "axis", .int, default: 0, "the axis to join along"),
      ], returns: .tensor, example: "concatenate([zeros([1, 2]), ones([3, 2])])"
    ) { arguments, context in
      let parts = try tensorList(arguments)
      let rank = parts[0].rank
      let given = try arguments.int("axis")
      let axis = given < 0 ? given + rank : given
      guard axis >= 0, axis < rank else {
        throw arguments.error("axis", .shape, "there is no axis \(given) in \(rank) axes")
      }
      for part in parts {
        var (a, b) = (part.shape, parts[0].shape)
        guard a.count == rank else { throw differentShapes(arguments, parts[0], part) }
        a[axis] = 0
        b[axis] = 0
        guard a == b else { throw differentShapes(arguments, parts[0], part) }
      }
      var total = parts[0].shape
      total[axis] = 0
      for part in parts { total[axis] = total[axis] &+ part.shape[axis] }
      try Operators.checkSize(total, context.limits)
      return .tensor(Tensor.concatenated(parts, axis: axis))
    },
    Builtin(
      "stack", topic: "Tensors", summary: "Tensors of one shape as rows of a new first axis",
      parameters: [Parameter("parts", .list(.tensor), "tensors of one shape")], returns: .tensor,
      example: "stack([zeros([2]), ones([2])])"
    ) { arguments, context in
      let parts = try tensorList(arguments)
      for part in parts where part.shape != parts[0].shape {
        throw differentShapes(arguments, parts[0], part)
      }
      try Operators.checkSize([parts.count] + parts[0].shape, context.limits)
      return .tensor(Tensor.stacked(parts))
    },
  ]

  private static func tensorList(_ arguments: Arguments) throws -> [Tensor] {
    let parts = try arguments.list("parts").map { value -> Tensor in
      switch value {
      case .tensor(let tensor): return tensor
      case .object(let object):
        if let tensor = object.asTensor { return tensor }
      default: break
      }
      throw arguments.error("parts", .type, "\(value.briefly) is no tensor")
    }
    guard !parts.isEmpty else { throw arguments.error("parts", .value, "the list is empty") }
    return parts
  }

  private static func differentShapes(
    _ arguments: Arguments, _ a: Tensor, _ b: Tensor
  ) -> ArgumentError {
    arguments.error("parts", .shape, "the shapes \(a.shape) and \(b.shape) do not fit together")
  }

  private static func newShape(
    _ wanted: [Int], _ tensor: Tensor, _ arguments: Arguments
  ) throws -> [Int] {
    func misfit() -> ArgumentError {
      arguments.error(
        "shape", .shape,
        "\(counted(tensor.count, "element")) of shape \(tensor.shape) do not fit into \(wanted)")
    }
    var known = 1
    for extent in wanted where extent != -1 {
      let (product, overflow) = known.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else { throw misfit() }
      known = product
    }
    guard wanted.count <= 8, wanted.count(where: { $0 == -1 }) <= 1 else { throw misfit() }
    guard wanted.contains(-1) else {
      guard known == tensor.count else { throw misfit() }
      return wanted
    }
    guard known > 0, tensor.count % known == 0 else { throw misfit() }
    return wanted.map { $0 == -1 ? tensor.count / known : $0 }
  }

  private static let looking = [
    Builtin(
      "norm", topic: "Tensors", summary: "The Euclidean length of all elements",
      parameters: [tensorParameter], returns: .number, example: "norm(tensor([3, 4]))"
    ) { arguments, _ in
      try arguments.tensor("t").withUnsafeValues { values in
        var squares = 0.0
        for value in values { squares += Double(value) * Double(value) }
        return .double(squares.squareRoot())
      }
    },
    Builtin(
      "argmax", topic: "Tensors", summary: "The place of the greatest of a vector's elements",
      parameters: [Parameter("t", .tensor, "a tensor with one axis")], returns: .int,
      example: "argmax(tensor([1, 3, 2]))"
    ) { arguments, _ in .int(try place(arguments) { $0 > $1 }) },
    Builtin(
      "argmin", topic: "Tensors", summary: "The place of the least of a vector's elements",
      parameters: [Parameter("t", .tensor, "a tensor with one axis")], returns: .int,
      example: "argmin(tensor([1, 3, 2]))"
    ) { arguments, _ in .int(try place(arguments) { $0 < $1 }) },
    Builtin(
      "numbers", topic: "Tensors", summary: "A vector's elements as a list of numbers",
      parameters: [Parameter("t", .tensor, "a tensor; read in row-major order")],
      returns: .list(.number), example: "numbers(tensor([1, 2]))"
    ) { arguments, context in
      let tensor = try arguments.tensor("t")
      guard tensor.count <= context.limits.elements else { throw Operators.tooLong(context.limits) }
      return .list(List(tensor.values.map { .double(Double($0)) }, depth: 1))
    },
  ]

  private static func place(
    _ arguments: Arguments, _ isBetter: (Float, Float) -> Bool
  ) throws -> Int {
    let tensor = try arguments.tensor("t")
    guard tensor.rank == 1, tensor.count > 0 else {
      throw arguments.error(
        "t", .shape, "this needs a tensor with one axis and elements, not shape \(tensor.shape)")
    }
    return tensor.withUnsafeValues { values in
      var best = 0
      for index in 1..<max(1, values.count) where isBetter(values[index], values[best]) {
        best = index
      }
      return best
    }
  }
}
