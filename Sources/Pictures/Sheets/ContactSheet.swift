import Foundation
import Tensors

/// Rows of captioned pictures on a light ground, to be looked at side by side.
///
/// The same sheet gives the same bytes on every machine.
public struct ContactSheet: Sendable {
  public struct Cell: Sendable {
    public var picture: Picture
    /// Set below the picture in at most two lines.
    public var caption: String

    public init(_ picture: Picture, caption: String = "") {
      self.picture = picture
      self.caption = caption
    }
  }

  public struct Row: Sendable {
    /// Set to the left of the row; no row's label leaves no room for labels.
    public var label: String
    public var cells: [Cell]

    public init(_ label: String = "", cells: [Cell]) {
      self.label = label
      self.cells = cells
    }

    /// Pictures with the captions that there are for them.
    public init(_ label: String = "", pictures: [Picture], captions: [String] = []) {
      self.label = label
      cells = pictures.enumerated().map { index, picture in
        Cell(picture, caption: index < captions.count ? captions[index] : "")
      }
    }
  }

  public var title: String
  public var subtitle: String
  public var rows: [Row]
  /// A row of more pictures goes on in the next line.
  public var columns: Int
  /// The longer side of the largest picture in points; by default small pictures are enlarged by a
  /// whole factor to at least 128, large ones reduced to 256.
  public var side: Double?
  /// How pictures are brought to their size; `.nearest` shows single pixels.
  public var filter: ResamplingFilter

  public init(
    title: String = "", subtitle: String = "", rows: [Row], columns: Int = 8,
    side: Double? = nil, filter: ResamplingFilter = .lanczos
  ) {
    self.title = title
    self.subtitle = subtitle
    self.rows = rows
    self.columns = max(1, columns)
    self.side = side
    self.filter = filter
  }

  /// Pictures in equal rows, as nearly square as they are many where `columns` is not given.
  public static func grid(
    _ pictures: [Picture], captions: [String] = [], title: String = "", columns: Int? = nil
  ) -> ContactSheet {
    var square = 1
    while square * square < pictures.count { square += 1 }
    // Five pictures are better in one row than in 3 + 2.
    let columns = columns ?? (pictures.count <= 6 ? max(1, pictures.count) : square)
    let row = Row(pictures: pictures, captions: captions)
    return ContactSheet(title: title, rows: [row], columns: columns)
  }

  /// The sheet painted with `scale` pixels a point.
  ///
  /// Throws `EvokeError` where the sheet has no pictures or would be larger than
  /// `Picture.largestPixelCount`.
  public func rendered(scale: Double = 2) throws -> Picture {
    try layout().checkedPicture(scale: scale, name: "contact sheet")
  }

  /// The sheet as a self-contained SVG document.
  public func svg() throws -> String { try layout().svg() }

  /// Sheets as one SVG document, of which elements of the class `step` belong to the sheet whose
  /// number, from 0, is their `data-step`.
  public static func steps(_ sheets: [ContactSheet]) throws -> String {
    try Drawing.svg(steps: sheets.map { try $0.layout() })
  }

  func layout() throws -> Drawing {
    guard rows.contains(where: { !$0.cells.isEmpty }) else {
      throw EvokeError(.value, "a contact sheet needs at least one picture")
    }
    return SheetLayout(self).drawing
  }
}

extension Drawing {
  /// Painted, unless the pixels would be too many to hold.
  func checkedPicture(scale: Double, name: String) throws -> Picture {
    guard scale > 0, scale.isFinite, width * height * scale * scale < 1e8 else {
      throw EvokeError(
        .value,
        "a \(name) of \(decimal(width)) × \(decimal(height)) points is not drawn at a scale of "
          + "\(scale)", hint: "at most \(Picture.largestPixelCount / 1_000_000) million pixels")
    }
    return picture(scale: scale)
  }
}
