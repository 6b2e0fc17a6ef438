import Kernels

/// An immutable array of float32 in row-major order.
///
/// Storage is 64-byte aligned and shared: reshapes and slices along axis 0 do not copy.
public struct Tensor: Sendable {
  public let shape: [Int]
  let storage: TensorStorage
  let offset: Int

  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }
  public var rank: Int { shape.count }

  init(shape: [Int], storage: TensorStorage, offset: Int = 0) {
    self.shape = shape
    self.storage = storage
    self.offset = offset
  }

  /// A tensor whose elements `fill` writes, in row-major order; they start undefined.
  public init(shape: [Int], fill: (UnsafeMutableBufferPointer<Float>) throws -> Void) rethrows {
    precondition(shape.allSatisfy { $0 >= 0 }, "negative size in \(shape)")
    let storage = TensorStorage(count: shape.reduce(1, *))
    try fill(UnsafeMutableBufferPointer(start: storage.base, count: storage.count))
    self.init(shape: shape, storage: storage)
  }

  /// A tensor of the given elements, as many as the shape holds.
  public init(shape: [Int], values: [Float]) {
    precondition(
      values.count == shape.reduce(1, *), "\(values.count) values do not fill \(shape)")
    self.init(shape: shape) { to in _ = to.initialize(from: values) }
  }

  public init(zeros shape: [Int]) { self.init(repeating: 0, shape: shape) }

  public init(repeating value: Float, shape: [Int]) {
    self.init(shape: shape) { $0.initialize(repeating: value) }
  }

  /// The elements, copied out.
  public var values: [Float] { withUnsafeValues(Array.init) }

  /// Lends the elements to `body`, which must not keep the pointer.
  public func withUnsafeValues<R>(
    _ body: (UnsafeBufferPointer<Float>) throws -> R
  ) rethrows -> R {
    defer { withExtendedLifetime(storage) {} }
    return try body(UnsafeBufferPointer(start: storage.base + offset, count: count))
  }

  /// One element; as many indices as axes.
  public subscript(_ index: Int...) -> Float {
    precondition(index.count == rank, "\(index.count) indices into \(shape)")
    var position = 0
    for (i, size) in zip(index, shape) {
      precondition(0 <= i && i < size, "index \(index) outside \(shape)")
      position = position * size + i
    }
    return storage.base[offset + position]
  }

  /// Where the elements start; valid while the tensor lives.
  var pointer: UnsafePointer<Float> { UnsafePointer(storage.base + offset) }
}

extension Tensor: Equatable {
  /// Same shape and the same bits (so NaN equals NaN, and 0 differs from −0).
  public static func == (a: Tensor, b: Tensor) -> Bool {
    guard a.shape == b.shape else { return false }
    return a.withUnsafeValues { x in
      b.withUnsafeValues { y in
        zip(x, y).allSatisfy { $0.bitPattern == $1.bitPattern }
      }
    }
  }
}

/// The memory behind tensors. Written only while `Tensor.init(shape:fill:)` runs, before anything
/// else can see it: that is why sharing it between threads is safe.
final class TensorStorage: @unchecked Sendable {
  let base: UnsafeMutablePointer<Float>
  let count: Int
  private let capacity: Int

  /// - Parameter capacity: what the block takes at least, where blocks of different counts shall be
  ///   recycled for each other; pages that are not written take no memory.
  init(count: Int, capacity: Int = 0) {
    self.count = count
    self.capacity = max(count, capacity)
    base = kernel_allocate(self.capacity)
    #if DEBUG
      // Blocks are recycled: what a `fill` leaves unwritten must show in the tests.
      base.initialize(repeating: .nan, count: count)
    #endif
  }

  deinit { kernel_release(base, capacity) }
}
