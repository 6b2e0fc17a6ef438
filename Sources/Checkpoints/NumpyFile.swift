import Foundation
import Tensors

/// One array in numpy's own format, `.npy`.
///
/// Source: numpy's NEP 1 and `numpy/lib/_format_impl.py`.
public enum NumpyFile {
  private static let magic = Array("\u{93}NUMPY".unicodeScalars.map { UInt8($0.value) })

  // MARK: - Reading

  /// The array as a tensor: booleans, whole and floating-point numbers of any width and byte order
  /// become float32, in C order.
  ///
  /// - Throws: `EvokeError` (file) if the file cannot be read; (format) if it is damaged or holds
  ///   something else: objects, strings, complex numbers, records.
  public static func read(_ url: URL) throws -> Tensor {
    let file = try MappedFile(url)
    let name = url.lastPathComponent
    func damaged(_ what: String) -> EvokeError {
      EvokeError(.format, "\(name) is no readable .npy file: \(what)")
    }
    let bytes = file.bytes
    guard bytes.count >= 10, bytes.prefix(6).elementsEqual(magic) else {
      throw damaged("it does not begin with numpy's mark")
    }
    let version = Int(bytes[6])
    guard (1...3).contains(version) else { throw damaged("its version is \(version)") }
    let start = version == 1 ? 10 : 12
    guard bytes.count >= start else { throw damaged("it ends inside its header") }
    var length = 0
    for place in (8..<start).reversed() { length = length << 8 | Int(bytes[place]) }
    guard length <= 1 << 20, start + length <= bytes.count else {
      throw damaged("it ends inside its header")
    }
    let text = String(decoding: bytes[start..<start + length], as: UTF8.self)
    let header: Header
    do { header = try Header(text) } catch let error as EvokeError { throw damaged(error.message) }
    let data = UnsafeRawBufferPointer(rebasing: bytes[(start + length)...])
    let (size, overflow) = header.count.multipliedReportingOverflow(by: header.type.byteCount)
    guard !overflow, data.count >= size else {
      throw damaged("its shape \(header.shape) needs more bytes than there are")
    }
    let elements = UnsafeRawBufferPointer(rebasing: data[..<size])
    let tensor = try header.tensor(of: elements, owner: file)
    guard header.isFortranOrder, header.shape.count > 1 else { return tensor }
    return tensor.reshaped(header.shape.reversed()).transposed(
      (0..<header.shape.count).reversed())
  }

  // MARK: - Writing

  /// Writes the tensor as `numpy.save` does, in float32; the same bytes for the same tensor.
  ///
  /// - Throws: `EvokeError` (file).
  public static func write(_ tensor: Tensor, to url: URL) throws {
    let shape = tensor.shape.map(String.init).joined(separator: ", ")
    let tuple = "(\(shape)\(tensor.rank == 1 ? "," : ""))"
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': \(tuple), }"
    // numpy leaves room for the first extent to grow to 21 digits, and aligns what follows.
    if let first = tensor.shape.first {
      header += String(repeating: " ", count: 21 - String(first).count)
    }
    let length = 10 + header.utf8.count + 1
    header += String(repeating: " ", count: (64 - length % 64) % 64) + "\n"
    var data = Data(magic + [1, 0])
    let count = header.utf8.count
    data.append(contentsOf: [UInt8(count & 255), UInt8(count >> 8)])
    data.append(contentsOf: header.utf8)
    tensor.withUnsafeValues { values in
      data.append(contentsOf: UnsafeRawBufferPointer(values))
    }
    try AtomicFile.write(data, to: url)
  }
}

/// What a `.npy` file says about its array.
private struct Header {
  let type: ElementType
  let isBigEndian: Bool
  let isFortranOrder: Bool
  let shape: [Int]

  var count: Int { shape.reduce(1, *) }

  /// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
  init(_ text: String) throws {
    let code = try Self.value(of: "descr", in: text)
    guard let type = Self.types[String(code.drop { "<>|='\"".contains($0) }.prefix { $0 != "'" })]
    else {
      throw EvokeError(
        .format, "it holds \(code.prefix(40)), and only plain numbers can be read")
    }
    self.type = type
    isBigEndian = code.contains(">")
    isFortranOrder = try Self.value(of: "fortran_order", in: text).hasPrefix("True")
    let tuple = try Self.value(of: "shape", in: text)
    guard tuple.hasPrefix("("), let end = tuple.firstIndex(of: ")") else {
      throw EvokeError(.format, "its header has no shape")
    }
    var shape: [Int] = []
    var count = 1
    for part in tuple[..<end].dropFirst().split(separator: ",") {
      let digits = part.filter { $0 != " " }
      guard !digits.isEmpty else { continue }
      guard let extent = Int(digits), extent >= 0 else {
        throw EvokeError(.format, "its header has no shape")
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: max(1, extent))
      guard !overflow else { throw EvokeError(.format, "its shape is too large") }
      count = product
      shape.append(extent)
    }
    guard shape.count <= 8 else {
      throw EvokeError(.format, "a tensor has at most 8 axes, not \(shape.count)")
    }
    self.shape = shape
  }

  private static let types: [String: ElementType] = [
    "b1": .bool, "u1": .uint8, "i1": .int8, "i2": .int16, "u2": .uint16, "i4": .int32,
    "u4": .uint32, "i8": .int64, "u8": .uint64, "f2": .float16, "f4": .float32, "f8": .float64,
  ]

  /// The text behind `'key':`, up to the header's end.
  private static func value(of key: String, in text: String) throws -> Substring {
    guard let place = text.range(of: "'\(key)':") else {
      throw EvokeError(.format, "its header has no \(key)")
    }
    return text[place.upperBound...].drop { $0 == " " }
  }

  /// The elements in the order in which they are stored.
  func tensor(of elements: UnsafeRawBufferPointer, owner: any StoredBytes) throws -> Tensor {
    func tensor(_ bytes: UnsafeRawBufferPointer, _ owner: any StoredBytes) throws -> Tensor {
      try type.stored(bytes, shape: shape, owner: owner, what: "its elements").tensor()
    }
    guard isBigEndian, type.byteCount > 1 else { return try tensor(elements, owner) }
    var swapped = Array(elements)
    for start in stride(from: 0, to: swapped.count, by: type.byteCount) {
      swapped[start..<start + type.byteCount].reverse()
    }
    return try swapped.withUnsafeBytes { try tensor($0, Copy()) }
  }

  /// Stands for bytes in memory, whose pages nobody may take back.
  private final class Copy: StoredBytes {
    func release(_ bytes: UnsafeRawBufferPointer) {}
  }
}
