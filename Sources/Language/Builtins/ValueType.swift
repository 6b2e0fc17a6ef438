/// What a parameter accepts and what a builtin returns.
public indirect enum ValueType: Sendable, Hashable {
  case any, none, bool, int, string, range, record, tensor, function
  /// An int or a double.
  case number
  /// A member of a closed set, `.pca`; the parameter's choices list the set.
  case member
  /// A list whose elements are all of one type.
  case list(ValueType)
  /// A domain value, by its type name.
  case object(String)
  case union([ValueType])

  /// A list of anything.
  public static var list: ValueType { .list(.any) }

  /// Either of two types.
  public static func | (a: ValueType, b: ValueType) -> ValueType {
    .union(a.alternatives + b.alternatives)
  }

  private var alternatives: [ValueType] {
    if case .union(let types) = self { types } else { [self] }
  }

  /// Whether `value` is of this type. An object that stands for a tensor is a tensor.
  public func accepts(_ value: Value) -> Bool {
    switch (self, value) {
    case (.any, _), (.none, .none), (.bool, .bool), (.int, .int), (.string, .string),
      (.range, .range), (.record, .record), (.tensor, .tensor), (.function, .function),
      (.number, .int), (.number, .double), (.member, .member):
      true
    case (.tensor, .object(let object)): object.asTensor != nil
    case (.list(let element), .list(let list)):
      element == .any || list.allSatisfy(element.accepts)
    case (.object(let name), .object(let object)): type(of: object).typeName == name
    case (.union(let types), _): types.contains { $0.accepts(value) }
    default: false
    }
  }

  /// The type as errors and help show it, `Model`, `list of strings`, `int or range`.
  public var description: String {
    switch self {
    case .any: "any value"
    case .none: "none"
    case .bool: "bool"
    case .int: "int"
    case .string: "string"
    case .range: "range"
    case .record: "record"
    case .tensor: "tensor"
    case .function: "function"
    case .number: "number"
    case .member: ".member"
    case .list(.any): "list"
    case .list(let element): "list of \(element.plural)"
    case .object(let name): name
    case .union(let types):
      types.count < 2
        ? types.first?.description ?? "none"
        : types.dropLast().map(\.description).joined(separator: ", ")
          + " or \(types.last?.description ?? "")"
    }
  }

  private var plural: String {
    switch self {
    case .list: "lists"
    case .union: "(\(description))"
    default: description + "s"
    }
  }
}

extension ValueType {
  /// The description with an article, `an int`, `a list of strings`.
  var article: String {
    switch self {
    case .any, .none: return description
    case .union(let types):
      let parts = types.map(\.article)
      return parts.count < 2
        ? parts.first ?? "none"
        : parts.dropLast().joined(separator: ", ") + " or \(parts.last ?? "")"
    default:
      let text = description
      return ("aeiouAEIOU".contains(text.first ?? "x") ? "an " : "a ") + text
    }
  }
}
