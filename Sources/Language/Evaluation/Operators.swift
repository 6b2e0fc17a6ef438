import Tensors

/// What the operators do with values. Numbers first; tensors broadcast; errors name both sides.
enum Operators {
  /// Applies a binary operator other than `==`, `!=`, `in` and `not in`.
  static func apply(
    _ operation: BinaryOperator, _ a: Value, _ b: Value, _ limits: Limits
  ) throws -> Value {
    switch (a, b) {
    case (.int(let x), .int(let y)): return try ints(operation, x, y)
    case (.int(let x), .double(let y)): return try doubles(operation, Double(x), y)
    case (.double(let x), .int(let y)): return try doubles(operation, x, Double(y))
    case (.double(let x), .double(let y)): return try doubles(operation, x, y)
    case (.string(let x), .string(let y)):
      if let result = try strings(operation, x, y, limits) { return result }
    case (.list(let x), .list(let y)) where operation == .add:
      guard x.count + y.count <= limits.elements else { throw tooLong(limits) }
      return .list(List(x.elements + y.elements, depth: max(x.depth, y.depth)))
    case (.record(let x), .record(let y)) where operation == .add:
      return .record(Record((x.fields + y.fields).map { ($0.key, $0.value) }))
    default:
      if let x = operand(a), let y = operand(b), isTensor(a) || isTensor(b) {
        return .tensor(try tensors(operation, x, y, limits))
      }
    }
    throw mismatch(operation, a, b)
  }

  // MARK: - Numbers

  private static func ints(_ operation: BinaryOperator, _ x: Int, _ y: Int) throws -> Value {
    let result: (partialValue: Int, overflow: Bool)
    switch operation {
    case .add: result = x.addingReportingOverflow(y)
    case .subtract: result = x.subtractingReportingOverflow(y)
    case .multiply: result = x.multipliedReportingOverflow(by: y)
    case .divide:
      guard y != 0 else { throw divisionByZero }
      return .double(Double(x) / Double(y))
    case .floorDivide:
      guard y != 0 else { throw divisionByZero }
      result = x.dividedReportingOverflow(by: y)
      if !result.overflow, x % y != 0, (x < 0) != (y < 0) { return .int(result.partialValue - 1) }
    case .modulo:
      guard y != 0 else { throw divisionByZero }
      if y == -1 { return .int(0) }
      let remainder = x % y
      return .int(remainder != 0 && (remainder < 0) != (y < 0) ? remainder + y : remainder)
    case .power:
      guard y >= 0 else { return try doubles(operation, Double(x), Double(y)) }
      return .int(try power(x, y))
    case .less: return .bool(x < y)
    case .lessEqual: return .bool(x <= y)
    case .greater: return .bool(x > y)
    case .greaterEqual: return .bool(x >= y)
    default: throw mismatch(operation, .int(x), .int(y))
    }
    if result.overflow { throw overflow("\(x) \(operation.rawValue) \(y)") }
    return .int(result.partialValue)
  }

  private static func power(_ base: Int, _ exponent: Int) throws -> Int {
    var result = 1
    var (square, rest) = (base, exponent)
    while rest > 0 {
      var overflowed = false
      if rest & 1 == 1 { (result, overflowed) = result.multipliedReportingOverflow(by: square) }
      if overflowed { throw overflow("\(base) ^ \(exponent)") }
      rest >>= 1
      if rest > 0 { (square, overflowed) = square.multipliedReportingOverflow(by: square) }
      if overflowed { throw overflow("\(base) ^ \(exponent)") }
    }
    return result
  }

