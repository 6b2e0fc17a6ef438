import Foundation
import Tensors

/// Pictures shown one after another, written as an animated PNG, which every browser plays and
/// every PNG viewer shows the first frame of, or as a GIF.
public struct Animation: Sendable, Equatable {
  /// Pictures of one size, at least one.
  public let frames: [Picture]
  /// How long each frame is shown, in milliseconds.
  public let milliseconds: [Int]
  /// How often the animation plays; 0 is for ever.
  public let loops: Int

  /// Throws `EvokeError` where there are no frames, where their sizes differ or where a duration is
  /// not in 1…60 000 ms. The last frame may rest for longer than the others.
  public init(
    frames: [Picture], milliseconds: Int = 200, last: Int? = nil, loops: Int = 0
  ) throws {
    guard let first = frames.first else {
      throw EvokeError(.value, "an animation needs at least one picture")
    }
    if let other = frames.first(where: { $0.width != first.width || $0.height != first.height }) {
      throw EvokeError(
        .shape,
        "the pictures of an animation have one size, and these are \(first.width)×\(first.height) "
          + "and \(other.width)×\(other.height)")
    }
    let durations = frames.indices.map {
      $0 == frames.count - 1 ? last ?? milliseconds : milliseconds
    }
    if let wrong = durations.first(where: { !(1...60_000).contains($0) }) {
      throw EvokeError(.value, "a frame is shown for 1…60000 milliseconds, not \(wrong)")
    }
    self.frames = frames
    self.milliseconds = durations
    self.loops = max(0, loops)
  }

  /// The animation as an animated PNG file, the same bytes for the same frames. A frame stores only
  /// the rectangle that changed.
  ///
  /// Source: PNG specification, third edition, 11.3.6 (acTL, fcTL, fdAT).
  public func pngData() throws -> Data {
    let canvas = PixelRectangle(x: 0, y: 0, width: frames[0].width, height: frames[0].height)
    var file = PNGWriter(width: canvas.width, height: canvas.height)
    file.add("acTL", bigEndian(frames.count) + bigEndian(loops))
    var sequence = 0
    for (index, frame) in frames.enumerated() {
      let part = index == 0 ? canvas : frame.changed(from: frames[index - 1])
      file.add("fcTL", control(part, milliseconds: milliseconds[index], sequence: sequence))
      sequence += 1
      let data = try frame.imageData(of: part)
      if index == 0 {
        file.add("IDAT", data)
      } else {
        file.add("fdAT", bigEndian(sequence) + data)
        sequence += 1
      }
    }
    return file.finished()
  }

  /// Writes the animation as the name's extension says: .png, .apng or .gif; the file appears whole
  /// or not at all.
  public func write(to url: URL) throws {
    switch url.pathExtension.lowercased() {
    case "png", "apng": try AtomicFile.write(pngData(), to: url)
    case "gif": try AtomicFile.write(gifData(), to: url)
    default:
      throw EvokeError(
        .value,
        "an animation is written as PNG or GIF, and \(quoted(url.relativePath)) says otherwise",
        hint: "end the name in .png or .gif")
    }
  }

  private func control(_ part: PixelRectangle, milliseconds: Int, sequence: Int) -> [UInt8] {
    let place = [sequence, part.width, part.height, part.x, part.y].flatMap(bigEndian)
    let delay = [milliseconds, 1000].flatMap { bigEndian($0).suffix(2) }
    return place + delay + [0, 0]  // leave the frame in place, overwrite what is below
  }
}

extension Picture {
  /// The smallest rectangle outside which the picture equals one of the same size; one pixel where
  /// they are equal.
  func changed(from other: Picture) -> PixelRectangle {
    var (left, right, top, bottom) = (width, -1, height, -1)
    for y in 0..<height {
      for x in 0..<width where self[x, y] != other[x, y] {
        left = min(left, x)
        right = max(right, x)
        top = min(top, y)
        bottom = y
      }
    }
    if right < 0 { return PixelRectangle(x: 0, y: 0, width: 1, height: 1) }
    return PixelRectangle(x: left, y: top, width: right - left + 1, height: bottom - top + 1)
  }
}
