/// An immutable map from strings to values that keeps the order of insertion.
public struct Record: Sendable, ExpressibleByDictionaryLiteral {
  private final class Storage: Sendable {
    let keys: [String]
    let values: [Value]
    let index: [String: Int]
    init(keys: [String], values: [Value], index: [String: Int]) {
      self.keys = keys
      self.values = values
      self.index = index
    }
  }
  private let storage: Storage
  /// 1 more than the deepest value.
  let depth: Int

  /// A record of `fields`; of fields with the same key the last one's value stays, at the first
  /// one's place.
  public init(_ fields: [(String, Value)]) {
    var keys: [String] = []
    var values: [Value] = []
    var index: [String: Int] = [:]
    var deepest = 0
    for (key, value) in fields {
      if let known = index[key] {
        values[known] = value
      } else {
        index[key] = keys.count
        keys.append(key)
        values.append(value)
      }
      deepest = Swift.max(deepest, value.depth)
    }
    storage = Storage(keys: keys, values: values, index: index)
    depth = deepest + 1
  }

  public init(dictionaryLiteral elements: (String, Value)...) { self.init(elements) }

  /// The address of the storage, the same for copies of one record.
  var identity: UInt { UInt(bitPattern: Unmanaged.passUnretained(storage).toOpaque()) }

  public var count: Int { storage.keys.count }
  public var keys: [String] { storage.keys }
  public var values: [Value] { storage.values }
  public var fields: [(key: String, value: Value)] {
    Array(zip(storage.keys, storage.values)).map { (key: $0.0, value: $0.1) }
  }

  /// The value at `key`, or nil if there is none.
  public subscript(key: String) -> Value? {
    guard let index = storage.index[key] else { return nil }
    return storage.values[index]
  }

  /// The record with `value` at `key`: replaced in place, or added at the end.
  public func with(_ key: String, _ value: Value) -> Record {
    Record(fields.map { ($0.key, $0.value) } + [(key, value)])
  }

  /// The record without `key`.
  public func without(_ key: String) -> Record {
    Record(fields.filter { $0.key != key }.map { ($0.key, $0.value) })
  }
}
