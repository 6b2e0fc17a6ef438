import Diffusion
import Tensors

/// Sentences around the learned word: `{}` stands for it.
public enum Prompts: Sendable, Equatable {
  /// "a photo of a {}" and its kin, for things.
  case object
  /// "a painting in the style of {}" and its kin, for manners of drawing.
  case style
  /// Sentences of one's own.
  case templates([String])

  /// The 27 and 19 sentences of textual inversion (Gal et al., arXiv 2208.01618, released code:
  /// `imagenet_templates_small` and `imagenet_style_templates_small`).
  public var all: [String] {
    switch self {
    case .object: objectTemplates
    case .style: styleTemplates
    case .templates(let templates): templates
    }
  }

  /// The sentences that a model can be expected to understand: of the stock ones those whose
  /// words of three letters and more are all among `model.words`, so that a model of few words is
  /// not asked about words it never saw; all of them when none is left.
  ///
  /// - Throws: `EvokeError` for a sentence without `{}`, with two, or for no sentence.
  public func templates(for model: DiffusionModel) throws -> [String] {
    if case .templates(let templates) = self {
      guard !templates.isEmpty else { throw EvokeError(.value, "an empty list of prompts") }
      for template in templates where template.components(around: "{}") != 2 {
        throw EvokeError(
          .value, "the prompt \"\(template)\" needs {} once, where the word goes",
          hint: "for example \"a photo of a {}\"")
      }
      return templates
    }
    let known = Set(model.words)
    let fitting = all.filter { words(of: $0).allSatisfy { $0.count < 3 || known.contains($0) } }
    return fitting.isEmpty ? all : fitting
  }
}

/// The lower-case words of a sentence, `{}` left out.
func words(of sentence: String) -> [String] {
  sentence.lowercased().split { !$0.isLetter }.map(String.init)
}

extension String {
  /// The sentence with a word in the place of `{}`.
  func filled(with word: String) -> String {
    split(separator: "{}", omittingEmptySubsequences: false).joined(separator: word)
  }

  func components(around separator: String) -> Int {
    split(separator: separator, omittingEmptySubsequences: false).count
  }
}

private let objectTemplates = [
  "a photo of a {}", "a rendering of a {}", "a cropped photo of the {}", "the photo of a {}",
  "a photo of a clean {}", "a photo of a dirty {}", "a dark photo of the {}", "a photo of my {}",
  "a photo of the cool {}", "a close-up photo of a {}", "a bright photo of the {}",
  "a cropped photo of a {}", "a photo of the {}", "a good photo of the {}", "a photo of one {}",
  "a close-up photo of the {}", "a rendition of the {}", "a photo of the clean {}",
  "a rendition of a {}", "a photo of a nice {}", "a good photo of a {}", "a photo of the nice {}",
  "a photo of the small {}", "a photo of the weird {}", "a photo of the large {}",
  "a photo of a cool {}", "a photo of a small {}",
]

private let styleTemplates = [
  "a painting in the style of {}", "a rendering in the style of {}",
  "a cropped painting in the style of {}", "the painting in the style of {}",
  "a clean painting in the style of {}", "a dirty painting in the style of {}",
  "a dark painting in the style of {}", "a picture in the style of {}",
  "a cool painting in the style of {}", "a close-up painting in the style of {}",
  "a bright painting in the style of {}", "a cropped painting in the style of {}",
  "a good painting in the style of {}", "a close-up painting in the style of {}",
  "a rendition in the style of {}", "a nice painting in the style of {}",
  "a small painting in the style of {}", "a weird painting in the style of {}",
  "a large painting in the style of {}",
]