  private static func doubles(
    _ operation: BinaryOperator, _ x: Double, _ y: Double
  ) throws -> Value {
    switch operation {
    case .add: return .double(x + y)
    case .subtract: return .double(x - y)
    case .multiply: return .double(x * y)
    case .divide:
      guard y != 0 else { throw divisionByZero }
      return .double(x / y)
    case .floorDivide:
      guard y != 0 else { throw divisionByZero }
      return .double((x / y).rounded(.down))
    case .modulo:
      guard y != 0 else { throw divisionByZero }
      let remainder = x.truncatingRemainder(dividingBy: y)
      return .double(remainder != 0 && (remainder < 0) != (y < 0) ? remainder + y : remainder)
    case .power:
      let result = Elementary.pow(x, y)
      guard !result.isNaN || x.isNaN || y.isNaN else {
        throw EvokeError(
          .numeric, "\(plainText(x)) ^ \(plainText(y)) is no real number",
          hint: "a negative base takes whole exponents only")
      }
      return .double(result)
    case .less: return .bool(x < y)
    case .lessEqual: return .bool(x <= y)
    case .greater: return .bool(x > y)
    case .greaterEqual: return .bool(x >= y)
    default: throw mismatch(operation, .double(x), .double(y))
    }
  }

  private static func strings(
    _ operation: BinaryOperator, _ x: String, _ y: String, _ limits: Limits
  ) throws -> Value? {
    switch operation {
    case .add:
      guard x.utf8.count + y.utf8.count <= limits.stringBytes else { throw tooLong(limits) }
      return .string(x + y)
    case .less: return .bool(precedes(x, y))
    case .lessEqual: return .bool(!precedes(y, x))
    case .greater: return .bool(precedes(y, x))
    case .greaterEqual: return .bool(!precedes(x, y))
    default: return nil
    }
  }

  /// Strings are ordered by their UTF-8 bytes, the order of their code points.
  static func precedes(_ x: String, _ y: String) -> Bool {
    x.utf8.lexicographicallyPrecedes(y.utf8)
  }

  // MARK: - Signs

  static func negate(_ value: Value) throws -> Value {
    switch value {
    case .int(let int):
      guard int != .min else { throw overflow("-(\(int))") }
      return .int(-int)
    case .double(let double): return .double(-double)
    default:
      if let tensor = operand(value) { return .tensor(tensor.negated()) }
      throw EvokeError(.type, "`-` takes a number or a tensor, not \(value.briefly)")
    }
  }

  // MARK: - Tensors

  private static func isTensor(_ value: Value) -> Bool {
    switch value {
    case .tensor: true
    case .object(let object): object.asTensor != nil
    default: false
    }
  }

  /// The tensor that a value stands for in arithmetic; a number is a tensor without axes.
  private static func operand(_ value: Value) -> Tensor? {
    switch value {
    case .tensor(let tensor): tensor
    case .object(let object): object.asTensor
    case .int(let int): Tensor(shape: [], values: [Float(int)])
    case .double(let double): Tensor(shape: [], values: [Float(double)])
    default: nil
    }
  }

  private static func tensors(
    _ operation: BinaryOperator, _ x: Tensor, _ y: Tensor, _ limits: Limits
  ) throws -> Tensor {
    if operation == .matrixMultiply {
      try checkProduct(x, y, limits)
      return try Tensor.matmul(x, y)
    }
    try checkBroadcast(x, y, limits)
    switch operation {
    case .add: return try Tensor.add(x, y)
    case .subtract: return try Tensor.subtract(x, y)
    case .multiply: return try Tensor.multiply(x, y)
    case .divide: return try Tensor.divide(x, y)
    case .power: return try elementwise(x, y) { Elementary.pow($0, $1) }
    case .floorDivide: return try elementwise(x, y) { ($0 / $1).rounded(.down) }
    case .modulo:
      return try elementwise(x, y) { a, b in
        let remainder = a.truncatingRemainder(dividingBy: b)
        return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder
      }
    case .less: return try elementwise(x, y) { $0 < $1 ? 1 : 0 }
    case .lessEqual: return try elementwise(x, y) { $0 <= $1 ? 1 : 0 }
    case .greater: return try elementwise(x, y) { $0 > $1 ? 1 : 0 }
    case .greaterEqual: return try elementwise(x, y) { $0 >= $1 ? 1 : 0 }
    default: throw mismatch(operation, .tensor(x), .tensor(y))
    }
  }

