import Tensors

/// An error found before running, at a place in the source.
struct SyntaxError: Error {
  let error: EvokeError
  let span: Span
  /// Whether more input could mend it: the text ends inside something.
  var atEnd = false
}

/// Cuts a stretch of source text into tokens; goes on behind what it does not understand.
struct Lexer {
  let source: SourceText
  private var offset: Int
  private let end: Int
  private(set) var tokens: [Token] = []
  private(set) var errors: [SyntaxError] = []

  /// How deeply strings may be nested in the interpolations of strings.
  private static let stringDepth = 8
  private static let errorLimit = 1000
  /// Bounds the memory that a script's tree takes.
  private let tokenLimit: Int

  /// A lexer for `span` of `source`, or for all of it.
  init(_ source: SourceText, _ span: Span? = nil, tokenLimit: Int = 2_000_000) {
    self.source = source
    self.tokenLimit = tokenLimit
    offset = min(span?.start ?? 0, source.bytes.count)
    end = min(span?.end ?? source.bytes.count, source.bytes.count)
  }

  /// The tokens, the last of which is `end`, and what was wrong.
  static func run(
    _ source: SourceText, _ span: Span? = nil, tokenLimit: Int = 2_000_000
  ) -> (tokens: [Token], errors: [SyntaxError]) {
    var lexer = Lexer(source, span, tokenLimit: tokenLimit)
    lexer.run()
    return (lexer.tokens, lexer.errors)
  }

  private mutating func run() {
    var isSpaced = true
    while offset < end {
      let start = offset
      guard tokens.count < tokenLimit else {
        report("the script is too long", hint: "keep data in files, and read them", start, end)
        break
      }
      let byte = source.bytes[offset]
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
        offset += 1
        isSpaced = true
        continue
      case UInt8(ascii: "\n"):
        offset += 1
        add(.newline, start, isSpaced)
        isSpaced = true
        continue
      case UInt8(ascii: "#"):
        while offset < end, source.bytes[offset] != UInt8(ascii: "\n") { offset += 1 }
        isSpaced = true
        continue
      case UInt8(ascii: "\""): string(isSpaced)
      case UInt8(ascii: "0")...UInt8(ascii: "9"): number(isSpaced)
      default: wordOrSymbol(isSpaced)
      }
      isSpaced = false
    }
    tokens.append(Token(kind: .end, span: Span(end, end), isSpaced: isSpaced))
  }

  private func byte(_ ahead: Int = 0) -> UInt8? {
    offset + ahead < end ? source.bytes[offset + ahead] : nil
  }

  private mutating func add(_ kind: Token.Kind, _ start: Int, _ isSpaced: Bool) {
    tokens.append(Token(kind: kind, span: Span(start, offset), isSpaced: isSpaced))
  }

  private mutating func report(
    _ message: String, hint: String? = nil, _ start: Int, _ stop: Int? = nil, atEnd: Bool = false
  ) {
    guard errors.count < Self.errorLimit else { return }
    errors.append(
      SyntaxError(
        error: EvokeError(.usage, message, hint: hint), span: Span(start, stop ?? offset),
        atEnd: atEnd))
  }
}

// MARK: - Numbers

extension Lexer {
  private static func isDigit(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    return byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  private mutating func number(_ isSpaced: Bool) {
    let start = offset
    var isWhole = true
    digits()
    // `1..<3` is a range and `1.abs()` a call: a point belongs to the number before a digit only.
    if byte() == UInt8(ascii: "."), Self.isDigit(byte(1)) {
      isWhole = false
      offset += 1
      digits()
    }
    if byte() == UInt8(ascii: "e") || byte() == UInt8(ascii: "E") {
      let sign = byte(1) == UInt8(ascii: "-") || byte(1) == UInt8(ascii: "+") ? 1 : 0
      if Self.isDigit(byte(1 + sign)) {
        isWhole = false
        offset += 1 + sign
        digits()
      }
    }
    if let next = byte(), Self.isNameByte(next) {
      while let next = byte(), Self.isNameByte(next) { offset += 1 }
      let text = source.text(Span(start, offset))
      report(
        "`\(shortened(text, 60))` is neither a number nor a name",
        hint: "names begin with a letter", start)
      add(.int(0), start, isSpaced)
      return
    }
    let text = source.text(Span(start, offset)).filter { $0 != "_" }
    if isWhole {
      if let value = Int(text) {
        add(.int(value), start, isSpaced)
      } else {
        report(
          "`\(shortened(text, 60))` is too large for an int",
          hint: "write it as a double: \(text).0", start)
        add(.int(0), start, isSpaced)
      }
    } else if let value = Double(text), value.isFinite {
      add(.double(value), start, isSpaced)
    } else {
      report("`\(shortened(text, 60))` is too large for a double", start)
      add(.double(0), start, isSpaced)
    }
  }

  private mutating func digits() {
    while let next = byte(), Self.isDigit(next) || next == UInt8(ascii: "_") { offset += 1 }
  }
}

// MARK: - Words and symbols

extension Lexer {
  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  /// The scalar at the current offset and its size in bytes.
  private func scalar() -> (Unicode.Scalar, Int)? {
    guard let first = byte() else { return nil }
    let size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    let text = String(
      decoding: source.bytes[offset..<min(offset + size, end)], as: UTF8.self)
    guard let scalar = text.unicodeScalars.first else { return nil }
    return (scalar, max(1, String(scalar).utf8.count))
  }

