import Tensors

extension Picture {
  /// The picture as the models see it: [3, height, width], each value v ∈ 0…255 as 2·(v/255) − 1.
  ///
  /// Source: diffusers, `VaeImageProcessor.pil_to_numpy` and `normalize`, float32.
  public func tensor() -> Tensor {
    let plane = width * height
    return Tensor(shape: [3, height, width]) { values in
      pixels.withUnsafeBufferPointer { pixels in
        for i in 0..<plane {
          for channel in 0..<3 {
            values[channel * plane + i] = 2 * (Float(pixels[3 * i + channel]) / 255) - 1
          }
        }
      }
    }
  }

  /// The picture of a tensor [3, height, width] in −1…1: (x/2 + 1/2) clamped to 0…1, times 255,
  /// rounded half to even; NaN is black.
  ///
  /// Source: diffusers, `VaeImageProcessor.denormalize` and `numpy_to_pil`, float32.
  public init(tensor: Tensor) throws {
    guard tensor.rank == 3, tensor.shape[0] == 3, tensor.shape[1] > 0, tensor.shape[2] > 0 else {
      throw EvokeError(
        .shape, "a picture is a tensor [3, height, width], and this one is \(tensor.shape)",
        hint: "of a batch [n, 3, height, width] take one picture, such as t[0]")
    }
    let (height, width) = (tensor.shape[1], tensor.shape[2])
    let plane = width * height
    self.init(width: width, height: height) { pixels in
      tensor.withUnsafeValues { values in
        for i in 0..<plane {
          for channel in 0..<3 {
            let value = values[channel * plane + i] * 0.5 + 0.5
            // Comparisons with NaN are false, which leaves 0.
            let clamped: Float = value >= 1 ? 1 : value > 0 ? value : 0
            pixels[3 * i + channel] = UInt8((clamped * 255).rounded(.toNearestOrEven))
          }
        }
      }
    }
  }

  /// The pictures of a batch [n, 3, height, width] in −1…1.
  public static func pictures(of batch: Tensor) throws -> [Picture] {
    guard batch.rank == 4, batch.shape[1] == 3 else {
      throw EvokeError(
        .shape, "pictures are a tensor [n, 3, height, width], and this one is \(batch.shape)")
    }
    return try (0..<batch.shape[0]).map { try Picture(tensor: batch.row($0)) }
  }
}

/// Pictures of one size as a batch [n, 3, height, width] in −1…1.
public func tensor(of pictures: [Picture]) throws -> Tensor {
  guard let first = pictures.first else {
    throw EvokeError(.value, "there are no pictures to make a tensor of")
  }
  if let other = pictures.first(where: { $0.width != first.width || $0.height != first.height }) {
    throw EvokeError(
      .shape,
      "pictures of a batch have one size, and these are \(first.width)×\(first.height) and "
        + "\(other.width)×\(other.height)")
  }
  return Tensor.stacked(pictures.map { $0.tensor() })
}
