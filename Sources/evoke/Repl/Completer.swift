import Foundation
import Language

/// What could come next in a line that is being typed: names, labels, members, `:`-commands, files,
/// and inside a prompt's string the words that the model knows.
struct Completer: Sendable {
  let registry: Registry
  /// The names bound so far, with the members that a dot behind each reaches.
  let bindings: [(name: String, members: [String])]
  /// The words that mean something to the models loaded so far.
  let words: [String]
  let commands: [String]
  /// Where relative paths begin.
  let folder: URL

  private static let keywords = [
    "for", "in", "if", "else", "while", "func", "return", "true", "false",
  ]

  /// The candidates for the word at the end of `line`, and what stands behind a chosen one.
  func candidates(_ line: String) -> (candidates: [String], append: Character?) {
    if line.hasPrefix(":"), !line.contains(" ") {
      return (matching(String(line.dropFirst()), commands), " ")
    }
    let context = Context(line)
    if line.hasPrefix(":save ") {
      return (paths(String(line.dropFirst(6)), word: context.word), nil)
    }
    if let text = context.openString { return insideString(text, context) }
    if context.word.contains(".") || context.isBehindDot { return (members(context), nil) }
    if let call = context.call, let builtin = registry[call] {
      if let label = context.label,
        let parameter = builtin.parameters.first(where: { $0.name == label }),
        context.word.isEmpty, !parameter.choices.isEmpty
      {
        return (parameter.choices.map { "." + $0 }, nil)
      }
      let labels = builtin.parameters.filter { $0.kind == .labelled }.map { $0.name + ":" }
      let names = matching(context.word, labels + self.names)
      return (names, names.count == 1 && names[0].hasSuffix(":") ? " " : nil)
    }
    return (matching(context.word, names + Self.keywords), nil)
  }

  private var names: [String] { bindings.map(\.name) + registry.names }

  private func matching(_ prefix: String, _ names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.filter { $0.hasPrefix(prefix) && seen.insert($0).inserted }
  }

  /// `.pca` where a label takes members, `es.sigma` behind a name.
  private func members(_ context: Context) -> [String] {
    let parts = context.word.split(separator: ".", omittingEmptySubsequences: false).map(
      String.init)
    let prefix = parts.last ?? ""
    let owner = parts.count > 1 ? parts[parts.count - 2] : ""
    if owner.isEmpty, let call = context.call, let label = context.label,
      let parameter = registry[call]?.parameters.first(where: { $0.name == label })
    {
      return matching(prefix, parameter.choices).map { "." + $0 }
    }
    guard let known = bindings.first(where: { $0.name == owner }) else { return [] }
    // The dot is no break character, so the whole word `es.sig` is what gets replaced.
    return matching(prefix, known.members + registry.names).map { owner + "." + $0 }
  }

  private func insideString(_ text: String, _ context: Context) -> (
    candidates: [String], append: Character?
  ) {
    let takesPath =
      ["images", "read", "model"].contains(context.call ?? "") || context.label == "to"
    if takesPath { return (paths(text, word: context.word), nil) }
    return (matching(context.word, words), nil)
  }

  /// Files and folders whose path begins with `text`; only the part behind the last break is shown.
  private func paths(_ text: String, word: String) -> [String] {
    let base = text.hasPrefix("/") ? URL(fileURLWithPath: "/") : folder
    let parent = text.contains("/") ? String(text[...text.lastIndex(of: "/")!]) : ""
    let url = parent.isEmpty ? base : URL(fileURLWithPath: parent, relativeTo: base)
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    let start = text.dropLast(word.count)
    return entries.sorted().filter { !$0.hasPrefix(".") }.map { parent + $0 }
      .filter { $0.hasPrefix(text) }
      .map { path in
        var isFolder: ObjCBool = false
        let full = URL(fileURLWithPath: path, relativeTo: base).path
        _ = FileManager.default.fileExists(atPath: full, isDirectory: &isFolder)
        return String(path.dropFirst(start.count)) + (isFolder.boolValue ? "/" : "")
      }
  }
}

extension Completer {
  /// What can be told of a half-typed line without parsing it.
  struct Context {
    /// The letters since the last break: what is being completed.
    let word: String
    /// The text since the quote, if the cursor stands inside a string.
    let openString: String?
    /// The function whose parentheses the cursor stands in.
    let call: String?
    /// The label that the cursor's argument has.
    let label: String?
    /// Whether the word began with a dot.
    let isBehindDot: Bool

    init(_ line: String) {
      var stack: [(name: String, label: String?)] = []
      var string: String?
      var identifier = ""
      var isEscaped = false
      for character in line {
        if let open = string {
          if isEscaped {
            isEscaped = false
            string = open + String(character)
          } else if character == "\\" {
            isEscaped = true
          } else if character == "\"" {
            string = nil
          } else {
            string = open + String(character)
          }
          continue
        }
        switch character {
        case "\"": string = ""
        case "(":
          stack.append((identifier, nil))
          identifier = ""
        case ")", "]": if !stack.isEmpty { stack.removeLast() }
        case "[": stack.append(("", nil))
        case ",":
          if !stack.isEmpty { stack[stack.count - 1].label = nil }
          identifier = ""
        case ":":
          if !stack.isEmpty { stack[stack.count - 1].label = identifier }
          identifier = ""
        default:
          if character.isLetter || character.isNumber || character == "_" {
            identifier.append(character)
          } else if character != "." || !identifier.isEmpty {
            identifier = ""
          }
        }
      }
      openString = string
      call = stack.last { !$0.name.isEmpty }?.name
      label = stack.last?.label
      let breaks: Set<Character> = Set(" \t\n()[]{},:=+-*/%@<>!?&|;#\"'")
      word = String(line.reversed().prefix { !breaks.contains($0) }.reversed())
      isBehindDot = word.hasPrefix(".")
    }
  }
}
