import Foundation
import Tensors

/// A machine for Python's pickles that can build data and nothing else.
///
/// Functions and classes are names to it. Those that rebuild tensors and dictionaries are understood,
/// those of known harmless modules become inert instances, and every other one ends the reading.
/// Source: CPython's `pickletools`, protocols 2 to 5; torch `torch/_utils.py`, `torch/serialization.py`.
struct PickleReader {
  private let reader: LittleEndianReader
  private(set) var at: Int
  /// The type of every storage that any pickle so far refers to.
  private(set) var storageTypes: [String: ElementType] = [:]
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  private var objects: [PickleObject] = []
  private var copied = 0

  /// Starts at a byte of a file.
  init(_ bytes: UnsafeRawBufferPointer, at start: Int = 0, source: String) {
    reader = LittleEndianReader(bytes: bytes, source: source)
    at = start
  }

  /// Reads one pickle and hands its value to `body`; the value's objects are emptied afterwards.
  ///
  /// Throws `EvokeError(.format)` for anything but plain data.
  mutating func read<R>(_ body: (PickleValue) throws -> R) throws -> R {
    defer {
      for object in objects {
        object.items = []
        object.state = nil
      }
      (objects, stack, marks, memo) = ([], [], [], [:])
    }
    while true {
      let code = try byte()
      if code == 0x2E {  // STOP
        return try body(pop())
      }
      try execute(code)
      guard objects.count <= Self.mostObjects else {
        throw damaged("more objects than any model has")
      }
    }
  }

  /// A training checkpoint of the largest models has a tenth of this.
  private static let mostObjects = 250_000

  // MARK: Reading

  private func damaged(_ what: String) -> EvokeError {
    reader.damaged("\(what) at byte \(at) of its pickle")
  }

  private mutating func byte() throws -> UInt8 { try bytes(1)[0] }

  private mutating func bytes(_ length: Int) throws -> UnsafeRawBufferPointer {
    let found = try reader.slice(at, length, what: "its pickle")
    at += length
    return found
  }

  private mutating func integer(_ length: Int) throws -> Int {
    defer { at += length }
    return try reader.integer(at, length)
  }

  private mutating func text(_ length: Int) throws -> String {
    defer { at += length }
    return try reader.text(at, length)
  }

  private mutating func line() throws -> String {
    let start = at
    while try byte() != 0x0A {}
    return try reader.text(start, at - start - 1)
  }

  /// A little-endian two's complement number of any length; those beyond 64 bits mean nothing here.
  private mutating func long(_ length: Int) throws -> PickleValue {
    let raw = try bytes(length)
    guard length <= 8 else { return .bytes(Array(raw)) }
    var value: UInt64 = (raw.last ?? 0) & 0x80 != 0 ? ~0 << UInt64(8 * length) : 0
    if length == 8 { value = 0 }
    for (i, byte) in raw.enumerated() { value |= UInt64(byte) << (8 * i) }
    return .int(Int(bitPattern: UInt(value)))
  }

  // MARK: The stack

  private mutating func pop() throws -> PickleValue {
    guard stack.count > (marks.last ?? 0), let value = stack.popLast() else {
      throw damaged("a value is missing")
    }
    return value
  }

  /// What stands above the last mark.
  private mutating func popToMark() throws -> [PickleValue] {
    guard let mark = marks.popLast() else { throw damaged("a mark is missing") }
    let values = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return values
  }

  private mutating func push(_ kind: PickleObject.Kind, _ items: [PickleValue], name: String = "") {
    let object = PickleObject(kind, items, name: name)
    objects.append(object)
    stack.append(.object(object))
  }

  private mutating func tuple(_ count: Int) throws {
    var items: [PickleValue] = []
    for _ in 0..<count { items.append(try pop()) }
    push(.tuple, items.reversed())
  }

  /// Adds elements, or keys and values, to the object below them.
  private mutating func extend(_ items: [PickleValue], pairs: Bool) throws {
    guard case .object(let object)? = stack.last, stack.count > (marks.last ?? 0),
      !pairs || items.count % 2 == 0
    else { throw damaged("there is nothing to add to") }
    switch object.kind {
    case .dictionary where pairs, .list where !pairs: object.items += items
    case .instance: break  // a class of its own kind of list; inert
    default: throw damaged("elements of the wrong kind")
    }
  }

  private mutating func remember(_ place: Int) throws {
    guard let value = stack.last else { throw damaged("a value is missing") }
    memo[place] = value
  }

  private mutating func recall(_ place: Int) throws {
    guard let value = memo[place] else { throw damaged("an unknown value is used") }
    stack.append(value)
  }
}

// MARK: - Opcodes

