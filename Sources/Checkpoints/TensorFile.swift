import Foundation
import Tensors

/// A file of named tensors, mapped into memory.
protocol TensorFile: Sendable {
  /// Where the file is.
  var url: URL { get }
  /// The tensors' names in the order of the file.
  var names: [String] { get }
  /// A tensor's shape; nil for an unknown name.
  func shape(of name: String) -> [Int]?
  /// A tensor's elements where they lie; throws `EvokeError(.name)` for an unknown name and `.type`
  /// for elements that cannot be turned into float32.
  func stored(_ name: String) throws -> StoredTensor
}

/// Where a model's tensor is found, and what of it.
struct TensorPlace: Sendable {
  let file: any TensorFile
  /// Its name in the file.
  let key: String
  /// Its shape as the model has it.
  let shape: [Int]
  /// The part of axis 0 that it is, where the file keeps several in one.
  var rows: Range<Int>?
  /// Whether the file has the two axes the other way round.
  var isTransposed = false

  func stored() throws -> StoredTensor {
    var found = try file.stored(key)
    if let rows { found = found.rows(rows) }
    if isTransposed { found = StoredTensor(found.tensor().transposed([1, 0])) }
    return found.reshaped(shape)
  }
}
