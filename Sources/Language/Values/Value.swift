import Tensors

/// What a name of the language can be bound to. Every value is immutable.
public enum Value: Sendable {
  /// No value: what `print` returns, and what a parameter without an argument holds.
  case none
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
  case list(List)
  case range(IntRange)
  case record(Record)
  /// A member of a closed set, `.pca`, without its dot.
  case member(String)
  case function(Function)
  indirect case tensor(Tensor)
  indirect case object(any Object)
}

extension Value {
  /// A list of `elements`.
  public static func list(_ elements: [Value]) -> Value { .list(List(elements)) }

  /// A list of strings.
  public static func strings(_ elements: [String]) -> Value {
    .list(List(elements.map(Value.string)))
  }

  /// A list of whole numbers.
  public static func ints(_ elements: [Int]) -> Value { .list(List(elements.map(Value.int))) }

  /// A list of numbers.
  public static func doubles(_ elements: [Double]) -> Value {
    .list(List(elements.map(Value.double)))
  }

  /// Whether this is an int or a double.
  var isNumber: Bool {
    switch self {
    case .int, .double: true
    default: false
    }
  }

  /// Whether this is `.none`.
  public var isNone: Bool { if case .none = self { true } else { false } }

  /// How deeply values are nested in this one: 0 for a number, 1 for a flat list.
  ///
  /// Bounded by ``Limits/depth``, so that no walk over a value can exhaust the stack.
  var depth: Int {
    switch self {
    case .list(let list): list.depth
    case .record(let record): record.depth
    case .function(let function): function.depth
    default: 0
    }
  }

  /// About how many bytes the value itself takes, what it refers to left out.
  var shallowBytes: Int {
    switch self {
    case .list(let list): list.count &* MemoryLayout<Value>.stride
    case .record(let record): record.count &* 96
    case .string(let string): string.utf8.count
    case .tensor(let tensor): tensor.count &* 4
    case .object(let object): (object.asTensor?.count ?? 0) &* 4
    default: 0
    }
  }

  /// The name of this value's type as errors and echo lines show it.
  public var typeName: String {
    switch self {
    case .none: "none"
    case .bool: "bool"
    case .int: "int"
    case .double: "double"
    case .string: "string"
    case .list: "list"
    case .range: "range"
    case .record: "record"
    case .member: "member"
    case .function: "function"
    case .tensor: "tensor"
    case .object(let object): type(of: object).typeName
    }
  }
}

extension Value: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral,
  ExpressibleByNilLiteral
{
  public init(integerLiteral value: Int) { self = .int(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(arrayLiteral elements: Value...) { self = .list(List(elements)) }
  public init(nilLiteral: ()) { self = .none }
}
