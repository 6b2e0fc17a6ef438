import Language
import Pictures

/// Pictures shown one after another: a search's population, drawings by generation.
public struct AnimationValue: Depictable {
  public static let typeName = "Animation"
  public static let memberNames = ["count", "pictures", "labels"]

  public let animation: Animation
  /// What to say of each picture.
  public let labels: [String]
  /// What a page shows in place of the pictures.
  private let steps: Depiction.Steps

  private init(_ animation: Animation, labels: [String], steps: Depiction.Steps) {
    self.animation = animation
    self.labels = labels
    self.steps = steps
  }

  /// A search's population by generation.
  ///
  /// - Throws: `EvokeError` (value) for a search without generations.
  init(_ charts: PopulationCharts, milliseconds: Int) throws {
    let moving = charts.moving
    try self.init(
      Chart.animation(moving.map(\.chart), milliseconds: milliseconds, last: 2000),
      labels: moving.map(\.label), steps: charts.steps)
  }

  /// Rows of pictures, one row a frame.
  ///
  /// - Parameter still: The frames to show at once where nothing can move.
  /// - Throws: `EvokeError` for rows without pictures, or of different sizes.
  init(rows: [[Picture]], labels: [String], milliseconds: Int) throws {
    let sheets = rows.map { ContactSheet(rows: [.init(pictures: $0)]) }
    var frames = try zip(rows, labels).map { pictures, label in
      try ContactSheet(title: label, rows: [.init(pictures: pictures)]).rendered()
    }
    // Labels that need more room than the pictures would make frames of different sizes.
    if Set(frames.map { [$0.width, $0.height] }).count > 1 {
      frames = try sheets.map { try $0.rendered() }
    }
    let most = 6
    let shown = Set((0..<most).map { $0 * (rows.count - 1) / (most - 1) }).sorted()
    let still = ContactSheet(rows: shown.map { .init(labels[$0], pictures: rows[$0]) })
    try self.init(
      Animation(frames: frames, milliseconds: milliseconds, last: 2000), labels: labels,
      steps: Depiction.Steps(
        svg: ContactSheet.steps(sheets), labels: labels, still: still.svg()))
  }

  public var summary: String {
    let first = animation.frames[0]
    return "of \(animation.frames.count) pictures \(first.width)×\(first.height)"
  }

  public func hash(into digest: inout Digest) {
    digest.int(animation.frames.count)
    for (frame, label) in zip(animation.frames, labels) {
      digest.int(frame.width)
      digest.int(frame.height)
      digest.bytes(frame.pixels)
      digest.string(label)
    }
  }

  public func member(_ name: String) throws -> Value? {
    switch name {
    case "count": .int(animation.frames.count)
    case "pictures": .object(ImagesValue(animation.frames, names: labels))
    case "labels": .strings(labels)
    default: nil
    }
  }

  public func depictions() throws -> [Depiction] { [.steps(steps)] }
}
