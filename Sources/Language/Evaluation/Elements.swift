import Tensors

/// The elements of a value that can be gone through: a list, a range, the keys of a record, the
/// characters of a string, the rows of a tensor, the elements of a domain value.
struct Elements {
  private enum Kind {
    case values([Value])
    case range(IntRange)
    case rows(Tensor)
    case object(any SequenceObject)
  }
  private let kind: Kind
  let count: Int

  /// - Throws: `EvokeError` (type) if the value has no elements.
  init(_ value: Value, _ limits: Limits) throws {
    switch value {
    case .list(let list):
      kind = .values(list.elements)
      count = list.count
    case .range(let range):
      kind = .range(range)
      count = range.count
    case .record(let record):
      kind = .values(record.keys.map(Value.string))
      count = record.count
    case .string(let string):
      let characters = string.map { Value.string(String($0)) }
      kind = .values(characters)
      count = characters.count
    case .tensor(let tensor) where tensor.rank > 0:
      kind = .rows(tensor)
      count = tensor.shape[0]
    case .object(let object):
      guard let sequence = object as? any SequenceObject else { fallthrough }
      kind = .object(sequence)
      count = max(0, sequence.count)
    default:
      throw EvokeError(
        .type, "\(value.briefly) has no elements to go through",
        hint: "lists, ranges, records (their keys), strings and tensors (their rows) have")
    }
  }

  subscript(index: Int) -> Value {
    get throws {
      switch kind {
      case .values(let values): return values[index]
      case .range(let range): return .int(range.lower + index)
      case .rows(let tensor): return Elements.value(of: tensor.row(index))
      case .object(let object): return try object.element(index)
      }
    }
  }

  /// All elements as an array.
  ///
  /// - Throws: `EvokeError` (value) if there are more than a list may have.
  func array(_ limits: Limits) throws -> [Value] {
    guard count <= limits.elements else { throw Operators.tooLong(limits) }
    if case .values(let values) = kind { return values }
    return try (0..<count).map { try self[$0] }
  }

  /// A tensor without axes as a number.
  static func value(of tensor: Tensor) -> Value {
    tensor.rank == 0 ? .double(Double(tensor.values.first ?? 0)) : .tensor(tensor)
  }
}