extension PickleReader {
  private mutating func execute(_ code: UInt8) throws {
    switch code {
    case 0x80: _ = try byte()  // PROTO
    case 0x95: _ = try bytes(8)  // FRAME
    case 0x28: marks.append(stack.count)  // MARK
    case 0x30: _ = try pop()  // POP
    case 0x31: _ = try popToMark()  // POP_MARK
    case 0x32:  // DUP
      let value = try pop()
      stack += [value, value]
    case 0x4E: stack.append(.none)  // NONE
    case 0x88, 0x89: stack.append(.bool(code == 0x88))  // NEWTRUE, NEWFALSE
    case 0x4A: stack.append(.int(Int(Int32(truncatingIfNeeded: try integer(4)))))  // BININT
    case 0x4B: stack.append(.int(try integer(1)))  // BININT1
    case 0x4D: stack.append(.int(try integer(2)))  // BININT2
    case 0x8A: stack.append(try long(try integer(1)))  // LONG1
    case 0x47:  // BINFLOAT
      let bits = try bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      stack.append(.double(Double(bitPattern: bits)))
    case 0x55, 0x54: stack.append(.bytes(Array(try bytes(try integer(code == 0x55 ? 1 : 4)))))
    case 0x43, 0x42, 0x8E:  // SHORT_BINBYTES, BINBYTES, BINBYTES8
      let length = try integer(code == 0x43 ? 1 : code == 0x42 ? 4 : 8)
      stack.append(.bytes(Array(try bytes(length))))
    case 0x8C, 0x58, 0x8D:  // SHORT_BINUNICODE, BINUNICODE, BINUNICODE8
      let length = try integer(code == 0x8C ? 1 : code == 0x58 ? 4 : 8)
      stack.append(.string(try text(length)))
    case 0x71: try remember(try integer(1))  // BINPUT
    case 0x72: try remember(try integer(4))  // LONG_BINPUT
    case 0x94: try remember(memo.count)  // MEMOIZE
    case 0x68: try recall(try integer(1))  // BINGET
    case 0x6A: try recall(try integer(4))  // LONG_BINGET
    default: try executeCompound(code)
    }
  }

  private mutating func executeCompound(_ code: UInt8) throws {
    switch code {
    case 0x29: push(.tuple, [])  // EMPTY_TUPLE
    case 0x85, 0x86, 0x87: try tuple(Int(code) - 0x84)  // TUPLE1, TUPLE2, TUPLE3
    case 0x74: push(.tuple, try popToMark())  // TUPLE
    case 0x5D: push(.list, [])  // EMPTY_LIST
    case 0x8F: push(.list, [])  // EMPTY_SET
    case 0x6C: push(.list, try popToMark())  // LIST
    case 0x61: try extend([try pop()], pairs: false)  // APPEND
    case 0x65, 0x90: try extend(try popToMark(), pairs: false)  // APPENDS, ADDITEMS
    case 0x7D: push(.dictionary, [])  // EMPTY_DICT
    case 0x64:  // DICT
      let items = try popToMark()
      guard items.count % 2 == 0 else { throw damaged("a key without a value") }
      push(.dictionary, items)
    case 0x73:  // SETITEM
      let value = try pop()
      try extend([try pop(), value], pairs: true)
    case 0x75: try extend(try popToMark(), pairs: true)  // SETITEMS
    case 0x63:  // GLOBAL
      let module = try line()
      stack.append(.global(try allowed("\(module).\(try line())")))
    case 0x93:  // STACK_GLOBAL
      let name = try pop()
      guard case .string(let module) = try pop(), case .string(let name) = name else {
        throw damaged("a class without a name")
      }
      stack.append(.global(try allowed("\(module).\(name)")))
    case 0x51: stack.append(try persistent(try pop()))  // BINPERSID
    case 0x52, 0x81:  // REDUCE, NEWOBJ
      let arguments = try pop()
      try build(try pop(), arguments)
    case 0x62:  // BUILD
      let state = try pop()
      if case .object(let object)? = stack.last, object.kind == .instance { object.state = state }
    default:
      throw damaged("the unknown instruction \(code)")
    }
  }
}

// MARK: - Names

extension PickleReader {
  /// Modules whose classes appear in real checkpoints, beside the tensors; they become inert.
  private static let harmless = [
    "torch.", "collections.", "numpy.", "pytorch_lightning.", "lightning.", "lightning_fabric.",
    "omegaconf.", "argparse.Namespace", "_codecs.encode", "pathlib.PosixPath", "ldm.", "typing.",
    "__builtin__.set", "builtins.set", "builtins.dict", "__builtin__.dict", "builtins.list",
    "__builtin__.list", "builtins.int", "builtins.float", "builtins.str", "builtins.bool",
    "builtins.object", "__builtin__.object", "builtins.bytearray", "copyreg._reconstructor",
    "copy_reg._reconstructor", "datetime.",
  ]

  private func allowed(_ name: String) throws -> String {
    let isKnown = Self.harmless.contains { $0.hasSuffix(".") ? name.hasPrefix($0) : name == $0 }
    guard isKnown else {
      throw EvokeError(
        .format,
        "\(reader.source) asks for \(name), which no checkpoint needs: refused, nothing was run",
        hint: "the file may be malicious; get the model as .safetensors")
    }
    return name
  }

