/// A domain value that knows how much memory it takes.
public protocol Measured: Object {
  /// Bytes of what it holds, nearly.
  var byteCount: Int { get }
}

extension Value {
  /// Bytes that the value takes in memory, nearly: what grows with its content.
  public var byteCount: Int {
    let word = 16
    return switch self {
    case .none, .bool, .int, .double, .range, .member, .function: word
    case .string(let string): word + string.utf8.count
    case .list(let list): list.reduce(word) { $0 + $1.byteCount }
    case .record(let record):
      record.fields.reduce(word) { $0 + $1.key.utf8.count + $1.value.byteCount }
    case .tensor(let tensor): word + 4 * tensor.count
    case .object(let object as any Measured): word + object.byteCount
    case .object(let object): word + 4 * (object.asTensor?.count ?? 0)
    }
  }
}
