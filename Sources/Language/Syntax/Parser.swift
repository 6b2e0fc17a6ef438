import Tensors

/// Builds the syntax tree of a script; goes on behind a statement that it cannot read, so that
/// several errors are found in one go.
struct Parser {
  let source: SourceText
  var tokens: [Token]
  var position = 0
  var errors: [SyntaxError] = []
  /// Whether line ends count as white space: inside brackets.
  var ignoresNewlines = false
  /// How deeply the parser stands in nested brackets, blocks and functions.
  var nesting = 0
  var functionDepth = 0
  var loopDepth = 0
  /// The deepest expression made since this was last set to 0.
  var deepest = 0

  /// Bounds recursion here and in everything that later walks the tree.
  static let nestingLimit = 200
  static let chainLimit = 500
  static let errorLimit = 20

  init(_ source: SourceText, span: Span? = nil) {
    self.source = source
    let (tokens, errors) = Lexer.run(source, span)
    self.tokens = tokens
    self.errors = errors
  }

  /// The statements of a script, and what is wrong with it in order of place.
  static func parse(_ source: SourceText) -> (statements: [StatementSyntax], errors: [SyntaxError])
  {
    var parser = Parser(source)
    let lexical = parser.errors
    let statements = parser.script()
    // What follows from a character that is none of the language's need not be said as well.
    let lines = Set(lexical.map { source.line(at: $0.span.start) })
    let grammatical = parser.errors[lexical.count...].filter {
      !lines.contains(source.line(at: $0.span.start))
    }
    let errors = (lexical + grammatical).sorted { $0.span.start < $1.span.start }
    return (statements, Array(errors.prefix(errorLimit)))
  }
}

// MARK: - Tokens

extension Parser {
  /// The position of the next token that counts.
  private var next: Int {
    var next = position
    if ignoresNewlines {
      while tokens[next].kind == .newline { next += 1 }
    }
    return next
  }

  var token: Token { tokens[next] }

  /// The token behind the next one.
  var tokenAfter: Token {
    var after = min(next + 1, tokens.count - 1)
    if ignoresNewlines {
      while tokens[after].kind == .newline { after += 1 }
    }
    return tokens[after]
  }

  /// The end of the last token that was taken.
  var lastEnd: Int {
    var last = position
    while last > 0, tokens[last - 1].kind == .newline { last -= 1 }
    return last > 0 ? tokens[last - 1].span.end : 0
  }

  @discardableResult
  mutating func take() -> Token {
    let taken = tokens[next]
    position = min(next + 1, tokens.count - 1)
    return taken
  }

  func at(_ symbol: Symbol) -> Bool { token.kind == .symbol(symbol) }
  func at(_ keyword: Keyword) -> Bool { token.kind == .keyword(keyword) }

  mutating func take(_ symbol: Symbol) -> Bool {
    guard at(symbol) else { return false }
    take()
    return true
  }

  mutating func take(_ keyword: Keyword) -> Bool {
    guard at(keyword) else { return false }
    take()
    return true
  }

  @discardableResult
  mutating func expect(_ symbol: Symbol, _ purpose: String) throws -> Token {
    guard at(symbol) else { throw unexpected("`\(symbol.rawValue)` \(purpose)") }
    return take()
  }

  mutating func skipNewlines() {
    while tokens[position].kind == .newline { position += 1 }
  }

  /// The error that something else stands where `expected` should.
  func unexpected(_ expected: String, hint: String? = nil) -> SyntaxError {
    let token = token
    let found: String
    switch token.kind {
    case .end: found = "the end of the text"
    case .newline: found = "the end of the line"
    default: found = "`\(shortened(source.text(token.span), 60))`"
    }
    // What is missing at the end is missing behind the last thing that stands there.
    let atEnd = token.kind == .end
    return error(
      "expected \(expected), not \(found)", hint: hint,
      atEnd ? Span(lastEnd, lastEnd) : token.span, atEnd: atEnd)
  }

  func error(
    _ message: String, hint: String? = nil, _ span: Span, atEnd: Bool = false
  ) -> SyntaxError {
    SyntaxError(error: EvokeError(.usage, message, hint: hint), span: span, atEnd: atEnd)
  }

  /// Runs `body` one level deeper.
  mutating func nested<R>(_ body: (inout Parser) throws -> R) throws -> R {
    guard nesting < Parser.nestingLimit else {
      throw error("this is nested too deeply", hint: "give parts of it names", token.span)
    }
    nesting += 1
    defer { nesting -= 1 }
    return try body(&self)
  }

  /// Runs `body` with line ends as white space or not.
  mutating func ignoringNewlines<R>(
    _ ignores: Bool, _ body: (inout Parser) throws -> R
  ) rethrows -> R {
    let outer = ignoresNewlines
    ignoresNewlines = ignores
    defer { ignoresNewlines = outer }
    return try body(&self)
  }
}

// MARK: - Recovery

extension Parser {
  /// Moves to the end of the statement that `start` begins: the next line end outside brackets.
  ///
  /// If the error was met at the start of a line that binds a name, the statement probably lacks a
  /// closing bracket, and the next one begins there.
  mutating func recover(from start: Int) {
    if next > start, tokens[next - 1].kind == .newline, case .name = tokens[next].kind,
      next + 1 < tokens.count, tokens[next + 1].kind == .symbol(.assign)
    {
      position = next
      return
    }
    var open = 0
    for token in tokens[start..<position] {
      open += bracketStep(token.kind)
      open = max(0, open)
    }
    while tokens[position].kind != .end {
      let kind = tokens[position].kind
      if open == 0, kind == .newline || kind == .symbol(.semicolon) { return }
      if open == 0, kind == .symbol(.closeBrace), nesting > 0 { return }
      open = max(0, open + bracketStep(kind))
      position += 1
    }
  }

  private func bracketStep(_ kind: Token.Kind) -> Int {
    switch kind {
    case .symbol(.openParenthesis), .symbol(.openBracket), .symbol(.openBrace): 1
    case .symbol(.closeParenthesis), .symbol(.closeBracket), .symbol(.closeBrace): -1
    default: 0
    }
  }
}
