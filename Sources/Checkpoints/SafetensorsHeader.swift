import Foundation
import Tensors

/// The checked header of a safetensors file.
struct SafetensorsHeader {
  struct Entry {
    let name: String
    let info: TensorInfo
  }

  let entries: [Entry]
  let metadata: [String: String]
  let dataStart: Int

  /// The reference implementation's bound on the header's length, in bytes.
  static let maximumLength = 100_000_000

  /// Reads the header of a whole file in memory; throws `EvokeError(.format)` for any lie in it.
  init(reading bytes: UnsafeRawBufferPointer, name: String) throws {
    let length = try Self.headerLength(bytes, name: name)
    dataStart = 8 + length
    let text = UnsafeRawBufferPointer(rebasing: bytes[8..<dataStart])
    guard text.first == UInt8(ascii: "{") else {
      throw EvokeError(.format, "\(name) is not a safetensors file: its header is not JSON")
    }
    let json = try JSONValue(parsing: text, source: "\(name): the header is")
    guard case .object(let members) = json else { preconditionFailure("it begins with {") }
    var entries: [Entry] = []
    var metadata: [String: String] = [:]
    for member in members {
      if member.key == "__metadata__" {
        metadata = try Self.metadata(member.value, name: name)
      } else {
        let info = try Self.info(member.value, of: "\(name): tensor \"\(member.key)\"")
        entries.append(Entry(name: member.key, info: info))
      }
    }
    self.entries = entries
    self.metadata = metadata
    try checkCoverage(of: bytes.count - dataStart, name: name)
  }

  private static func headerLength(_ bytes: UnsafeRawBufferPointer, name: String) throws -> Int {
    guard bytes.count >= 8 else {
      throw EvokeError(
        .format, "\(name) is not a safetensors file: it has \(bytes.count) bytes, the least is 8")
    }
    let stated = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard stated <= UInt64(maximumLength) else {
      throw EvokeError(
        .format,
        "\(name) is not a safetensors file: it states a header of \(stated) bytes, "
          + "the most is \(maximumLength)")
    }
    guard Int(stated) <= bytes.count - 8 else {
      throw EvokeError(
        .format,
        "\(name): the header should have \(stated) bytes, \(bytes.count - 8) are in the file",
        hint: "the file is cut off, or is no safetensors file")
    }
    return Int(stated)
  }

  private static func metadata(_ value: JSONValue, name: String) throws -> [String: String] {
    guard case .object(let members) = value else {
      throw EvokeError(.format, "\(name): __metadata__ is \(value.kindName), not an object")
    }
    var metadata: [String: String] = [:]
    for member in members {
      guard case .string(let text) = member.value else {
        throw EvokeError(
          .format,
          "\(name): __metadata__ \"\(member.key)\" is \(member.value.kindName), not a string")
      }
      metadata[member.key] = text
    }
    return metadata
  }

  private static func info(_ value: JSONValue, of what: String) throws -> TensorInfo {
    guard case .object(let members) = value else {
      throw EvokeError(.format, "\(what) is described by \(value.kindName), not an object")
    }
    if let extra = members.first(where: { !["dtype", "shape", "data_offsets"].contains($0.key) }) {
      throw EvokeError(.format, "\(what) has an unknown field \"\(extra.key)\"")
    }
    guard case .string(let code)? = value["dtype"] else {
      throw EvokeError(.format, "\(what) has no dtype")
    }
    guard let type = ElementType(rawValue: code) else {
      throw EvokeError(
        .format, "\(what) has an unknown dtype \"\(code)\"",
        hint: "known are " + ElementType.allCases.map(\.rawValue).joined(separator: ", "))
    }
    let shape = try naturals(value["shape"], "shape", of: what)
    let offsets = try naturals(value["data_offsets"], "data_offsets", of: what)
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw EvokeError(.format, "\(what) has data_offsets \(offsets): not [begin, end]")
    }
    guard let length = byteCount(shape, type), length == offsets[1] - offsets[0] else {
      throw EvokeError(
        .format,
        "\(what) of shape \(shape) and dtype \(code) does not fill the "
          + "\(offsets[1] - offsets[0]) bytes that its data_offsets give it")
    }
    return TensorInfo(type: type, shape: shape, range: offsets[0]..<offsets[1])
  }

  /// The length of a tensor in bytes, or nil when it is not representable.
  private static func byteCount(_ shape: [Int], _ type: ElementType) -> Int? {
    var count = type.byteCount
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      if overflow { return nil }
      count = product
    }
    return count
  }

  private static func naturals(_ value: JSONValue?, _ field: String, of what: String) throws
    -> [Int]
  {
    guard case .array(let elements)? = value else {
      throw EvokeError(.format, "\(what) has no list \"\(field)\"")
    }
    return try elements.map {
      guard case .int(let number) = $0, number >= 0 else {
        throw EvokeError(.format, "\(what): \"\(field)\" holds something other than sizes")
      }
      return number
    }
  }

  /// Every byte behind the header belongs to exactly one tensor.
  private func checkCoverage(of available: Int, name: String) throws {
    let sorted = entries.sorted {
      let (a, b) = ($0.info.range, $1.info.range)
      return (a.lowerBound, a.upperBound) < (b.lowerBound, b.upperBound)
    }
    var end = 0
    for entry in sorted {
      let range = entry.info.range
      guard range.upperBound <= available else {
        throw EvokeError(
          .format,
          "\(name): tensor \"\(entry.name)\" ends at byte \(range.upperBound) of the data, "
            + "which has \(available)",
          hint: "the file is cut off")
      }
      guard range.lowerBound == end else {
        let what = range.lowerBound < end ? "overlaps the one before it" : "leaves a hole before it"
        throw EvokeError(.format, "\(name): tensor \"\(entry.name)\" \(what)")
      }
      end = range.upperBound
    }
    guard end == available else {
      throw EvokeError(
        .format, "\(name): \(available - end) bytes behind the last tensor belong to none")
    }
  }
}
