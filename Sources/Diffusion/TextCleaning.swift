import Foundation

/// What happens to a prompt before byte-pair encoding: CLIP's normaliser and pre-tokenizer.
///
/// Source: transformers 5 `CLIPTokenizer`: NFC; every run of white space becomes one space; lower
/// case, each character by itself (no final sigma); then words by the pattern
/// `<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`.
/// The slow tokenizer of transformers 4 cleaned text with ftfy or BERT's rules where they were
/// installed; version 5 has only this one. Its tables are of different Unicode versions: 9 for NFC,
/// 16 for the classes of the pattern; newer characters are to it as if unassigned.
enum TextCleaning {
  /// The text in composed form, lower case, with single spaces.
  static func normalized(_ text: some StringProtocol) -> String {
    var result = String.UnicodeScalarView()
    var inSpace = false
    for scalar in composed(text.unicodeScalars) {
      if scalar.properties.isWhitespace {
        if !inSpace { result.append(" ") }
        inSpace = true
      } else {
        inSpace = false
        if scalar.isASCII {
          let isUpper = ("A"..."Z").contains(scalar)
          result.append(isUpper ? Unicode.Scalar(UInt8(scalar.value) + 32) : scalar)
        } else {
          result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
        }
      }
    }
    return String(result)
  }

  /// NFC in which characters newer than Unicode 9 neither compose nor reorder.
  private static func composed(_ scalars: some Collection<Unicode.Scalar>)
    -> String.UnicodeScalarView
  {
    var result = String.UnicodeScalarView()
    var run = String.UnicodeScalarView()
    func flush() {
      let isASCII = run.allSatisfy(\.isASCII)
      result.append(
        contentsOf: isASCII ? run : String(run).precomposedStringWithCanonicalMapping.unicodeScalars
      )
      run.removeAll()
    }
    for scalar in scalars {
      if scalar.isOlder(thanUnicode: 10) {
        run.append(scalar)
      } else {
        flush()
        result.append(scalar)
      }
    }
    flush()
    return result
  }

  /// The words of a normalised text, in order, without the white space between them.
  static func words(_ text: some StringProtocol) -> [String] {
    let scalars = Array(text.unicodeScalars)
    var words: [String] = []
    var at = 0
    while at < scalars.count {
      guard let end = matchEnd(scalars, at) else {
        at += 1
        continue
      }
      words.append(contentsOf: split(scalars[at..<end]))
      at = end
    }
    return words
  }

  private static let literals: [[Unicode.Scalar]] =
    ["<|startoftext|>", "<|endoftext|>", "'s", "'t", "'re", "'ve", "'m", "'ll", "'d"]
    .map { Array($0.unicodeScalars) }

  /// Where the pattern's match at this place ends, or nil for white space.
  private static func matchEnd(_ scalars: [Unicode.Scalar], _ start: Int) -> Int? {
    if scalars[start] == "<" || scalars[start] == "'" {
      for literal in literals where scalars[start...].starts(with: literal) {
        return start + literal.count
      }
    }
    let kind = Kind(scalars[start])
    switch kind {
    case .space: return nil
    case .number: return start + 1
    case .letter, .other:
      return scalars[start...].firstIndex { Kind($0) != kind } ?? scalars.count
    }
  }

  /// ByteLevel applies GPT-2's own pattern to each word once more; it splits only the two special
  /// tokens, which reach it when written in capitals.
  private static func split(_ word: ArraySlice<Unicode.Scalar>) -> [String] {
    let text = text(word)
    return word.count > 4 && word.starts(with: literals[0].prefix(2))
      ? ["<|", String(text.dropFirst(2).dropLast(2)), "|>"] : [text]
  }

  private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }

  private enum Kind {
    case letter, number, space, other

    init(_ scalar: Unicode.Scalar) {
      guard scalar.isOlder(thanUnicode: 17) else {
        self = .other
        return
      }
      switch scalar.properties.generalCategory {
      case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
        self = .letter
      case .decimalNumber, .letterNumber, .otherNumber: self = .number
      default: self = scalar.properties.isWhitespace ? .space : .other
      }
    }
  }
}

extension Unicode.Scalar {
  /// Whether it has been assigned before the given version of Unicode.
  fileprivate func isOlder(thanUnicode major: Int) -> Bool {
    isASCII || properties.age.map { $0.major < major } ?? false
  }
}
