/// What stands for one axis in `t[0, 2..<5]`.
public enum SliceIndex: Sendable, Equatable {
  /// One index, which drops the axis; negative ones count from the end.
  case index(Int)
  case range(Range<Int>)
  case all
}

extension Tensor {
  /// Part of a tensor; axes that are not named stay whole.
  ///
  /// - Throws: `EvokeError` of kind `.shape` for too many indices, `.value` for one outside.
  public func slice(_ ranges: [SliceIndex]) throws -> Tensor {
    guard ranges.count <= rank else {
      throw EvokeError(.shape, "\(ranges.count) indices into \(rank) axes of shape \(shape)")
    }
    var strides = [Int](repeating: 1, count: rank)
    for i in stride(from: rank - 2, through: 0, by: -1) {
      strides[i] = strides[i + 1] * shape[i + 1]
    }
    var start = 0
    var result: (shape: [Int], strides: [Int]) = ([], [])
    for axis in 0..<rank {
      let size = shape[axis]
      switch axis < ranges.count ? ranges[axis] : .all {
      case .all:
        result.shape.append(size)
        result.strides.append(strides[axis])
      case .index(let given):
        let i = given < 0 ? given + size : given
        guard 0 <= i, i < size else {
          throw EvokeError(
            .value, "index \(given) is outside axis \(axis) of size \(size) in shape \(shape)")
        }
        start += i * strides[axis]
      case .range(let range):
        guard range.lowerBound >= 0, range.upperBound <= size else {
          throw EvokeError(
            .value,
            "\(range) is outside axis \(axis) of size \(size) in shape \(shape)")
        }
        start += range.lowerBound * strides[axis]
        result.shape.append(range.count)
        result.strides.append(strides[axis])
      }
    }
    return gathered(shape: result.shape, strides: result.strides, from: start)
  }
}
