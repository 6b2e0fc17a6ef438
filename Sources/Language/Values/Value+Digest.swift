import Tensors

extension Value {
  /// SHA-256 over the value's bytes as 64 hexadecimal digits; see ``Digest`` for how numbers are
  /// laid out.
  ///
  /// A list, record or function inside another value is represented by its own 32-byte digest.
  public var digest: String {
    var walk = DigestWalk<Never> { _ in }
    return Digest.hexadecimal(walk.digest(of: self))
  }
}

extension Machine {
  /// The value's digest; counts steps, because a value may hold one large string very many times.
  func digest(of value: Value) throws -> String {
    var walk = DigestWalk<any Error> { try self.step($0 >> 12) }
    return Digest.hexadecimal(try walk.digest(of: value))
  }
}

extension Context {
  /// The value's digest, ``Value/digest``, counted as work.
  public func digest(of value: Value) throws -> String { try machine.digest(of: value) }
}

/// Digests a value and what it holds; what is held many times is digested once.
private struct DigestWalk<Failure: Error> {
  private struct Key: Hashable {
    let address: UInt
    let count: Int
  }
  private var known: [Key: [UInt8]] = [:]
  /// Is told how many bytes are about to be read.
  private let meter: (Int) throws(Failure) -> Void

  init(_ meter: @escaping (Int) throws(Failure) -> Void) { self.meter = meter }

  mutating func digest(of value: Value) throws(Failure) -> [UInt8] {
    var digest = Digest()
    try feed(value, into: &digest)
    return digest.finalized()
  }

  private mutating func feed(
    _ value: Value, into digest: inout Digest
  ) throws(Failure) {
    try meter(value.shallowBytes)
    switch value {
    case .none: digest.tag("n")
    case .bool(let bool): digest.tag(bool ? "t" : "f")
    case .int(let int):
      digest.tag("i")
      digest.int(int)
    case .double(let double):
      digest.tag("d")
      digest.double(double)
    case .string(let string):
      digest.tag("s")
      digest.string(string)
    case .member(let name):
      digest.tag("m")
      digest.string(name)
    case .range(let range):
      digest.tag("r")
      digest.int(range.lower)
      digest.int(range.upper)
    case .tensor(let tensor):
      digest.tag("T")
      digest.tensor(tensor)
    case .list(let list):
      digest.tag("l")
      digest.int(list.count)
      for element in list.elements { try feedPart(element, into: &digest) }
    case .record(let record):
      digest.tag("R")
      digest.int(record.count)
      for (key, value) in record.fields {
        digest.string(key)
        try feedPart(value, into: &digest)
      }
    case .function(let function):
      digest.tag("F")
      try feed(function, into: &digest)
    case .object(let object):
      digest.tag("o")
      digest.string(type(of: object).typeName)
      object.hash(into: &digest)
    }
  }

  private mutating func feed(
    _ function: Function, into digest: inout Digest
  ) throws(Failure) {
    switch function.kind {
    case .builtin(let builtin): digest.string(builtin.name)
    case .script(let code, let captured):
      digest.string(code.text)
      digest.int(captured.count)
      for value in captured { try feedPart(value, into: &digest) }
    }
  }

  /// Feeds a value inside another one.
  private mutating func feedPart(
    _ value: Value, into digest: inout Digest
  ) throws(Failure) {
    let key: Key?
    switch value {
    case .list(let list):
      key = list.elements.withUnsafeBufferPointer {
        Key(address: UInt(bitPattern: $0.baseAddress), count: $0.count)
      }
    case .record(let record): key = Key(address: record.identity, count: -1)
    case .function(let function):
      key = Key(address: UInt(bitPattern: Unmanaged.passUnretained(function).toOpaque()), count: -2)
    default: key = nil
    }
    guard let key else {
      try feed(value, into: &digest)
      return
    }
    let bytes: [UInt8]
    if let found = known[key] {
      bytes = found
    } else {
      bytes = try self.digest(of: value)
      known[key] = bytes
    }
    digest.bytes(bytes)
  }
}
