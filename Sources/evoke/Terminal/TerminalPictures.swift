import CChafa
import Foundation
import Language
import Pictures
import Workbench

/// Pictures and plots in the terminal: by pixels where it can (kitty, iTerm, sixel), by symbols
/// everywhere else. Nothing is shown where standard output is no terminal.
enum TerminalPictures {
  /// Whether standard output is a terminal that can show more than letters.
  static let isOn = Terminal.outputIsShown

  // Asked once; the terminal does not change while the process runs.
  nonisolated(unsafe) private static let terminal = evoke_terminal_detect(
    Terminal.outputInColor ? 0 : 1)

  private static var drawsPixels: Bool { terminal.pixels != CHAFA_PIXEL_MODE_SYMBOLS }

  /// The terminal's text for a value; nil if there is nothing to see, or nobody to look.
  static func text(of value: Value) -> String? {
    guard isOn, case .object(let object) = value else { return nil }
    switch object {
    case let images as ImagesValue: return text(of: images.pictures)
    case let plot as PlotValue: return text(of: plot.chart)
    case let animation as AnimationValue:
      return animation.animation.frames.last.flatMap { text(of: [$0]) }
    default: return nil
    }
  }

  private static func text(of chart: Chart) -> String? {
    if drawsPixels { return (try? chart.picture(scale: 1.5)).flatMap { text(of: [$0]) } }
    let rows = min(18, max(8, Terminal.height - 10))
    return try? chart.text(
      columns: min(Terminal.outputWidth - 1, 90), rows: rows, inColor: Terminal.outputInColor
    ).joined(separator: "\n")
  }

  /// Small pictures side by side, as many as fit in three rows; a large one as wide as it may be.
  private static func text(of pictures: [Picture]) -> String? {
    guard let widest = pictures.map(\.width).max() else { return nil }
    let width = Terminal.outputWidth - 1
    let cells = widest > 256 ? width : min(width, 22)
    let perRow = max(1, (width + 1) / (cells + 1))
    let shown = pictures.prefix(perRow * 3)
    var blocks: [String] = []
    for start in stride(from: 0, to: shown.count, by: perRow) {
      let row = shown[start..<min(start + perRow, shown.count)]
      blocks.append(drawsPixels ? pixels(Array(row), cells) : symbols(Array(row), cells))
    }
    if shown.count < pictures.count { blocks.append("… and \(pictures.count - shown.count) more") }
    return blocks.joined(separator: "\n")
  }

  /// The pictures' lines joined, with a column between.
  private static func symbols(_ pictures: [Picture], _ cells: Int) -> String {
    let blocks = pictures.map { lines(of: $0, columns: cells) }
    let height = blocks.map(\.count).max() ?? 0
    return (0..<height).map { row in
      blocks.map { row < $0.count ? $0[row] : String(repeating: " ", count: cells) }
        .joined(separator: " ")
    }.joined(separator: "\n")
  }

  /// The pictures as one, for terminals that draw pixels.
  private static func pixels(_ pictures: [Picture], _ cells: Int) -> String {
    let gap = 4
    let height = pictures.map(\.height).max() ?? 1
    let width = pictures.reduce(gap * (pictures.count - 1)) { $0 + $1.width }
    var bytes = [UInt8](repeating: 255, count: width * height * 3)
    var left = 0
    for picture in pictures {
      for row in 0..<picture.height {
        let from = row * picture.width * 3
        let to = (row * width + left) * 3
        bytes.replaceSubrange(
          to..<to + picture.width * 3, with: picture.pixels[from..<from + picture.width * 3])
      }
      left += picture.width + gap
    }
    let columns = min(Terminal.outputWidth - 1, cells * pictures.count)
    return lines(of: Picture(width: width, height: height, pixels: bytes), columns: columns)
      .joined(separator: "\n")
  }

  private static func lines(of picture: Picture, columns: Int) -> [String] {
    let rows = max(8, Terminal.height - 6)
    let cell = Terminal.cell
    // As many columns as leave the picture no higher than `rows`.
    let fitting = rows * cell.height * picture.width / (cell.width * picture.height)
    let across = max(1, min(columns, fitting))
    switch terminal.pixels {
    case CHAFA_PIXEL_MODE_KITTY:
      return (try? [InlinePictures.kitty(picture.pngData(), columns: across)]) ?? []
    case CHAFA_PIXEL_MODE_ITERM2:
      return (try? [InlinePictures.iTerm(picture.pngData(), columns: across)]) ?? []
    default: return drawn(picture, columns: across, rows: rows)
    }
  }

  /// By chafa: sixels or symbols.
  private static func drawn(_ picture: Picture, columns: Int, rows: Int) -> [String] {
    guard
      let raw = evoke_terminal_picture(
        terminal, picture.pixels, Int32(picture.width), Int32(picture.height), Int32(columns),
        Int32(rows), Int32(Terminal.cell.width), Int32(Terminal.cell.height))
    else { return [] }
    defer { free(raw) }
    return String(cString: raw).split(separator: "\n", omittingEmptySubsequences: false)
      .map(String.init)
  }
}
