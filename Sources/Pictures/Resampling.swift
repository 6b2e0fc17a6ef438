import Tensors

/// How `Picture.resized` weighs the pixels around a point.
public enum ResamplingFilter: String, CaseIterable, Sendable {
  /// The nearest pixel, nothing averaged.
  case nearest
  /// The mean of the covered pixels.
  case box
  /// A triangle of radius 1.
  case bilinear
  /// Keys' cubic with a = −1/2, radius 2.
  case bicubic
  /// The sinc windowed by a wider one, radius 3.
  case lanczos

  /// Half the width over which the filter is not zero, in pixels of the smaller scale.
  var radius: Double {
    switch self {
    case .nearest: 0
    case .box: 0.5
    case .bilinear: 1
    case .bicubic: 2
    case .lanczos: 3
    }
  }

  func weight(_ distance: Double) -> Double {
    let x = abs(distance)
    switch self {
    case .nearest: return 1
    // Pillow's box is half-open: a pixel on the boundary counts once.
    case .box: return distance > -0.5 && distance <= 0.5 ? 1 : 0
    case .bilinear: return x < 1 ? 1 - x : 0
    case .bicubic:
      let a = -0.5
      if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
      if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
      return 0
    case .lanczos: return x < 3 ? sinc(distance) * sinc(distance / 3) : 0
    }
  }
}

private func sinc(_ x: Double) -> Double {
  if x == 0 { return 1 }
  let angle = x * Double.pi
  return Elementary.sin(angle) / angle
}

extension Picture {
  /// Resampled to another size, byte for byte as Pillow does it (`Image.resize`): when shrinking,
  /// the filter is widened so that every pixel counts; weights and sums are fixed-point with 22
  /// fractional bits, and after the first of the two directions values are rounded to 8 bits.
  ///
  /// Source: Pillow 13, `src/libImaging/Resample.c` and, for `.nearest`, `Geometry.c`.
  public func resized(width newWidth: Int, height newHeight: Int, filter: ResamplingFilter)
    -> Picture
  {
    precondition(newWidth > 0 && newHeight > 0)
    if newWidth == width && newHeight == height { return self }
    if filter == .nearest {
      let columns = nearestPositions(from: width, to: newWidth)
      let rows = nearestPositions(from: height, to: newHeight)
      return rearranged(width: newWidth, height: newHeight) { (columns[$0], rows[$1]) }
    }
    // Pillow 13 combines rows first where much more height than width goes; earlier versions never
    // do, and then single bytes may differ by one.
    let rowsFirst = newHeight < height && height - newHeight > 2 * (width - newWidth)
    return rowsFirst
      ? resampledDown(to: newHeight, filter).resampledAcross(to: newWidth, filter)
      : resampledAcross(to: newWidth, filter).resampledDown(to: newHeight, filter)
  }

  private func resampledAcross(to newWidth: Int, _ filter: ResamplingFilter) -> Picture {
    if newWidth == width { return self }
    let taps = ResamplingTaps(from: width, to: newWidth, filter: filter)
    return Picture(width: taps.count, height: height) { target in
      withUnsafeBytes(taps) { source, starts, weights in
        var output = 0
        for y in 0..<height {
          for x in 0..<taps.count {
            let first = (y * width + starts[x]) * 3
            for channel in 0..<3 {
              target[output] = taps.sum(weights, at: x, source, from: first + channel, stride: 3)
              output += 1
            }
          }
        }
      }
    }
  }

  private func resampledDown(to newHeight: Int, _ filter: ResamplingFilter) -> Picture {
    if newHeight == height { return self }
    let taps = ResamplingTaps(from: height, to: newHeight, filter: filter)
    return Picture(width: width, height: taps.count) { target in
      withUnsafeBytes(taps) { source, starts, weights in
        let stride = width * 3
        var output = 0
        for y in 0..<taps.count {
          for column in 0..<stride {
            let first = starts[y] * stride + column
            target[output] = taps.sum(weights, at: y, source, from: first, stride: stride)
            output += 1
          }
        }
      }
    }
  }

  private func withUnsafeBytes(
    _ taps: ResamplingTaps,
    _ body: (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<Int>, UnsafeBufferPointer<Int32>) ->
      Void
  ) {
    pixels.withUnsafeBufferPointer { pixels in
      taps.starts.withUnsafeBufferPointer { starts in
        taps.weights.withUnsafeBufferPointer { body(pixels, starts, $0) }
      }
    }
  }
}

/// Which source pixels make each pixel along one axis, and with what weights.
private struct ResamplingTaps {
  static let fractionBits: Int32 = 22

  let count: Int
  /// The most weights of a pixel; `weights` holds this many for each, zeros at the end.
  let width: Int
  private(set) var starts: [Int] = []
  private(set) var lengths: [Int] = []
  private(set) var weights: [Int32] = []

  init(from sourceCount: Int, to count: Int, filter: ResamplingFilter) {
    self.count = count
    let scale = Double(sourceCount) / Double(count)
    let widening = max(scale, 1)
    let radius = filter.radius * widening
    width = Int(radius.rounded(.up)) * 2 + 1
    let inverse = 1 / widening
    for position in 0..<count {
      let centre = (Double(position) + 0.5) * scale
      let start = max(0, Int(centre - radius + 0.5))
      let end = min(sourceCount, Int(centre + radius + 0.5))
      var row = (start..<end).map { filter.weight((Double($0) - centre + 0.5) * inverse) }
      let sum = row.reduce(0, +)
      if sum != 0 { row = row.map { $0 / sum } }
      starts.append(start)
      lengths.append(row.count)
      weights += row.map(Self.fixedPoint) + [Int32](repeating: 0, count: width - row.count)
    }
  }

  private static func fixedPoint(_ weight: Double) -> Int32 {
    let scaled = weight * Double(1 << fractionBits)
    return Int32(weight < 0 ? scaled - 0.5 : scaled + 0.5)
  }

  @inline(__always)
  func sum(
    _ weights: UnsafeBufferPointer<Int32>, at position: Int, _ source: UnsafeBufferPointer<UInt8>,
    from first: Int, stride: Int
  ) -> UInt8 {
    var total: Int32 = 1 << (Self.fractionBits - 1)
    var weight = position * width
    var index = first
    for _ in 0..<lengths[position] {
      total &+= Int32(source[index]) &* weights[weight]
      weight += 1
      index += stride
    }
    return UInt8(clamping: total >> Self.fractionBits)
  }
}

/// The source index of each position; the step is added up as Pillow does, whose rounding shows.
private func nearestPositions(from sourceCount: Int, to count: Int) -> [Int] {
  let step = Double(sourceCount) / Double(count)
  var position = step * 0.5
  return (0..<count).map { _ in
    defer { position += step }
    return min(Int(position), sourceCount - 1)
  }
}