  /// ('storage', torch.FloatStorage, key, device, count); or ('module', class, file, source) in files
  /// from before torch 1.6, of which the class's name is enough.
  private mutating func persistent(_ id: PickleValue) throws -> PickleValue {
    if case .object(let tuple) = id, tuple.items.count == 4,
      case .string("module") = tuple.items[0], case .global = tuple.items[1]
    {
      return tuple.items[1]
    }
    guard case .object(let tuple) = id, tuple.kind == .tuple, tuple.items.count >= 5,
      case .string("storage") = tuple.items[0], case .global(let type) = tuple.items[1],
      case .string(let key) = tuple.items[2], case .int(let count) = tuple.items[4], count >= 0
    else { throw damaged("a reference that is no storage") }
    guard let type = Self.storages[type] else {
      throw EvokeError(.type, "\(reader.source) holds numbers of the unsupported type \(type)")
    }
    if tuple.items.count > 5 {
      guard case .none = tuple.items[5] else {
        throw damaged("a storage inside another, which torch does not write any more,")
      }
    }
    storageTypes[key] = type
    return .storage(PickleStorage(key: key, type: type, count: count))
  }

  private static let storages: [String: ElementType] = [
    "torch.FloatStorage": .float32, "torch.HalfStorage": .float16,
    "torch.BFloat16Storage": .bfloat16, "torch.DoubleStorage": .float64,
    "torch.LongStorage": .int64, "torch.IntStorage": .int32, "torch.ShortStorage": .int16,
    "torch.CharStorage": .int8, "torch.ByteStorage": .uint8, "torch.BoolStorage": .bool,
  ]

  /// What calling a name would give, where that is known to be data.
  private mutating func build(_ callee: PickleValue, _ arguments: PickleValue) throws {
    guard case .global(let name) = callee, case .object(let tuple) = arguments,
      tuple.kind == .tuple
    else { throw damaged("something is called that has no name") }
    switch name {
    case "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor":
      stack.append(.tensor(try tensor(tuple.items)))
    case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
      guard case .tensor? = tuple.items.first else { throw damaged("a parameter of nothing") }
      stack.append(tuple.items[0])
    case "collections.OrderedDict", "builtins.dict", "__builtin__.dict":
      push(.dictionary, try pairs(tuple.items))
    default:
      push(.instance, [], name: name)
    }
  }

  /// The content of OrderedDict([(key, value), …]).
  private mutating func pairs(_ arguments: [PickleValue]) throws -> [PickleValue] {
    guard let first = arguments.first else { return [] }
    guard case .object(let list) = first else { throw damaged("a dictionary of nothing") }
    if list.kind == .dictionary { return list.items }
    copied += list.items.count
    guard copied < 1_000_000 else { throw damaged("too much of the same") }
    return try list.items.flatMap { item in
      guard case .object(let pair) = item, pair.items.count == 2 else {
        throw damaged("a dictionary of something else than pairs")
      }
      return pair.items
    }
  }

  /// (storage, offset, shape, strides, …)
  private func tensor(_ arguments: [PickleValue]) throws -> PickleTensor {
    guard arguments.count >= 4, case .storage(let storage) = arguments[0],
      case .int(let offset) = arguments[1], offset >= 0
    else { throw damaged("a tensor without a storage") }
    let (shape, strides) = (try sizes(arguments[2]), try sizes(arguments[3]))
    guard shape.count == strides.count, shape.count <= 8 else {
      throw damaged("a tensor of shape \(shape) and strides \(strides)")
    }
    var last = offset
    for (size, stride) in zip(shape, strides) where !shape.contains(0) {
      let (step, overflow) = stride.multipliedReportingOverflow(by: size - 1)
      let (sum, secondOverflow) = last.addingReportingOverflow(step)
      guard !overflow, !secondOverflow else { throw damaged("a tensor of shape \(shape)") }
      last = sum
    }
    let (count, overflow) = shape.reduce((1, false)) { sum, size in
      let (product, overflow) = sum.0.multipliedReportingOverflow(by: size)
      return (product, sum.1 || overflow)
    }
    // A view of more elements than there are would take memory that the file does not account for.
    guard shape.contains(0) || (last < storage.count && !overflow && count <= storage.count) else {
      throw damaged(
        "a tensor of shape \(shape) and strides \(strides) that leaves its storage of "
          + "\(storage.count)")
    }
    return PickleTensor(storage: storage, offset: offset, shape: shape, strides: strides)
  }

  private func sizes(_ value: PickleValue) throws -> [Int] {
    guard case .object(let tuple) = value, tuple.kind != .dictionary else {
      throw damaged("a shape that is none")
    }
    return try tuple.items.map {
      guard case .int(let size) = $0, size >= 0, size < 1 << 40 else {
        throw damaged("a size that is none")
      }
      return size
    }
  }
}
