import Tensors

/// An error about one argument; the evaluator points at that argument in the source line.
public struct ArgumentError: Error {
  public let parameter: String
  public let error: EvokeError
}

/// The arguments of one call of a builtin, by parameter name, already checked against the declared
/// types, with defaults filled in.
public struct Arguments {
  let builtin: Builtin
  let values: [Value]

  init(_ builtin: Builtin, _ values: [Value]) {
    self.builtin = builtin
    self.values = values
  }

  /// The argument for the parameter `name`; `.none` if it was left out and has no default.
  public subscript(name: String) -> Value {
    guard let index = builtin.parameters.firstIndex(where: { $0.name == name }) else {
      preconditionFailure("\(builtin.name) declares no parameter \(name)")
    }
    return values[index]
  }

  /// Whether the argument was given or has a default other than `.none`.
  public func has(_ name: String) -> Bool { !self[name].isNone }

  /// An error that points at the argument `name`.
  public func error(
    _ name: String, _ kind: EvokeError.Kind, _ message: String, hint: String? = nil
  ) -> ArgumentError {
    ArgumentError(parameter: name, error: EvokeError(kind, message, hint: hint))
  }

  /// A whole number, optionally checked to lie in `bounds`.
  public func int(_ name: String, in bounds: ClosedRange<Int>? = nil) throws -> Int {
    guard case .int(let value) = self[name] else { throw mismatch(name, "an int") }
    if let bounds, !bounds.contains(value) {
      let range =
        bounds.upperBound == .max
        ? "at least \(bounds.lowerBound)" : "from \(bounds.lowerBound) to \(bounds.upperBound)"
      throw error(name, .value, "`\(name)` must be \(range), not \(value)")
    }
    return value
  }

  /// A number as a Double, optionally checked to lie in `bounds`.
  public func double(_ name: String, in bounds: ClosedRange<Double>? = nil) throws -> Double {
    let value: Double
    switch self[name] {
    case .int(let int): value = Double(int)
    case .double(let double): value = double
    default: throw mismatch(name, "a number")
    }
    if let bounds, !bounds.contains(value) {
      let range =
        bounds.upperBound == .infinity
        ? "at least \(formatted(bounds.lowerBound))"
        : "from \(formatted(bounds.lowerBound)) to \(formatted(bounds.upperBound))"
      throw error(name, .value, "`\(name)` must be \(range), not \(self[name].description)")
    }
    return value
  }

  public func bool(_ name: String) throws -> Bool {
    guard case .bool(let value) = self[name] else { throw mismatch(name, "true or false") }
    return value
  }

  public func string(_ name: String) throws -> String {
    guard case .string(let value) = self[name] else { throw mismatch(name, "a string") }
    return value
  }

  /// The member's name without its dot; the evaluator has checked it against the choices.
  public func member(_ name: String) throws -> String {
    guard case .member(let value) = self[name] else { throw mismatch(name, "a .member") }
    return value
  }

  /// A tensor, or the tensor that an object stands for.
  public func tensor(_ name: String) throws -> Tensor {
    switch self[name] {
    case .tensor(let tensor): return tensor
    case .object(let object):
      if let tensor = object.asTensor { return tensor }
    default: break
    }
    throw mismatch(name, "a tensor")
  }

  public func list(_ name: String) throws -> [Value] {
    guard case .list(let list) = self[name] else { throw mismatch(name, "a list") }
    return list.elements
  }

  /// A list of strings; one string counts as a list of itself.
  public func strings(_ name: String) throws -> [String] {
    if case .string(let value) = self[name] { return [value] }
    return try list(name).map { element in
      guard case .string(let value) = element else { throw mismatch(name, "a list of strings") }
      return value
    }
  }

  /// A list of whole numbers; one number counts as a list of itself, a range as its numbers.
  public func ints(_ name: String) throws -> [Int] {
    switch self[name] {
    case .int(let value): return [value]
    case .range(let range) where range.count <= Limits.standard.elements: return Array(range.range)
    default: break
    }
    return try list(name).map { element in
      guard case .int(let value) = element else { throw mismatch(name, "a list of ints") }
      return value
    }
  }

  /// A list of numbers as Doubles; one number counts as a list of itself.
  public func doubles(_ name: String) throws -> [Double] {
    switch self[name] {
    case .int(let value): return [Double(value)]
    case .double(let value): return [value]
    default: break
    }
    return try list(name).map { element in
      switch element {
      case .int(let value): return Double(value)
      case .double(let value): return value
      default: throw mismatch(name, "a list of numbers")
      }
    }
  }

  /// A range; one whole number n counts as `n..<n + 1`.
  public func range(_ name: String) throws -> Range<Int> {
    switch self[name] {
    case .range(let range): return range.range
    case .int(let value) where value < .max: return value..<value + 1
    default: throw mismatch(name, "a range")
    }
  }

  public func record(_ name: String) throws -> Record {
    guard case .record(let value) = self[name] else { throw mismatch(name, "a record") }
    return value
  }

  public func function(_ name: String) throws -> Function {
    guard case .function(let value) = self[name] else { throw mismatch(name, "a function") }
    return value
  }

  /// A domain value of the Swift type `T`.
  public func object<T: Object>(_ name: String, as type: T.Type = T.self) throws -> T {
    guard case .object(let object) = self[name], let value = object as? T else {
      throw mismatch(name, "a \(T.typeName)")
    }
    return value
  }

  /// A list of domain values; one value counts as a list of itself.
  public func objects<T: Object>(_ name: String, as type: T.Type = T.self) throws -> [T] {
    if case .object = self[name] { return [try object(name, as: type)] }
    return try list(name).map { element in
      guard case .object(let object) = element, let value = object as? T else {
        throw mismatch(name, "a list of \(T.typeName) values")
      }
      return value
    }
  }

  public func int(ifGiven name: String) throws -> Int? { has(name) ? try int(name) : nil }
  public func double(ifGiven name: String) throws -> Double? { has(name) ? try double(name) : nil }
  public func string(ifGiven name: String) throws -> String? { has(name) ? try string(name) : nil }
  public func member(ifGiven name: String) throws -> String? { has(name) ? try member(name) : nil }
  public func tensor(ifGiven name: String) throws -> Tensor? { has(name) ? try tensor(name) : nil }
  public func object<T: Object>(ifGiven name: String, as type: T.Type = T.self) throws -> T? {
    has(name) ? try object(name, as: type) : nil
  }

  private func mismatch(_ name: String, _ expected: String) -> ArgumentError {
    error(name, .type, "`\(name)` must be \(expected), not \(self[name].briefly)")
  }
}
