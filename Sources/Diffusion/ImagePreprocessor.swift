import Checkpoints
import Foundation
import Pictures
import Tensors

/// Turns pictures into what a CLIP image encoder takes.
///
/// Source: transformers `CLIPImageProcessorPil`, whose resampling is Pillow's; `preprocessor_config.json`.
struct ImagePreprocessor: Sendable {
  private enum Size: Sendable {
    case shortestEdge(Int)
    case exact(width: Int, height: Int)
  }

  private let size: Size?
  private let crop: (width: Int, height: Int)?
  private let filter: ResamplingFilter
  private let scale: Double
  private let mean: [Double]
  private let deviation: [Double]

  /// Reads `preprocessor_config.json`; without the file CLIP's own values hold, at the given size.
  ///
  /// - Parameter crops: whether pictures are cut if the file does not say: CLIP's are, BLIP's not.
  init(folder: URL, pictureSize: Int, crops: Bool = true) throws {
    let url = folder.appendingPathComponent("preprocessor_config.json")
    let isThere = FileManager.default.fileExists(atPath: url.path)
    let config = try isThere ? Config(url) : Config(.object([]), source: url.path)
    filter = try Self.filter(config)
    scale =
      try config.bool("do_rescale", default: true)
      ? config.double("rescale_factor", default: 1 / 255.0) : 1
    let normalizes = try config.bool("do_normalize", default: true)
    mean =
      try normalizes
      ? config.doubles("image_mean", default: [0.48145466, 0.4578275, 0.40821073]) : [0, 0, 0]
    deviation =
      try normalizes
      ? config.doubles("image_std", default: [0.26862954, 0.26130258, 0.27577711]) : [1, 1, 1]
    guard mean.count == 3, deviation.count == 3, deviation.allSatisfy({ $0 > 0 }) else {
      throw EvokeError(.format, "\(config.source): image_mean and image_std need three values")
    }
    let fallback = isThere ? 224 : pictureSize
    size =
      try config.bool("do_resize", default: true)
      ? Self.size(config, "size", default: .shortestEdge(fallback)) : nil
    if try config.bool("do_center_crop", default: crops) {
      switch try Self.size(
        config, "crop_size", default: .exact(width: fallback, height: fallback))
      {
      case .exact(let width, let height): crop = (width, height)
      case .shortestEdge(let side): crop = (side, side)
      }
    } else {
      crop = nil
    }
  }

  /// Pillow's numbers of its filters.
  private static func filter(_ config: Config) throws -> ResamplingFilter {
    switch try config.int("resample", default: 3) {
    case 0: .nearest
    case 1: .lanczos
    case 2: .bilinear
    case 3: .bicubic
    case 4: .box
    case let other: throw EvokeError(.format, "\(config.source): unknown \"resample\" \(other)")
    }
  }

  /// A size as any version of transformers writes it: a number, or an object.
  private static func size(_ config: Config, _ key: String, default fallback: Size) throws -> Size {
    guard let value = config.value(key) else { return fallback }
    if case .int = value { return .shortestEdge(try config.size(key)) }
    let object = try config.config(key)
    if object.has("shortest_edge") { return .shortestEdge(try object.size("shortest_edge")) }
    return .exact(width: try object.size("width"), height: try object.size("height"))
  }

  /// Pictures → [n, 3, H, W], normalised.
  ///
  /// Throws `EvokeError(.shape)` when they come out in different sizes or not in `side` × `side`.
  func callAsFunction(_ pictures: [Picture], side: Int) throws -> Tensor {
    let prepared = pictures.map { cropped(resized($0)) }
    for picture in prepared where picture.width != side || picture.height != side {
      throw EvokeError(
        .shape,
        "the preprocessor makes pictures of \(picture.width)×\(picture.height), "
          + "the image encoder takes \(side)×\(side)")
    }
    return Tensor(shape: [prepared.count, 3, side, side]) { target in
      var place = 0
      for picture in prepared {
        for channel in 0..<3 {
          for pixel in 0..<side * side {
            let value = Double(picture.pixels[3 * pixel + channel]) * scale
            target[place] = Float((value - mean[channel]) / deviation[channel])
            place += 1
          }
        }
      }
    }
  }

  private func resized(_ picture: Picture) -> Picture {
    switch size {
    case nil: return picture
    case .exact(let width, let height):
      return picture.resized(width: width, height: height, filter: filter)
    case .shortestEdge(let side):
      let (short, long) = (min(picture.width, picture.height), max(picture.width, picture.height))
      let other = Int(Double(side * long) / Double(short))
      return picture.width <= picture.height
        ? picture.resized(width: side, height: other, filter: filter)
        : picture.resized(width: other, height: side, filter: filter)
    }
  }

  /// The middle of a picture; where the picture is too small, black is added around it.
  private func cropped(_ picture: Picture) -> Picture {
    guard let crop, crop.width != picture.width || crop.height != picture.height else {
      return picture
    }
    let top = (picture.height - crop.height) >> 1  // rounds down, also below zero
    let left = (picture.width - crop.width) >> 1
    var pixels = [UInt8](repeating: 0, count: crop.width * crop.height * 3)
    for y in 0..<crop.height where (0..<picture.height).contains(y + top) {
      for x in 0..<crop.width where (0..<picture.width).contains(x + left) {
        for channel in 0..<3 {
          pixels[(y * crop.width + x) * 3 + channel] =
            picture.pixels[((y + top) * picture.width + x + left) * 3 + channel]
        }
      }
    }
    return Picture(width: crop.width, height: crop.height, pixels: pixels)
  }
}
