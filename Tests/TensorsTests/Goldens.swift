import Foundation
import Testing

@testable import Tensors

/// A tensor in a golden file: its shape and the base64 of its little-endian floats.
struct GoldenTensor: Decodable {
  let shape: [Int]
  let data: String

  var tensor: Tensor {
    let bytes = Data(base64Encoded: data) ?? Data()
    return Tensor(shape: shape) { to in
      for i in to.indices {
        let bits = bytes.subdata(in: (4 * i)..<(4 * i + 4)).withUnsafeBytes {
          $0.loadUnaligned(as: UInt32.self)
        }
        to[i] = Float(bitPattern: UInt32(littleEndian: bits))
      }
    }
  }
}

/// A number or a list of numbers.
enum StoredNumbers: Decodable {
  case one(Double)
  case many([Int])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let value = try? container.decode(Double.self) {
      self = .one(value)
    } else {
      self = .many(try container.decode([Int].self))
    }
  }
}

/// One call of the reference library: inputs by name, and the output "y".
struct GoldenCase: Decodable, CustomTestStringConvertible {
  let name: String
  let numbers: [String: StoredNumbers]
  let tensors: [String: GoldenTensor]

  subscript(_ name: String) -> Tensor { tensors[name]!.tensor }
  func optional(_ name: String) -> Tensor? { tensors[name]?.tensor }

  func number(_ name: String) -> Double {
    if case .one(let value)? = numbers[name] { return value }
    return .nan
  }
  func integer(_ name: String) -> Int { Int(number(name)) }
  func integers(_ name: String) -> [Int] {
    if case .many(let values)? = numbers[name] { return values }
    return []
  }

  var testDescription: String {
    let shapes = tensors.sorted { $0.key < $1.key }.map { "\($0.key)\($0.value.shape)" }
    return "\(name) \(shapes.joined(separator: " "))"
  }
}

/// The golden files: the committed ones, or those of another run of scripts/conformance/tensors.py.
enum Goldens {
  static func data(_ name: String) throws -> Data {
    if let folder = ProcessInfo.processInfo.environment["EVOKE_TENSOR_GOLDENS"] {
      return try Data(contentsOf: URL(fileURLWithPath: folder).appendingPathComponent(name))
    }
    let url = try #require(Bundle.module.resourceURL).appendingPathComponent("Goldens/\(name)")
    return try Data(contentsOf: url)
  }

  static func cases(_ name: String) throws -> [GoldenCase] {
    try JSONDecoder().decode([GoldenCase].self, from: data(name))
  }
}

/// The greatest difference, relative to the greatest expected magnitude.
func relativeError(_ actual: Tensor, _ expected: Tensor) -> Float {
  guard actual.shape == expected.shape else { return .infinity }
  var difference: Float = 0
  var size: Float = 1e-6
  for (a, e) in zip(actual.values, expected.values) {
    if a.isNaN != e.isNaN { return .infinity }
    if a.isNaN || a == e { continue }
    difference = max(difference, (a - e).magnitude)
    size = max(size, e.magnitude)
  }
  return difference / size
}

/// Units in the last place between two doubles.
func ulps(_ a: Double, _ b: Double) -> Double {
  if a == b || (a.isNaN && b.isNaN) { return 0 }
  guard a.isFinite, b.isFinite else { return .infinity }
  return (a - b).magnitude / max(b.ulp, .leastNonzeroMagnitude)
}
