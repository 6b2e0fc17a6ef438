/// What a pickle describes, as far as checkpoints need it. Nothing of it is ever called.
enum PickleValue {
  case none
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
  case bytes([UInt8])
  /// A class or function by its name.
  case global(String)
  /// A tuple, list or dictionary, or an object of a class that means nothing here.
  case object(PickleObject)
  /// Numbers that lie elsewhere in the file.
  case storage(PickleStorage)
  case tensor(PickleTensor)
}

/// What several values may share.
///
/// All objects of a pickle are held by its reader and emptied at the end, so that neither cycles nor
/// deep nesting outlive it.
final class PickleObject {
  enum Kind { case tuple, list, dictionary, instance }

  let kind: Kind
  /// The class of an instance.
  let name: String
  /// Elements, or keys and values in turn.
  var items: [PickleValue]
  /// What an instance was given as its state.
  var state: PickleValue?

  init(_ kind: Kind, _ items: [PickleValue] = [], name: String = "") {
    self.kind = kind
    self.items = items
    self.name = name
  }

  /// The members of a dictionary whose keys are strings, in order.
  var members: [(key: String, value: PickleValue)] {
    guard kind == .dictionary else { return [] }
    return stride(from: 0, to: items.count - 1, by: 2).compactMap { i in
      guard case .string(let key) = items[i] else { return nil }
      return (key, items[i + 1])
    }
  }
}

/// A run of numbers of one type.
struct PickleStorage {
  let key: String
  let type: ElementType
  /// The number of elements.
  let count: Int
}

/// A view of a storage.
struct PickleTensor {
  let storage: PickleStorage
  /// The first element's place in the storage.
  let offset: Int
  let shape: [Int]
  let strides: [Int]
}
