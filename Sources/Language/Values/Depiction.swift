import Foundation

/// What a value looks like where more than text can be shown: on a page, or in a terminal.
public enum Depiction: Sendable {
  /// A picture as the bytes of a file.
  public struct Image: Sendable {
    public let data: Data
    /// `image/png`
    public let mediaType: String
    public let width: Int
    public let height: Int
    public let caption: String

    public init(
      _ data: Data, mediaType: String = "image/png", width: Int, height: Int, caption: String = ""
    ) {
      self.data = data
      self.mediaType = mediaType
      self.width = width
      self.height = height
      self.caption = caption
    }
  }

  /// Pictures side by side.
  case images([Image])
  /// A drawing as a self-contained SVG document; `narrow` is the same for the width of a phone.
  case drawing(svg: String, narrow: String? = nil)
  /// A drawing that changes step by step.
  case steps(Steps)

  /// A drawing that changes step by step, such as a search's population by generation.
  public struct Steps: Sendable {
    /// One SVG document in which elements of the class `step` carry the number of the step that they
    /// belong to as `data-step`, counted from 0; all others belong to every step.
    public let svg: String
    /// What to say of each step.
    public let labels: [String]
    /// The whole course in one drawing, for paper and for pages without scripts.
    public let still: String

    public init(svg: String, labels: [String], still: String) {
      self.svg = svg
      self.labels = labels
      self.still = still
    }
  }
}

/// A domain value that can be looked at.
public protocol Depictable: Object {
  /// What to show, one below the other; nothing if there is nothing to see yet.
  func depictions() throws -> [Depiction]
}