  private mutating func wordOrSymbol(_ isSpaced: Bool) {
    let start = offset
    while let (scalar, size) = scalar() {
      let isLetter = scalar == "_" || scalar.properties.isAlphabetic
      let isInner = offset > start && (scalar.properties.numericType != nil || scalar.isMark)
      guard isLetter || isInner else { break }
      offset += size
    }
    if offset > start {
      let text = source.text(Span(start, offset))
      if let keyword = Keyword(rawValue: text) {
        add(.keyword(keyword), start, isSpaced)
      } else {
        add(.name(text), start, isSpaced)
      }
      return
    }
    for (bytes, symbol) in Symbol.bySize
    where offset + bytes.count <= end
      && source.bytes[offset..<offset + bytes.count].elementsEqual(bytes)
    {
      offset += bytes.count
      add(.symbol(symbol), start, isSpaced)
      return
    }
    unexpected(start)
  }

  private static let advice: [Unicode.Scalar: String] = [
    "“": "strings stand in straight quotes: \"…\"", "”": "strings stand in straight quotes: \"…\"",
    "'": "strings stand in double quotes: \"…\"", "‘": "strings stand in double quotes: \"…\"",
    "’": "strings stand in double quotes: \"…\"", "&": "write `and`", "|": "write `or`",
    "!": "write `not`", "×": "write `*`", "−": "write `-`", "–": "write `-`", "…": "write `...`",
    "≤": "write `<=`", "≥": "write `>=`", "≠": "write `!=`", "`": "leave the backquotes out",
    "$": "write \"\\(name)\" inside a string", "\\": "long lines may break inside brackets",
    "~": "write `not`",
  ]

  private mutating func unexpected(_ start: Int) {
    guard let (scalar, size) = scalar() else {
      offset += 1
      return
    }
    offset += size
    while let (next, size) = self.scalar(), next == scalar, scalar.properties.isAlphabetic == false
    {
      offset += size
    }
    let shown = scalar.value < 0x20 || scalar.value == 0x7f ? "U+\(scalar.value)" : String(scalar)
    report("unexpected character `\(shown)`", hint: Self.advice[scalar], start)
  }
}

extension Unicode.Scalar {
  /// Whether it combines with the scalar in front of it.
  fileprivate var isMark: Bool {
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark: true
    default: false
    }
  }
}

// MARK: - Strings

extension Lexer {
  private mutating func string(_ isSpaced: Bool) {
    let start = offset
    offset += 1
    var segments: [Token.Segment] = []
    var text: [UInt8] = []
    func flush(_ text: inout [UInt8], _ segments: inout [Token.Segment]) {
      if !text.isEmpty { segments.append(.text(String(decoding: text, as: UTF8.self))) }
      text = []
    }
    while true {
      guard let byte = byte(), byte != UInt8(ascii: "\n") else {
        report(
          "this string does not end", hint: "add a closing \"", start, atEnd: false)
        break
      }
      offset += 1
      if byte == UInt8(ascii: "\"") { break }
      guard byte == UInt8(ascii: "\\") else {
        text.append(byte)
        continue
      }
      if self.byte() == UInt8(ascii: "(") {
        offset += 1
        let inner = offset
        guard skipInterpolation(depth: 0) else {
          report("this \\( … ) does not end in its string", inner - 2, inner)
          break
        }
        flush(&text, &segments)
        segments.append(.interpolation(Span(inner, offset - 1)))
      } else {
        escape(&text)
      }
    }
    flush(&text, &segments)
    add(.string(segments), start, isSpaced)
  }

  /// Reads what follows a backslash.
  private mutating func escape(_ text: inout [UInt8]) {
    let start = offset - 1
    guard let byte = byte(), byte != UInt8(ascii: "\n") else { return }
    offset += 1
    switch byte {
    case UInt8(ascii: "n"): text.append(UInt8(ascii: "\n"))
    case UInt8(ascii: "t"): text.append(UInt8(ascii: "\t"))
    case UInt8(ascii: "r"): text.append(UInt8(ascii: "\r"))
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(byte)
    case UInt8(ascii: "u"):
      guard let scalar = unicodeEscape() else {
        report("`\\u` needs a character's number in hexadecimal: \\u{1F600}", start)
        return
      }
      text.append(contentsOf: Array(String(scalar).utf8))
    default:
      offset -= 1
      let (scalar, size) = scalar() ?? ("?", 1)
      offset += size
      report(
        "`\\\(scalar)` is no escape", hint: "there are \\n \\t \\r \\\" \\\\ \\u{…} and \\( … )",
        start)
    }
  }

  private mutating func unicodeEscape() -> Unicode.Scalar? {
    guard byte() == UInt8(ascii: "{") else { return nil }
    offset += 1
    let start = offset
    while let next = byte(), Self.isNameByte(next), offset - start < 8 { offset += 1 }
    let digits = source.text(Span(start, offset))
    guard byte() == UInt8(ascii: "}") else { return nil }
    offset += 1
    return UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init)
  }

  /// Moves behind the `)` that ends an interpolation, over nested brackets and strings.
  private mutating func skipInterpolation(depth: Int) -> Bool {
    var open = 1
    while let byte = byte(), byte != UInt8(ascii: "\n") {
      offset += 1
      switch byte {
      case UInt8(ascii: "("): open += 1
      case UInt8(ascii: ")"):
        open -= 1
        if open == 0 { return true }
      case UInt8(ascii: "\""):
        guard depth < Self.stringDepth, skipString(depth: depth + 1) else { return false }
      default: break
      }
    }
    return false
  }

  private mutating func skipString(depth: Int) -> Bool {
    while let byte = byte(), byte != UInt8(ascii: "\n") {
      offset += 1
      if byte == UInt8(ascii: "\"") { return true }
      if byte == UInt8(ascii: "\\"), let next = self.byte() {
        offset += 1
        if next == UInt8(ascii: "("), !skipInterpolation(depth: depth) { return false }
      }
    }
    return false
  }
}
