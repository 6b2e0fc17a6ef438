import Tensors

extension Machine {
  /// Whether two values are equal: numbers by value (1 == 1.0), tensors and domain values by their
  /// bytes, lists in order, records key by key in any order.
  ///
  /// Counts steps, because a value may hold one list very many times.
  func equal(_ a: Value, _ b: Value) throws -> Bool {
    switch (a, b) {
    case (.none, .none): return true
    case (.bool(let x), .bool(let y)): return x == y
    case (.int(let x), .int(let y)): return x == y
    case (.int(let x), .double(let y)), (.double(let y), .int(let x)): return Double(x) == y
    case (.double(let x), .double(let y)): return x == y
    case (.string(let x), .string(let y)):
      guard x.utf8.count == y.utf8.count else { return false }
      try chargeReading(a)
      return x.utf8.elementsEqual(y.utf8)
    case (.member(let x), .member(let y)): return x == y
    case (.range(let x), .range(let y)): return x == y
    case (.tensor(let x), .tensor(let y)):
      try chargeReading(a)
      return x == y
    case (.list(let x), .list(let y)):
      guard x.count == y.count else { return false }
      try step(x.count)
      for (p, q) in zip(x.elements, y.elements) where try !equal(p, q) { return false }
      return true
    case (.record(let x), .record(let y)):
      guard x.count == y.count else { return false }
      try step(x.count)
      for (key, p) in x.fields {
        guard let q = y[key], try equal(p, q) else { return false }
      }
      return true
    case (.function, .function), (.object, .object): return try digest(of: a) == digest(of: b)
    default: return false
    }
  }

  /// Whether `container` holds `value`: an element of a list, a key of a record, a number of a
  /// range, a part of a string.
  func contains(_ container: Value, _ value: Value) throws -> Bool {
    switch (container, value) {
    case (.list(let list), _):
      try step(list.count)
      for element in list.elements where try equal(element, value) { return true }
      return false
    case (.record(let record), .string(let key)): return record[key] != nil
    case (.range(let range), .int(let number)):
      return number >= range.lower && number < range.upper
    case (.string(let text), .string(let part)):
      try chargeReading(container)
      return part.isEmpty || ByteSearch(part).first(in: Array(text.utf8)) != nil
    default:
      throw EvokeError(
        .type, "`in` cannot look for \(value.briefly) in \(container.briefly)",
        hint: "it looks into lists, for keys of records, numbers of ranges and parts of strings")
    }
  }
}
