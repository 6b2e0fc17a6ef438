import Tensors

/// `value.name`.
final class PropertyNode: Node, @unchecked Sendable {
  let receiver: Node
  let name: String
  let place: Span
  let registry: Registry
  init(_ receiver: Node, _ name: String, _ place: Span, _ registry: Registry, _ span: Span) {
    self.receiver = receiver
    self.name = name
    self.place = place
    self.registry = registry
    super.init(span)
  }

  override func evaluate(_ m: Machine) throws -> Value {
    let value = try receiver.evaluate(m)
    return try located(m, place) {
      try m.chargeReading(value)
      if let member = try Members.member(name, of: value) { return member }
      throw Members.missing(name, in: value, registry)
    }
  }
}

/// What stands behind a dot.
enum Members {
  /// The member of that name, or nil.
  static func member(_ name: String, of value: Value) throws -> Value? {
    switch value {
    case .record(let record): return record[name]
    case .object(let object): return try object.member(name)
    case .tensor(let tensor):
      switch name {
      case "shape": return .ints(tensor.shape)
      case "count": return .int(tensor.count)
      case "rank": return .int(tensor.rank)
      case "T": return .tensor(tensor.transposed((0..<tensor.rank).reversed()))
      default: return nil
      }
    case .list(let list):
      switch name {
      case "count": return .int(list.count)
      case "first": return list.first ?? Value.none
      case "last": return list.last ?? Value.none
      default: return nil
      }
    case .range(let range):
      switch name {
      case "count": return .int(range.count)
      case "lower": return .int(range.lower)
      case "upper": return .int(range.upper)
      default: return nil
      }
    case .string(let string): return name == "count" ? .int(string.count) : nil
    default: return nil
    }
  }

  /// The members that a value has.
  static func names(of value: Value) -> [String] {
    switch value {
    case .record(let record): record.keys
    case .object(let object): type(of: object).memberNames
    case .tensor: ["shape", "count", "rank", "T"]
    case .list: ["count", "first", "last"]
    case .range: ["count", "lower", "upper"]
    case .string: ["count"]
    default: []
    }
  }

  static func missing(_ name: String, in value: Value, _ registry: Registry) -> EvokeError {
    let names = names(of: value)
    var hint: String?
    if let near = closest(to: name, among: names) {
      hint = "did you mean `.\(near)`?"
    } else if registry[name] != nil {
      hint = "to call it, write .\(name)( … )"
    } else if !names.isEmpty {
      let shown = names.prefix(12).map { "." + $0 }.joined(separator: " ")
      hint = "there are \(shown)" + (names.count > 12 ? " …" : "")
    }
    return EvokeError(.name, "\(value.briefly) has no member `\(name)`", hint: hint)
  }
}

/// `value[index, lower..<upper]`.
final class SubscriptNode: Node, @unchecked Sendable {
  enum Index {
    case element(Node)
    case slice(lower: Node?, upper: Node?, isClosed: Bool, Span)

    var span: Span {
      switch self {
      case .element(let node): node.span
      case .slice(_, _, _, let span): span
      }
    }
  }
  let receiver: Node
  let indices: [Index]
  init(_ receiver: Node, _ indices: [Index], _ span: Span) {
    self.receiver = receiver
    self.indices = indices
    super.init(span)
  }

  override func evaluate(_ m: Machine) throws -> Value {
    let value = try receiver.evaluate(m)
    if indices.count == 1, case .list(let list) = value {
      return try element(of: list, try place(indices[0], m), m)
    }
    var places: [Place] = []
    for index in indices { places.append(try place(index, m)) }
    if case .tensor(let tensor) = value { return try slice(tensor, places, m) }
    if case .object(let object) = value, !(object is any SequenceObject),
      let tensor = object.asTensor
    {
      return try slice(tensor, places, m)
    }
    guard places.count == 1, let only = places.first else {
      throw m.fault(
        EvokeError(.type, "\(value.briefly) takes one index, not \(places.count)"), span)
    }
    return try located(m, indices[0].span) {
      try m.chargeReading(value)
      return try Subscripts.element(of: value, only, m.limits)
    }
  }

  private func element(of list: List, _ place: Place, _ m: Machine) throws -> Value {
    try located(m, indices[0].span) {
      if case .element(.int(let index)) = place {
        return list.elements[try Subscripts.index(index, list.count, "the list")]
      }
      let part = try Subscripts.element(of: .list(list), place, m.limits)
      try m.charge(part)
      return part
    }
  }

  private func place(_ index: Index, _ m: Machine) throws -> Place {
    switch index {
    case .element(let node):
      let value = try node.evaluate(m)
      if case .range(let range) = value {
        return .range(lower: range.lower, upper: range.upper, isClosed: false)
      }
      return .element(value)
    case .slice(let lower, let upper, let isClosed, _):
      return .range(lower: try end(lower, m), upper: try end(upper, m), isClosed: isClosed)
    }
  }

