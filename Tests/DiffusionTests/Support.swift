import Checkpoints
import Foundation
import Tensors

@testable import Diffusion

/// A file or folder below `Goldens`.
func golden(_ path: String) -> URL {
  Bundle.module.resourceURL!.appendingPathComponent("Goldens").appendingPathComponent(path)
}

/// ‖a − b‖ / ‖b‖ over all elements.
func relativeError(_ a: Tensor, _ b: Tensor) -> Double {
  guard a.shape == b.shape else { return .infinity }
  var difference = 0.0
  var size = 0.0
  for (x, y) in zip(a.values, b.values) {
    difference += Double(x - y) * Double(x - y)
    size += Double(y) * Double(y)
  }
  return (difference / size).squareRoot()
}

/// Largest |a − b|.
func largestDifference(_ a: Tensor, _ b: Tensor) -> Double {
  guard a.shape == b.shape else { return .infinity }
  return zip(a.values, b.values).map { Double(abs($0 - $1)) }.max() ?? 0
}

/// A copy of a golden folder with one key of a JSON file replaced, to see it refused.
func altered(_ folder: String, _ file: String, _ key: String, _ value: String) throws -> URL {
  let copy = FileManager.default.temporaryDirectory
    .appendingPathComponent("evoke-\(UUID().uuidString)")
  try FileManager.default.copyItem(at: golden(folder), to: copy)
  let url = copy.appendingPathComponent(file)
  var json = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as! [String: Any]
  json[key] = try JSONSerialization.jsonObject(
    with: Data(value.utf8), options: .fragmentsAllowed)
  try JSONSerialization.data(withJSONObject: json).write(to: url)
  return copy
}
