import Checkpoints
import Tensors

/// Two 3×3 convolutions with group norms around a shortcut, shifted by the timestep.
///
/// Source: diffusers `ResnetBlock2D` with `time_embedding_norm = "default"`.
struct ResnetBlock: Sendable {
  let norm1: GroupNorm  // norm1
  let conv1: Convolution2D  // conv1
  let timeProjection: Linear?  // time_emb_proj
  let norm2: GroupNorm  // norm2
  let conv2: Convolution2D  // conv2
  let shortcut: Linear?  // conv_shortcut, a 1×1 convolution
  let activation: Activation

  /// The parts that every resnet of a model shares.
  struct Style: Sendable {
    var groups: Int
    var epsilon: Float
    var activation: Activation
    /// Width of the time embedding; `nil` in an autoencoder.
    var timeWidth: Int?
    /// Positions of the map at this level for pictures of the model's own size, 0 where unknown.
    var positions = 0
  }

  init(_ weights: Weights, _ input: Int, _ output: Int, _ style: Style) throws {
    let groups = style.groups
    activation = style.activation
    norm1 = try weights.groupNorm("norm1", input, groups: groups, epsilon: style.epsilon)
    conv1 = try weights.convolution("conv1", input, output, positions: style.positions)
    timeProjection = try style.timeWidth.map { try weights.linear("time_emb_proj", $0, output) }
    norm2 = try weights.groupNorm("norm2", output, groups: groups, epsilon: style.epsilon)
    conv2 = try weights.convolution("conv2", output, output, positions: style.positions)
    shortcut =
      input == output ? nil : try weights.linear("conv_shortcut", input, output, pointwise: true)
  }

  /// Maps `[N, H, W, input]` to `[N, H, W, output]`; `time` is the activated embedding `[N, T]`.
  func callAsFunction(_ x: Tensor, time: Tensor? = nil) -> Tensor {
    let shift = timeProjection.flatMap { projection in time.map { projection($0) } }
    let hidden = conv1(norm1(x, activation: activation), addingPerSample: shift)
    return conv2(norm2(hidden, activation: activation), adding: shortcut.map { $0(x) } ?? x)
  }

  /// The same with the pullback to x.
  func recorded(_ x: Tensor, time: Tensor? = nil) -> (Tensor, Pullback) {
    let shift = timeProjection.flatMap { projection in time.map { projection($0) } }
    let hidden = conv1(norm1(x, activation: activation), addingPerSample: shift)
    let y = conv2(norm2(hidden, activation: activation), adding: shortcut.map { $0(x) } ?? x)
    return (
      y,
      { dy in
        let dHidden = norm2.gradient(
          conv2.gradient(dy, of: hidden.shape), at: hidden, activation: activation)
        return norm1.gradient(
          conv1.gradient(dHidden, of: x.shape), at: x, activation: activation,
          adding: shortcut.map { $0.gradient(dy) } ?? dy)
      }
    )
  }
}

/// A 3×3 convolution of stride 2.
///
/// Source: diffusers `Downsample2D`.
struct Downsample: Sendable {
  let conv: Convolution2D  // downsamplers.0.conv

  /// `padding: 0` pads one row below and one column to the right, as the autoencoder does.
  init(_ weights: Weights, _ channels: Int, padding: Int) throws {
    conv = try weights.convolution(
      "downsamplers.0.conv", channels, channels, stride: 2,
      padding: padding == 0
        ? .explicit(top: 0, left: 0, bottom: 1, right: 1)
        : .explicit(top: padding, left: padding, bottom: padding, right: padding))
  }

  func callAsFunction(_ x: Tensor) -> Tensor { conv(x) }

  /// The gradient of an input of a shape from that of the output.
  func gradient(_ dy: Tensor, of shape: [Int]) -> Tensor { conv.gradient(dy, of: shape) }
}

/// Nearest-neighbour enlargement and a 3×3 convolution.
///
/// Source: diffusers `Upsample2D`.
struct Upsample: Sendable {
  let conv: Convolution2D  // upsamplers.0.conv

  init(_ weights: Weights, _ channels: Int, positions: Int = 0) throws {
    conv = try weights.convolution(
      "upsamplers.0.conv", channels, channels, positions: positions)
  }

  /// Enlarges `[N, H, W, C]` twofold, or to `size` where an odd size was halved on the way down.
  func callAsFunction(_ x: Tensor, to size: (height: Int, width: Int)? = nil) -> Tensor {
    guard let size, size != (2 * x.shape[1], 2 * x.shape[2]) else {
      return conv(x.upsampledNearest2x())
    }
    return conv(x.resizedNearest(height: size.height, width: size.width))
  }

  /// The gradient of an input of a shape from that of the output.
  func gradient(_ dy: Tensor, of shape: [Int]) -> Tensor {
    conv.gradient(dy, of: dy.shape).enlargementGradient(
      of: shape, rows: nearestSources(dy.shape[1], from: shape[1]),
      columns: nearestSources(dy.shape[2], from: shape[2]))
  }
}

extension Tensor {
  /// `[N, H, W, C]` to another size by `nearestSources`.
  func resizedNearest(height: Int, width: Int) -> Tensor {
    let (n, h, w, c) = (shape[0], shape[1], shape[2], shape[3])
    let (rows, columns) = (nearestSources(height, from: h), nearestSources(width, from: w))
    return withUnsafeValues { source in
      Tensor(shape: [n, height, width, c]) { target in
        var place = 0
        for sample in 0..<n {
          for row in rows {
            for column in columns {
              let start = ((sample * h + row) * w + column) * c
              _ = UnsafeMutableBufferPointer(rebasing: target[place..<place + c])
                .update(fromContentsOf: source[start..<start + c])
              place += c
            }
          }
        }
      }
    }
  }
}

/// Where each of `count` rows of an enlargement comes from: row y from ⌊y · size/count⌋.
///
/// Source: torch `interpolate(mode: "nearest")`, which computes the quotient in float32.
private func nearestSources(_ count: Int, from size: Int) -> [Int] {
  let scale = Float(size) / Float(count)
  return (0..<count).map { min(Int(Float($0) * scale), size - 1) }
}
