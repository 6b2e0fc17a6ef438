import Kernels

/// Memory that stored tensors lie in, for as long as this object lives.
public protocol StoredBytes: AnyObject, Sendable {
  /// The bytes will not be read for a while; the system may take their pages back.
  func release(_ bytes: UnsafeRawBufferPointer)
}

/// A tensor as a checkpoint holds it, converted only where it is used.
///
/// Layers take one and read it when they are first applied: a model's file is mapped, not loaded.
public struct StoredTensor: @unchecked Sendable {  // the bytes never change
  /// How the elements are coded, little-endian.
  public enum Format: Sendable {
    case float32, float16, bfloat16

    /// Bytes an element takes.
    public var byteCount: Int { self == .float32 ? 4 : 2 }

    var kernel: KernelFormat {
      switch self {
      case .float32: KernelFloat32
      case .float16: KernelFloat16
      case .bfloat16: KernelBFloat16
      }
    }
  }

  public let shape: [Int]
  public let format: Format
  private let bytes: UnsafeRawBufferPointer
  private let owner: any StoredBytes

  /// A view of `bytes`, which `owner` keeps in place; they need no alignment.
  public init(
    shape: [Int], format: Format, bytes: UnsafeRawBufferPointer, owner: any StoredBytes
  ) {
    precondition(bytes.count == shape.reduce(1, *) * format.byteCount)
    self.shape = shape
    self.format = format
    self.bytes = bytes
    self.owner = owner
  }

  /// The elements of a tensor, shared with it.
  public init(_ tensor: Tensor) {
    shape = tensor.shape
    format = .float32
    bytes = UnsafeRawBufferPointer(start: tensor.pointer, count: 4 * tensor.count)
    owner = tensor.storage
  }

  /// The same elements under another shape.
  public func reshaped(_ shape: [Int]) -> StoredTensor {
    StoredTensor(shape: shape, format: format, bytes: bytes, owner: owner)
  }

  /// Some indices of axis 0.
  public func rows(_ range: Range<Int>) -> StoredTensor {
    precondition(shape.count > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0])
    let size = shape.dropFirst().reduce(format.byteCount, *)
    return StoredTensor(
      shape: [range.count] + shape.dropFirst(), format: format,
      bytes: UnsafeRawBufferPointer(
        rebasing: bytes[range.lowerBound * size..<range.upperBound * size]), owner: owner)
  }

  /// The elements as float32, exactly.
  public func tensor() -> Tensor {
    withKernel { stored in
      Tensor(shape: shape) { target in
        kernel_expand(stored, target.count, target.baseAddress)
      }
    }
  }

  /// Lends the elements to a kernel, then lets their pages go.
  func withKernel<R>(_ body: (KernelStored) -> R) -> R {
    let result = body(KernelStored(from: bytes.baseAddress, format: format.kernel))
    owner.release(bytes)
    return result
  }
}

extension TensorStorage: StoredBytes {
  func release(_ bytes: UnsafeRawBufferPointer) {}
}
