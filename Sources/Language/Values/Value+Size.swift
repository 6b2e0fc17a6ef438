/// A domain value that knows how much memory it takes.
public protocol Measured: Object {
  /// Bytes of what it holds, nearly.
  var byteCount: Int { get }
}

extension Value {
  /// Bytes that the value takes in memory, nearly: what grows with its content; nil for a domain
  /// value that does not know.
  public var byteCount: Int? {
    let word = 16
    switch self {
    case .none, .bool, .int, .double, .range, .member, .function: return word
    case .string(let string): return word + string.utf8.count
    case .list(let list): return list.reduce(word) { $0 + ($1.byteCount ?? word) }
    case .record(let record):
      return record.fields.reduce(word) { $0 + $1.key.utf8.count + ($1.value.byteCount ?? word) }
    case .tensor(let tensor): return word + 4 * tensor.count
    case .object(let object as any Measured): return word + object.byteCount
    case .object(let object): return object.asTensor.map { word + 4 * $0.count }
    }
  }
}
