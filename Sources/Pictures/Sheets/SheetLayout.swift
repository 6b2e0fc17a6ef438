/// Where everything on a contact sheet stands.
struct SheetLayout {
  private let sheet: ContactSheet
  private let side: Double
  private let labelWidth: Double
  private let columnCount: Int
  private var y: Double
  private(set) var drawing: Drawing

  private static let margin = 24.0
  private static let gap = 12.0
  private static let rowGap = 18.0
  private static let captionSize = 12.0
  private static let captionLeading = 15.0
  private static let captionLines = 2
  private static let labelSize = 13.0
  private static let labelLeading = 17.0
  private static let widestLabel = 150.0
  private static let ink = Color(0x222222)
  private static let quiet = Color(0x5c5c5c)

  init(_ sheet: ContactSheet) {
    self.sheet = sheet
    let longest = sheet.rows.flatMap(\.cells).map { max($0.picture.width, $0.picture.height) }.max()
    side = sheet.side ?? Self.comfortableSide(Double(longest ?? 1))
    columnCount = min(sheet.columns, sheet.rows.map(\.cells.count).max() ?? 1)
    labelWidth = Self.labelWidth(sheet.rows.map(\.label))
    let grid = Double(columnCount) * (side + Self.gap) - Self.gap
    let left = Self.margin + (labelWidth > 0 ? labelWidth + Self.gap : 0)
    // A title is not cut for the sake of a single narrow picture.
    let titleWidth = min(
      420,
      max(
        Font.medium.width(of: sheet.title, size: 20),
        Font.regular.width(of: sheet.subtitle, size: 13)))
    drawing = Drawing(
      width: max(left + grid + Self.margin, titleWidth + 2 * Self.margin), height: 0)
    drawing.title = sheet.title
    y = Self.margin
    placeTitle()
    for row in sheet.rows where !row.cells.isEmpty { place(row, left: left) }
    drawing.height = (y - Self.rowGap + Self.margin).rounded(.up)
  }

  private static func comfortableSide(_ longest: Double) -> Double {
    if longest >= 128 { return min(longest, 256) }
    return longest * (128 / longest).rounded(.up)
  }

  private static func labelWidth(_ labels: [String]) -> Double {
    let lines = labels.flatMap {
      Font.medium.wrapped($0, size: labelSize, width: widestLabel, most: 5)
    }
    return (lines.map { Font.medium.width(of: $0, size: labelSize) }.max() ?? 0).rounded(.up)
  }

  private mutating func placeTitle() {
    let width = drawing.width - 2 * Self.margin
    let parts = [
      (sheet.title, 20.0, 25.0, Font.medium, Self.ink),
      (sheet.subtitle, 13.0, 18.0, Font.regular, Self.quiet),
    ]
    for (text, size, leading, font, color) in parts where !text.isEmpty {
      for line in font.wrapped(text, size: size, width: width, most: 3) {
        y += leading
        write(line, x: Self.margin, baseline: y - leading * 0.25, size: size, color, font: font)
      }
    }
    if y > Self.margin { y += 14 }
  }

  private mutating func place(_ row: ContactSheet.Row, left: Double) {
    for start in stride(from: 0, to: row.cells.count, by: columnCount) {
      let cells = row.cells[start..<min(start + columnCount, row.cells.count)]
      let height = cells.map { shownSize($0.picture).height }.max() ?? 0
      if start == 0 { placeLabel(row.label, height: height) }
      var lineCount = 0
      for (column, cell) in cells.enumerated() {
        let x = left + Double(column) * (side + Self.gap)
        lineCount = max(lineCount, place(cell, x: x, height: height))
      }
      y += height + Self.rowGap
      if lineCount > 0 { y += Double(lineCount) * Self.captionLeading + 4 }
    }
  }

  /// Places a picture and its caption, and says how many lines the caption takes.
  private mutating func place(_ cell: ContactSheet.Cell, x: Double, height: Double) -> Int {
    let size = shownSize(cell.picture)
    let box = Rectangle(
      x: x + ((side - size.width) / 2).rounded(.down), y: y + height - size.height,
      width: size.width, height: size.height)
    // A hairline, so that a white picture ends somewhere.
    drawing.items.append(
      .box(
        Rectangle(x: box.x - 1, y: box.y - 1, width: box.width + 2, height: box.height + 2),
        Color(0xd8d8d8)))
    drawing.items.append(.picture(cell.picture, box, sheet.filter))
    let lines = Font.regular.wrapped(
      cell.caption, size: Self.captionSize, width: side, most: Self.captionLines)
    for (index, line) in lines.enumerated() {
      write(
        line, x: x + side / 2, baseline: y + height + 16 + Double(index) * Self.captionLeading,
        size: Self.captionSize, Self.ink, anchor: .middle)
    }
    return lines.count
  }

  private mutating func placeLabel(_ label: String, height: Double) {
    let lines = Font.medium.wrapped(
      label, size: Self.labelSize, width: Self.widestLabel, most: 5)
    let top = y + (height - Double(lines.count) * Self.labelLeading) / 2
    for (index, line) in lines.enumerated() {
      write(
        line, x: Self.margin, baseline: top + (Double(index) + 0.75) * Self.labelLeading,
        size: Self.labelSize, Self.ink, font: .medium)
    }
  }

  private func shownSize(_ picture: Picture) -> (width: Double, height: Double) {
    let longest = Double(max(picture.width, picture.height))
    let scale = side / longest
    return (
      max(1, (Double(picture.width) * scale).rounded()),
      max(1, (Double(picture.height) * scale).rounded())
    )
  }

  private mutating func write(
    _ text: String, x: Double, baseline: Double, size: Double, _ color: Color,
    anchor: Drawing.Anchor = .start, font: Font = .regular
  ) {
    drawing.items.append(
      .text(
        Drawing.Text(
          text: text, position: Point(x, baseline), size: size, color: color, anchor: anchor,
          font: font)))
  }
}