  private static func elementwise(
    _ x: Tensor, _ y: Tensor, _ body: (Float, Float) -> Float
  ) throws -> Tensor {
    let a = x.shape == y.shape ? x : try Tensor.add(x, Tensor(zeros: y.shape))
    let b = a.shape == y.shape ? y : try Tensor.add(y, Tensor(zeros: x.shape))
    return Tensor(shape: a.shape) { to in
      a.withUnsafeValues { p in
        b.withUnsafeValues { q in
          for i in 0..<p.count { to[i] = body(p[i], q[i]) }
        }
      }
    }
  }

  /// Refuses a broadcast whose result would be too large, before memory is asked for.
  private static func checkBroadcast(_ x: Tensor, _ y: Tensor, _ limits: Limits) throws {
    try checkSize(broadcastShape(x, y), limits)
  }

  private static func broadcastShape(_ x: Tensor, _ y: Tensor) -> [Int] {
    var shape: [Int] = []
    let rank = max(x.rank, y.rank)
    for axis in 0..<rank {
      let a = axis - (rank - x.rank)
      let b = axis - (rank - y.rank)
      shape.append(max(a >= 0 ? x.shape[a] : 1, b >= 0 ? y.shape[b] : 1))
    }
    return shape
  }

  private static func checkProduct(_ x: Tensor, _ y: Tensor, _ limits: Limits) throws {
    try checkSize(productShape(x, y), limits)
  }

  /// At least as large as the product's shape, whether or not the shapes fit together.
  private static func productShape(_ x: Tensor, _ y: Tensor) -> [Int] {
    x.shape.dropLast(2) + y.shape.dropLast(2)
      + [x.rank > 1 ? x.shape[x.rank - 2] : 1, y.rank > 1 ? y.shape[y.rank - 1] : 1]
  }

  /// The bytes and the steps that arithmetic with tensors takes; nil for other values.
  ///
  /// - Throws: `EvokeError` (shape) if the result would be too large.
  static func cost(
    _ operation: BinaryOperator, _ a: Value, _ b: Value, _ limits: Limits
  ) throws -> (bytes: Int, steps: Int)? {
    guard isTensor(a) || isTensor(b), let x = operand(a), let y = operand(b) else { return nil }
    let isProduct = operation == .matrixMultiply
    let shape = isProduct ? productShape(x, y) : broadcastShape(x, y)
    try checkSize(shape, limits)
    let count = shape.reduce(1, *)
    let bytes = (count + x.count + y.count) * 4
    return (bytes, isProduct ? count / 256 * (x.shape.last ?? 1) / 256 : bytes >> 12)
  }

  /// Refuses a shape with a negative extent, too many axes, or more elements than the limit.
  ///
  /// - Throws: `EvokeError` (shape).
  static func checkSize(_ shape: [Int], _ limits: Limits) throws {
    guard shape.count <= 8 else {
      throw EvokeError(.shape, "a tensor has at most 8 axes, not \(shape.count)")
    }
    var count = 1
    for extent in shape {
      guard extent >= 0 else {
        throw EvokeError(.shape, "the shape \(shape) has a negative extent")
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: max(1, extent))
      guard !overflow, product <= limits.tensorElements else {
        throw EvokeError(
          .shape,
          "a tensor of shape \(shape) would have more than \(limits.tensorElements) elements")
      }
      count = product
    }
  }

  // MARK: - Errors

  private static let divisionByZero = EvokeError(.numeric, "division by zero")

  static func overflow(_ text: String) -> EvokeError {
    EvokeError(
      .numeric, "\(text) does not fit into an int",
      hint: "compute with doubles: write a number with a decimal point")
  }

  static func tooLong(_ limits: Limits) -> EvokeError {
    EvokeError(
      .value,
      "this would be too long: lists have at most \(limits.elements) elements, "
        + "strings \(limits.stringBytes) bytes")
  }

  private static func mismatch(_ operation: BinaryOperator, _ a: Value, _ b: Value) -> EvokeError {
    var hint: String?
    if operation == .add {
      if case .string = a { hint = "write \"…\\(value)\" to put a value into a string" }
      if case .string = b { hint = "write \"\\(value)…\" to put a value into a string" }
      if case .list = a { hint = "write list + [value] to append one element" }
    }
    return EvokeError(
      .type, "`\(operation.rawValue)` does not take \(a.briefly) and \(b.briefly)", hint: hint)
  }
}