  private func end(_ node: Node?, _ m: Machine) throws -> Int? {
    guard let node else { return nil }
    let value = try node.evaluate(m)
    if case .int(let int) = value { return int }
    throw m.fault(
      EvokeError(.type, "the ends of a range are ints, not \(value.briefly)"), node.span)
  }

  private func slice(_ tensor: Tensor, _ places: [Place], _ m: Machine) throws -> Value {
    guard places.count <= tensor.rank else {
      throw m.fault(
        EvokeError(
          .shape, "\(places.count) indices into a tensor with \(tensor.rank) axes",
          hint: "its shape is \(tensor.shape)"), span)
    }
    var slices: [SliceIndex] = []
    for (axis, place) in places.enumerated() {
      slices.append(
        try located(m, indices[axis].span) {
          switch place {
          case .element(.int(let index)):
            return .index(try Subscripts.index(index, tensor.shape[axis], "axis \(axis)"))
          case .element(let value):
            throw EvokeError(
              .type, "a tensor is indexed by ints and ranges, not \(value.briefly)")
          case .range(let lower, let upper, let isClosed):
            return .range(
              try Subscripts.range(lower, upper, isClosed, tensor.shape[axis], "axis \(axis)"))
          }
        })
    }
    return try located(m, span) {
      let part = Elements.value(of: try tensor.slice(slices))
      try m.charge(part)
      return part
    }
  }
}

/// An index that was evaluated.
enum Place {
  case element(Value)
  case range(lower: Int?, upper: Int?, isClosed: Bool)
}

enum Subscripts {
  /// An element or a slice of a value with one index.
  static func element(of value: Value, _ place: Place, _ limits: Limits) throws -> Value {
    switch (value, place) {
    case (.record(let record), .element(.string(let key))):
      if let found = record[key] { return found }
      let near = closest(to: key, among: record.keys)
      throw EvokeError(
        .name, "the record has no key \(quoted(key))",
        hint: near.map { "did you mean \(quoted($0))?" })
    case (.record, .element(let key)):
      throw EvokeError(.type, "the keys of a record are strings, not \(key.briefly)")
    case (.list(let list), .range(let lower, let upper, let isClosed)):
      let range = try range(lower, upper, isClosed, list.count, "the list")
      return .list(List(Array(list.elements[range])))
    case (.string(let string), .range(let lower, let upper, let isClosed)):
      let characters = Array(string)
      let range = try range(lower, upper, isClosed, characters.count, "the string")
      return .string(String(characters[range]))
    case (.object(let object as any SequenceObject), .range(let lower, let upper, let isClosed)):
      return try object.elements(
        range(lower, upper, isClosed, object.count, type(of: object).typeName))
    case (.string(let string), .element(.int(let index))):
      let place = try self.index(index, string.count, "the string")
      return .string(String(string[string.index(string.startIndex, offsetBy: place)]))
    case (.list, .element(.int(let index))), (.range, .element(.int(let index))),
      (.object, .element(.int(let index))):
      let elements = try Elements(value, limits)
      return try elements[self.index(index, elements.count, "the \(value.typeName)")]
    case (.list, .element(let key)), (.range, .element(let key)), (.string, .element(let key)):
      throw EvokeError(.type, "the index must be an int or a range, not \(key.briefly)")
    default: throw EvokeError(.type, "\(value.briefly) cannot be indexed")
    }
  }

  /// An index from 0; negative ones count from the end.
  static func index(_ index: Int, _ count: Int, _ what: String) throws -> Int {
    let place = index < 0 ? index + count : index
    guard place >= 0, place < count else {
      throw EvokeError(
        .value, "index \(index) is outside \(what) of \(count)",
        hint: count == 0 ? nil : "indices go from 0 to \(count - 1), or from -\(count) to -1")
    }
    return place
  }

  /// The part of `0..<count` that a slice means; negative ends count from the end.
  static func range(
    _ lower: Int?, _ upper: Int?, _ isClosed: Bool, _ count: Int, _ what: String
  ) throws -> Range<Int> {
    func place(_ end: Int) -> Int { end < 0 ? end + count : end }
    let first = place(lower ?? 0)
    var last = upper.map(place) ?? count
    if isClosed, last < .max { last += 1 }
    guard first >= 0, first <= last, last <= count else {
      let text = "\(lower.map(String.init) ?? "")\(isClosed ? "..." : "..<")"
      throw EvokeError(
        .value, "\(text)\(upper.map(String.init) ?? "") is outside \(what) of \(count)")
    }
    return first..<last
  }
}
