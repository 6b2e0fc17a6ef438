/// A picture in memory: 8-bit sRGB, without transparency.
public struct Picture: Sendable, Equatable {
  public let width: Int
  public let height: Int
  /// Red, green, blue of every pixel, rows from top to bottom: `width × height × 3` bytes.
  public let pixels: [UInt8]

  /// The most pixels that a picture read from a file may have; a larger one is refused unread.
  public static let largestPixelCount = 100_000_000

  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(width > 0 && height > 0 && pixels.count == width * height * 3)
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// A picture of one colour.
  public init(width: Int, height: Int, red: UInt8, green: UInt8, blue: UInt8) {
    self.init(width: width, height: height) { pixels in
      for pixel in 0..<width * height {
        pixels[3 * pixel] = red
        pixels[3 * pixel + 1] = green
        pixels[3 * pixel + 2] = blue
      }
    }
  }

  /// A picture whose `width × height × 3` bytes are written by `fill` (they start as zeros).
  init(width: Int, height: Int, fill: (UnsafeMutableBufferPointer<UInt8>) throws -> Void) rethrows {
    let count = width * height * 3
    let pixels = try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      buffer.initialize(repeating: 0)
      try fill(UnsafeMutableBufferPointer(rebasing: buffer[0..<count]))
      initialized = count
    }
    self.init(width: width, height: height, pixels: pixels)
  }

  /// Red, green and blue at column `x` of row `y`.
  public subscript(x: Int, y: Int) -> (red: UInt8, green: UInt8, blue: UInt8) {
    let i = (y * width + x) * 3
    return (pixels[i], pixels[i + 1], pixels[i + 2])
  }
}

// MARK: - Rearranging pixels

extension Picture {
  /// The picture whose pixel at (x, y) is this one's at `source(x, y)`.
  func rearranged(
    width newWidth: Int, height newHeight: Int, from source: (Int, Int) -> (x: Int, y: Int)
  ) -> Picture {
    Picture(width: newWidth, height: newHeight) { target in
      pixels.withUnsafeBufferPointer { pixels in
        for y in 0..<newHeight {
          for x in 0..<newWidth {
            let (fromX, fromY) = source(x, y)
            let from = (fromY * width + fromX) * 3
            let to = (y * newWidth + x) * 3
            target[to] = pixels[from]
            target[to + 1] = pixels[from + 1]
            target[to + 2] = pixels[from + 2]
          }
        }
      }
    }
  }

  /// The mirror image, left and right exchanged.
  public func flippedHorizontally() -> Picture {
    rearranged(width: width, height: height) { (width - 1 - $0, $1) }
  }

  /// The mirror image, top and bottom exchanged.
  public func flippedVertically() -> Picture {
    rearranged(width: width, height: height) { ($0, height - 1 - $1) }
  }

  /// The part of `width` × `height` pixels whose top left corner is at (`x`, `y`).
  public func cropped(x: Int, y: Int, width newWidth: Int, height newHeight: Int) -> Picture {
    precondition(x >= 0 && y >= 0 && x + newWidth <= width && y + newHeight <= height)
    if newWidth == width && newHeight == height { return self }
    return rearranged(width: newWidth, height: newHeight) { (x + $0, y + $1) }
  }

  /// The largest square around the centre; an odd remainder is cut at the right or the bottom.
  public func croppedToSquare() -> Picture {
    let side = min(width, height)
    return cropped(x: (width - side) / 2, y: (height - side) / 2, width: side, height: side)
  }

  /// The largest centred square, resampled to `side` × `side` pixels.
  public func fitted(to side: Int, filter: ResamplingFilter = .lanczos) -> Picture {
    croppedToSquare().resized(width: side, height: side, filter: filter)
  }

  /// Turned and mirrored as the EXIF orientation 1…8 asks (TIFF 6.0, tag 274): 6 is a camera held
  /// with its right side down, whose picture must be turned clockwise.
  func oriented(_ orientation: Int) -> Picture {
    let (right, bottom) = (width - 1, height - 1)
    return switch orientation {
    case 2: flippedHorizontally()
    case 3: rearranged(width: width, height: height) { (right - $0, bottom - $1) }
    case 4: flippedVertically()
    case 5: rearranged(width: height, height: width) { ($1, $0) }
    case 6: rearranged(width: height, height: width) { ($1, bottom - $0) }
    case 7: rearranged(width: height, height: width) { (right - $1, bottom - $0) }
    case 8: rearranged(width: height, height: width) { (right - $1, $0) }
    default: self
    }
  }
}
