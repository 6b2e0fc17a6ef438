import Checkpoints
import Foundation
import Pictures
import Tensors

/// LPIPS: how different two pictures look, by the layers of an AlexNet.
///
/// Source: Zhang et al., arXiv 1801.03924, eq. 1; the lpips package (`net="alex"`), whose keys and
/// sizes the folder has. A `config.json` may name other `channels`.
public struct PerceptualDistance: Sendable {
  private let shift: Tensor  // scaling_layer.shift
  private let scale: Tensor  // scaling_layer.scale
  private let layers: [Convolution2D]  // net.sliceN.M
  private let weights: [Tensor]  // linN.model.1.weight

  /// AlexNet's convolutions: key, kernel, stride, padding, and whether a maximum stands before.
  private static let plan: [(key: String, kernel: Int, stride: Int, padding: Int, pools: Bool)] = [
    ("net.slice1.0", 11, 4, 2, false), ("net.slice2.3", 5, 1, 2, true),
    ("net.slice3.6", 3, 1, 1, true), ("net.slice4.8", 3, 1, 1, false),
    ("net.slice5.10", 3, 1, 1, false),
  ]

  /// Width and height of the smallest pictures that reach the last layer.
  public static let smallestSide = 31

  /// Reads a folder with the weights and, for other sizes than AlexNet's own, a `config.json`.
  ///
  /// Throws `EvokeError` naming the file for whatever is missing, damaged or unsupported.
  public init(folder: URL) throws {
    let url = folder.appendingPathComponent("config.json")
    var channels = [64, 192, 384, 256, 256]
    if FileManager.default.fileExists(atPath: url.path) {
      let config = try Config(url)
      channels = try config.ints("channels", default: channels)
      guard channels.count == 5, channels.allSatisfy({ (1...1 << 16).contains($0) }) else {
        throw EvokeError(.format, "\(config.source): \"channels\" needs five sizes")
      }
    }
    let weights = try Weights(folder: folder)
    shift = try weights.tensor("scaling_layer.shift", [1, 3, 1, 1]).reshaped([3])
    scale = try weights.tensor("scaling_layer.scale", [1, 3, 1, 1]).reshaped([3])
    layers = try Self.plan.enumerated().map { index, layer in
      let p = layer.padding
      return try weights.convolution(
        layer.key, index == 0 ? 3 : channels[index - 1], channels[index], kernel: layer.kernel,
        stride: layer.stride, padding: .explicit(top: p, left: p, bottom: p, right: p))
    }
    self.weights = try channels.enumerated().map { index, count in
      try weights.tensor("lin\(index).model.1.weight", [1, count, 1, 1]).reshaped([count])
    }
  }

  /// The distances of pictures of one size, each of `a` from the one at its place in `b`.
  ///
  /// Throws `EvokeError(.shape)` for pictures of different sizes, too small ones, or different
  /// numbers of them.
  public func distances(_ a: [Picture], _ b: [Picture]) throws -> [Double] {
    guard a.count == b.count else {
      throw EvokeError(.shape, "\(a.count) pictures beside \(b.count)")
    }
    try checkSizes(a + b)
    return zip(a, b).map { distance(features($0), features($1)) }
  }

  /// The mean distance of all pairs of a picture of `a` and one of `b`, all of one size.
  ///
  /// Throws `EvokeError(.shape)` for pictures of different sizes or too small ones, (.value) for
  /// none, and what `checkpoint` throws.
  public func mean(
    _ a: [Picture], _ b: [Picture], checkpoint: () throws -> Void = {}
  ) throws -> Double {
    guard !a.isEmpty, !b.isEmpty else { throw EvokeError(.value, "there are no pictures") }
    try checkSizes(a + b)
    let seen = b.map(features)
    var sum = 0.0
    for picture in a {
      try checkpoint()
      let own = features(picture)
      for other in seen { sum += distance(own, other) }
    }
    return sum / Double(a.count * b.count)
  }

  private func checkSizes(_ pictures: [Picture]) throws {
    for picture in pictures {
      guard picture.width == pictures[0].width, picture.height == pictures[0].height,
        min(picture.width, picture.height) >= Self.smallestSide
      else {
        throw EvokeError(
          .shape,
          "pictures to compare are of one size, at least \(Self.smallestSide) pixels wide: "
            + "\(pictures[0].width)×\(pictures[0].height), \(picture.width)×\(picture.height)")
      }
    }
  }

  /// What every layer sees of a picture, [1, h, w, C] each.
  private func features(_ picture: Picture) -> [Tensor] {
    let pixels = picture.tensor()
    var x = normalized(pixels.reshaped([1] + pixels.shape).channelsLast())
    return zip(layers, Self.plan).map { layer, plan in
      if plan.pools { x = x.maximum3x3() }
      x = layer(x).activated(.relu)
      return x
    }
  }

  private func normalized(_ x: Tensor) -> Tensor {
    let (shift, scale) = (shift.values, scale.values)
    return Tensor(shape: x.shape) { to in
      x.withUnsafeValues { from in
        for i in 0..<from.count { to[i] = (from[i] - shift[i % 3]) / scale[i % 3] }
      }
    }
  }

  /// Σ over layers of the mean over places of w · (â − b̂)², â with unit length over channels.
  private func distance(_ a: [Tensor], _ b: [Tensor]) -> Double {
    var total = 0.0
    for ((x, y), weight) in zip(zip(a, b), weights) {
      let channels = weight.count
      var sum = 0.0
      x.withUnsafeValues { x in
        y.withUnsafeValues { y in
          weight.withUnsafeValues { w in
            for place in stride(from: 0, to: x.count, by: channels) {
              var (p, q) = (0.0, 0.0)
              for i in place..<place + channels {
                p += Double(x[i]) * Double(x[i])
                q += Double(y[i]) * Double(y[i])
              }
              (p, q) = (p.squareRoot() + 1e-10, q.squareRoot() + 1e-10)
              for i in 0..<channels {
                let difference = Double(x[place + i]) / p - Double(y[place + i]) / q
                sum += Double(w[i]) * difference * difference
              }
            }
          }
        }
      }
      total += sum / Double(x.count / channels)
    }
    return total
  }
}

extension Tensor {
  /// The greatest of every 3 × 3 places, two apart: [1, H, W, C] → [1, (H − 3) / 2 + 1, …, C].
  fileprivate func maximum3x3() -> Tensor {
    let (width, channels) = (shape[2], shape[3])
    let rows = Swift.max(0, (shape[1] - 3) / 2 + 1)
    let columns = Swift.max(0, (width - 3) / 2 + 1)
    return Tensor(shape: [1, rows, columns, channels]) { to in
      withUnsafeValues { from in
        for place in 0..<rows * columns * channels {
          let (channel, at) = (place % channels, place / channels)
          let corner = (at / columns * 2 * width + at % columns * 2) * channels + channel
          var most = -Float.infinity
          for y in 0..<3 {
            for x in 0..<3 { most = Swift.max(most, from[corner + (y * width + x) * channels]) }
          }
          to[place] = most
        }
      }
    }
  }
}

extension DiffusionModel {
  /// The perceptual distance that the model's folder holds.
  ///
  /// Throws `EvokeError(.file)` if there is none.
  public func perceptualDistance() throws -> PerceptualDistance {
    try PerceptualDistance(
      folder: extra(
        "perceptual", "perceptual distance", remedy: "LPIPS's weights (net=\"alex\")"))
  }
}
