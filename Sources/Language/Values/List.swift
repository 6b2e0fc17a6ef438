/// An immutable sequence of values that knows how deeply it is nested.
public struct List: Sendable, RandomAccessCollection, ExpressibleByArrayLiteral {
  public let elements: [Value]
  /// 1 more than the deepest element.
  let depth: Int

  /// A list of `elements`.
  public init(_ elements: [Value]) {
    self.elements = elements
    var deepest = 0
    for element in elements { deepest = Swift.max(deepest, element.depth) }
    depth = deepest + 1
  }

  /// A list whose nesting is already known, so that a long list is not walked again.
  init(_ elements: [Value], depth: Int) {
    self.elements = elements
    self.depth = depth
  }

  public init(arrayLiteral elements: Value...) { self.init(elements) }
  public var startIndex: Int { 0 }
  public var endIndex: Int { elements.count }
  public subscript(position: Int) -> Value { elements[position] }
}

/// The whole numbers from `lower` up to, not including, `upper`.
public struct IntRange: Sendable, Hashable {
  public let lower: Int
  public let upper: Int

  /// The range `lower..<upper`; empty if `upper` is not above `lower`.
  public init(_ lower: Int, _ upper: Int) {
    self.lower = lower
    self.upper = Swift.max(lower, upper)
  }

  /// How many numbers it holds; `Int.max` if there are more.
  public var count: Int {
    let (count, overflow) = upper.subtractingReportingOverflow(lower)
    return overflow ? Int.max : count
  }

  /// The same numbers as a Swift range.
  public var range: Range<Int> { lower..<upper }
}
