import Foundation
import Tensors

extension Animation {
  /// The animation as a GIF file, the same bytes for the same frames. A frame stores only the
  /// rectangle that changed, in up to 256 colours of its own.
  ///
  /// Source: GIF89a specification, sections 17 to 27; the loop is Netscape's application extension.
  public func gifData() throws -> Data {
    let (width, height) = (frames[0].width, frames[0].height)
    guard max(width, height) <= 65535 else {
      throw EvokeError(.value, "pictures of \(width) × \(height) pixels are too large for a GIF")
    }
    // No table of colours for all frames, 8 bits a channel.
    var file = Data("GIF89a".utf8) + littleEndian([width, height]) + [0x70, 0, 0]
    if frames.count > 1, loops != 1 { file += repetition }
    for (index, frame) in frames.enumerated() {
      let whole = PixelRectangle(x: 0, y: 0, width: width, height: height)
      let part = index == 0 ? whole : frame.changed(from: frames[index - 1])
      // Leave the frame in place; nothing is transparent.
      file += [0x21, 0xf9, 4, 0x04] + littleEndian([hundredths(milliseconds[index])]) + [0, 0]
      file += [0x2c] + littleEndian([part.x, part.y, part.width, part.height])
      file += try frame.gifData(of: part)
    }
    return file + [0x3b]
  }

  /// How often the animation is played again, 0 for ever.
  private var repetition: [UInt8] {
    let again = loops == 0 ? 0 : min(loops - 1, 65535)
    return [0x21, 0xff, 11] + Array("NETSCAPE2.0".utf8) + [3, 1] + littleEndian([again]) + [0]
  }

  /// Browsers slow down frames of less than two hundredths of a second.
  private func hundredths(_ milliseconds: Int) -> Int { max(2, (milliseconds + 5) / 10) }
}

/// The two bytes of each of a GIF's numbers.
private func littleEndian(_ values: [Int]) -> [UInt8] {
  values.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
}
