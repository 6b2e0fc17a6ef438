extension Parameter {
  /// The parameter as a call shows it: `space`, `dim: 32`, `prompts: .object`, `to: …`.
  var callText: String {
    switch (kind, defaultValue) {
    case (.rest, _): "\(name) …"
    case (.positional, nil): name
    case (.positional, let value?): value.isNone ? "[\(name)]" : "\(name) = \(value.sourceText)"
    case (.labelled, nil): "\(name): …"
    case (.labelled, let value?): value.isNone ? "[\(name):]" : "\(name): \(value.sourceText)"
    }
  }

  /// What help says behind the name: type, choices, default, unit, meaning.
  var explanation: String {
    var parts: [String] = []
    if choices.isEmpty {
      parts.append(kind == .rest ? "any number of values" : type.description)
    } else {
      parts.append(choices.map { "." + $0 }.joined(separator: " "))
      if type != .member { parts.append("or \(type.withoutMember)") }
    }
    if let unit { parts.append("in \(unit)") }
    if kind != .rest {
      switch defaultValue {
      case nil: parts.append("(required)")
      case .some(.none): parts.append("(optional)")
      case let value?: parts.append("(default \(value.sourceText))")
      }
    }
    return parts.joined(separator: " ") + (help.isEmpty ? "" : " — \(help)")
  }
}

extension ValueType {
  fileprivate var withoutMember: String {
    guard case .union(let types) = self else { return description }
    return ValueType.union(types.filter { $0 != .member }).description
  }
}

extension Value {
  /// The value as it would be written in a script.
  public var sourceText: String {
    if case .string(let string) = self { return quoted(string) }
    return description
  }
}

extension Builtin {
  /// The call with all parameters: `cma(space, sigma: 0.5, population: 20)`.
  public var signature: String {
    "\(name)(\(parameters.map(\.callText).joined(separator: ", ")))"
  }

  /// The help page that `?name` prints.
  public func help() -> String {
    var lines = ["\(signature) → \(returns.description)", "", "  \(summary)"]
    if !parameters.isEmpty {
      lines.append("")
      let names = parameters.map { $0.kind == .labelled ? $0.name + ":" : $0.name }
      let width = names.map(\.count).max() ?? 0
      for (name, parameter) in zip(names, parameters) {
        let gap = String(repeating: " ", count: width - name.count + 2)
        lines.append("  \(name)\(gap)\(parameter.explanation)")
      }
    }
    lines += ["", "  example   \(example)"]
    if let source { lines.append("  source    \(source)") }
    lines.append("  topic     \(topic)")
    return lines.joined(separator: "\n")
  }

  /// The builtin's section of the reference page, in Markdown.
  func referenceSection() -> String {
    var lines = ["### `\(name)`", "", "```", "\(signature) → \(returns.description)", "```", ""]
    lines.append(summary.hasSuffix(".") ? summary : summary + ".")
    if !parameters.isEmpty {
      lines += ["", "| parameter | |", "|---|---|"]
      for parameter in parameters {
        let name = parameter.kind == .labelled ? parameter.name + ":" : parameter.name
        let text = parameter.explanation.replacing("|", with: "\\|")
        lines.append("| `\(name)` | \(text) |")
      }
    }
    lines += ["", "```evoke", example, "```"]
    if let source { lines += ["", "Source: \(source)"] }
    return lines.joined(separator: "\n")
  }
}

extension Registry {
  /// The text of `docs/reference.md`: every builtin by topic, from its declaration.
  public func referencePage() -> String {
    var parts = [
      "# Reference",
      "Generated from the builtins' declarations by `evoke reference`; do not edit. "
        + "The language itself is described in [language.md](language.md).",
      topics.map { topic in
        let names = builtins.filter { $0.topic == topic }.map { "[`\($0.name)`](#\($0.name))" }
        return "* **\(topic)**: \(names.joined(separator: " "))"
      }.joined(separator: "\n"),
    ]
    for topic in topics {
      parts.append("## \(topic)")
      parts += builtins.filter { $0.topic == topic }.map { $0.referenceSection() }
    }
    if !types.isEmpty {
      parts.append("## Members of values")
      parts.append(
        types.map { type in
          let names = type.memberNames.map { "`.\($0)`" }.joined(separator: " ")
          return "* **\(type.typeName)**: \(names.isEmpty ? "no members" : names)"
        }.joined(separator: "\n"))
    }
    return parts.joined(separator: "\n\n") + "\n"
  }

  /// The one-line summaries of a topic's builtins, for `:help`.
  public func topicPage(_ topic: String) -> String {
    let shown = builtins.filter { $0.topic == topic }
    let width = shown.map(\.name.count).max() ?? 0
    return shown.map { builtin in
      let gap = String(repeating: " ", count: width - builtin.name.count + 2)
      return "  \(builtin.name)\(gap)\(builtin.summary)"
    }.joined(separator: "\n")
  }
}
