import Tensors

/// `name=value` arguments of the command line.
///
/// Each replaces the right-hand side of the first top-level assignment to that name. A value that
/// reads as a number, a string, a list, a range, `true`, `false`, `none` or a `.member` stands for
/// itself; anything else is a string, so that `photos=my/folder` needs no quotes. If the right-hand
/// side is a call whose first argument is a string, a string replaces that argument only:
/// `photos = images("concepts/coral")` becomes `photos = images("my/folder")`.
public enum Overrides {
  /// The script with the right-hand sides replaced.
  ///
  /// - Throws: `EvokeError` (name) for a name without a top-level assignment.
  public static func apply(
    _ overrides: [(name: String, value: String)], to source: String, name: String
  ) throws -> String {
    var source = source
    for override in overrides {
      let text = SourceText(source, name: name)
      let statements = Parser.parse(text).statements
      guard let target = firstAssignment(to: override.name, in: statements) else {
        var names: [String] = []
        for case .assign(let name, _, _, _) in statements.map(\.kind) { names.append(name) }
        let near = closest(to: override.name, among: names)
        throw EvokeError(
          .name, "\(name) binds no name `\(override.name)` that “\(override.name)=…” could set",
          hint: near.map { "did you mean `\($0)`?" })
      }
      let (value, isString) = sourceText(of: override.value)
      let place = isString ? firstString(of: target) ?? target.span : target.span
      source =
        text.text(Span(0, place.start)) + value + text.text(Span(place.end, text.bytes.count))
    }
    return source
  }

  private static func firstAssignment(
    to name: String, in statements: [StatementSyntax]
  ) -> Expression? {
    for statement in statements {
      if case .assign(name, _, nil, let expression) = statement.kind { return expression }
    }
    return nil
  }

  /// The first argument of a call if it is a string.
  private static func firstString(of expression: Expression) -> Span? {
    guard case .call(_, let arguments) = expression.kind, let first = arguments.first,
      first.label == nil, case .literal(.string) = first.value.kind
    else { return nil }
    return first.value.span
  }

  /// The value as it stands in a script, and whether it is a string.
  private static func sourceText(of value: String) -> (text: String, isString: Bool) {
    let (statements, errors) = Parser.parse(SourceText(value, name: ""))
    if errors.isEmpty, statements.count == 1,
      case .expression(let expression) = statements[0].kind
    {
      if case .literal(.string) = expression.kind { return (value, true) }
      if Checker.constant(expression) != nil { return (value, false) }
      if case .range(let lower, let upper, _) = expression.kind,
        Checker.constant(lower) != nil, Checker.constant(upper) != nil
      {
        return (value, false)
      }
    }
    return (quoted(value), true)
  }
}
