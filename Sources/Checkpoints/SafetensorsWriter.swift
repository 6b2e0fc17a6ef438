import Foundation
import Tensors

/// Writing safetensors files.
public enum Safetensors {
  /// The element types that can be written.
  public enum StoredType: String, Sendable, CaseIterable {
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"
  }

  /// Writes tensors in the given order, to a temporary name and then renamed: the same input gives
  /// the same bytes, and a failure leaves nothing behind.
  ///
  /// Throws `EvokeError(.name)` for a repeated or reserved name and `.file` when it cannot write.
  public static func write(
    _ tensors: [(String, Tensor)], metadata: [(String, String)] = [], to url: URL,
    as type: StoredType = .f32
  ) throws {
    try AtomicFile.write(try data(tensors, metadata: metadata, as: type), to: url)
  }

  /// The bytes that `write` writes.
  public static func data(
    _ tensors: [(String, Tensor)], metadata: [(String, String)] = [], as type: StoredType = .f32
  ) throws -> Data {
    let width = type == .f32 ? 4 : 2
    var names: Set<String> = ["__metadata__"]
    var fields: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.map { "\(quoted($0.0)):\(quoted($0.1))" }
      fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
      guard Set(metadata.map(\.0)).count == metadata.count else {
        throw EvokeError(.name, "two metadata entries have the same name")
      }
    }
    var end = 0
    for (name, tensor) in tensors {
      guard names.insert(name).inserted else {
        throw EvokeError(.name, "a tensor cannot be stored as \"\(name)\": the name is taken")
      }
      let begin = end
      end += tensor.count * width
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      fields.append(
        "\(quoted(name)):{\"dtype\":\"\(type.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(begin),\(end)]}")
    }
    var header = Array("{\(fields.joined(separator: ","))}".utf8)
    // The data begins on a multiple of 8, as the reference writer has it.
    while header.count % 8 != 0 { header.append(0x20) }
    var data = Data(capacity: 8 + header.count + end)
    withUnsafeBytes(of: UInt64(header.count).littleEndian) { data.append(contentsOf: $0) }
    data.append(contentsOf: header)
    for (_, tensor) in tensors { append(tensor, as: type, to: &data) }
    return data
  }

  private static func append(_ tensor: Tensor, as type: StoredType, to data: inout Data) {
    tensor.withUnsafeValues { values in
      switch type {
      case .f32: data.append(contentsOf: UnsafeRawBufferPointer(values))
      case .f16: appendHalves(values.map(half(from:)), to: &data)
      case .bf16: appendHalves(values.map(bfloat(from:)), to: &data)
      }
    }
  }

  private static func appendHalves(_ halves: [UInt16], to data: inout Data) {
    halves.withUnsafeBytes { data.append(contentsOf: $0) }
  }

  /// A JSON string literal.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
