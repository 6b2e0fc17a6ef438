/// One parameter of a builtin, with everything that help, completion and the checker say about it.
public struct Parameter: Sendable {
  public enum Kind: Sendable {
    /// Given by position, before every label.
    case positional
    /// Any number of further positional arguments, as a list; the last positional parameter.
    case rest
    /// Given as `name: value`, in any order.
    case labelled
  }
  public let name: String
  public let kind: Kind
  public let type: ValueType
  /// What an absent argument stands for; nil if the argument is required. A default of `.none`
  /// makes it optional whatever its type.
  public let defaultValue: Value?
  /// The members that a `.member` argument may name, without dots; empty if any may stand.
  public let choices: [String]
  public let unit: String?
  public let help: String

  /// A required positional parameter: `Parameter("model", .object("Model"), "the model")`.
  public init(_ name: String, _ type: ValueType, _ help: String) {
    self.init(name, .positional, type, nil, [], nil, help)
  }

  /// A positional parameter that may be left out.
  public init(_ name: String, _ type: ValueType, default defaultValue: Value, _ help: String) {
    self.init(name, .positional, type, defaultValue, [], nil, help)
  }

  /// A required labelled parameter:
  /// `Parameter(label: "to", .string, "the file")`.
  public init(
    label name: String, _ type: ValueType, choices: [String] = [], unit: String? = nil,
    _ help: String
  ) {
    self.init(name, .labelled, type, nil, choices, unit, help)
  }

  /// A labelled parameter that may be left out; with the default `.none` whatever its type:
  /// `Parameter(label: "dim", .int, default: 32, unit: "dimensions", "size of the subspace")`.
  public init(
    label name: String, _ type: ValueType, default defaultValue: Value, choices: [String] = [],
    unit: String? = nil, _ help: String
  ) {
    self.init(name, .labelled, type, defaultValue, choices, unit, help)
  }

  /// The parameter that takes all further positional arguments.
  public init(rest name: String, _ type: ValueType, _ help: String) {
    self.init(name, .rest, .list(type), .list([]), [], nil, help)
  }

  private init(
    _ name: String, _ kind: Kind, _ type: ValueType, _ defaultValue: Value?, _ choices: [String],
    _ unit: String?, _ help: String
  ) {
    self.name = name
    self.kind = kind
    self.type = type
    self.defaultValue = defaultValue
    self.choices = choices
    self.unit = unit
    self.help = help
  }
}

/// One function of the vocabulary: its declaration, which help, completion, the checker and the
/// reference page read, and its body.
public struct Builtin: Sendable {
  public typealias Body = @Sendable (_ arguments: Arguments, _ context: Context) throws -> Value

  public let name: String
  /// The heading that the reference page lists it under, `Search`.
  public let topic: String
  /// One sentence without the full stop's company of shapes: what it does.
  public let summary: String
  public let parameters: [Parameter]
  public let returns: ValueType
  /// A line that works in a script.
  public let example: String
  /// The paper and equation, or the reference implementation.
  public let source: String?
  public let body: Body

  /// A builtin; positional parameters come first in `parameters`.
  public init(
    _ name: String, topic: String, summary: String, parameters: [Parameter], returns: ValueType,
    example: String, source: String? = nil, body: @escaping Body
  ) {
    self.name = name
    self.topic = topic
    self.summary = summary
    self.parameters = parameters
    self.returns = returns
    self.example = example
    self.source = source
    self.body = body
  }
}
