import Checkpoints
import Foundation
import Tensors

/// What a tokenizer's folder says, in transformers' file formats.
///
/// `tokenizer.json` (transformers 5) comes before `vocab.json` and `merges.txt`; the special tokens
/// come from `tokenizer_config.json`, which `special_tokens_map.json` overrides unless the former
/// lists `added_tokens_decoder`. Source: transformers 5 `PreTrainedTokenizerBase._from_pretrained`.
struct TokenizerFiles {
  var vocabulary: [(token: String, id: Int)] = []
  var merges: [(Substring, Substring)] = []
  var added: [AddedToken] = []
  var special: [String: String] = [:]
  var maxLength: Int?

  /// More than any vocabulary has, and small enough to be counted on from there.
  private static let ids = 0..<1 << 22
  private let folder: URL
  private var listed: Set<String> = []

  init(folder: URL) throws {
    self.folder = folder
    let whole = try optional("tokenizer.json")
    if let whole {
      try readWhole(whole)
    } else {
      try readVocabulary(
        try JSONValue(parsing: readFile(file("vocab.json")), source: path("vocab.json")),
        source: path("vocab.json"))
      try readMerges()
    }
    try readSpecialTokens(whole: whole)
  }

  private func file(_ name: String) -> URL { folder.appendingPathComponent(name) }

  private func path(_ name: String) -> String { file(name).path }

  private func optional(_ name: String) throws -> Config? {
    guard FileManager.default.fileExists(atPath: path(name)) else { return nil }
    return try Config(file(name))
  }

  // MARK: Vocabulary and merges

  private mutating func readWhole(_ whole: Config) throws {
    let model = try whole.config("model")
    guard let entries = model.value("vocab") else {
      throw EvokeError(.format, "\(model.source) has no \"vocab\"")
    }
    try readVocabulary(entries, source: model.source)
    guard case .array(let list)? = model.value("merges") else {
      throw EvokeError(.format, "\(model.source) has no list \"merges\"")
    }
    merges = try list.map { merge in
      switch merge {
      case .string(let line): return try pair(Substring(line).utf8, source: model.source)
      case .array(let parts):
        guard parts.count == 2, case .string(let left) = parts[0],
          case .string(let right) = parts[1]
        else { fallthrough }
        return (Substring(left), Substring(right))
      default: throw EvokeError(.format, "\(model.source): a merge is not two tokens")
      }
    }
  }

  private mutating func readVocabulary(_ json: JSONValue, source: String) throws {
    guard case .object(let members) = json else {
      throw EvokeError(.format, "\(source): the vocabulary is \(json.kindName), not an object")
    }
    vocabulary = try members.map { member in
      guard case .int(let id) = member.value, Self.ids.contains(id) else {
        throw EvokeError(.format, "\(source): token \"\(member.key)\" has no id")
      }
      return (member.key, id)
    }
    guard Set(vocabulary.map(\.id)).count == vocabulary.count else {
      throw EvokeError(.format, "\(source): two tokens share an id")
    }
  }

  private mutating func readMerges() throws {
    let text = String(decoding: try readFile(file("merges.txt")), as: UTF8.self)
    // Cutting bytes rather than characters: a real vocabulary has 49,000 of these lines.
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
      let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      if line.isEmpty || line.starts(with: "#version".utf8) { continue }
      merges.append(try pair(line, source: path("merges.txt")))
    }
  }

  private func pair(_ line: Substring.UTF8View, source: String) throws -> (Substring, Substring) {
    let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
      throw EvokeError(.format, "\(source): \"\(Substring(line))\" is not two tokens")
    }
    return (Substring(parts[0]), Substring(parts[1]))
  }

  // MARK: Special tokens

  private mutating func readSpecialTokens(whole: Config?) throws {
    let config = try optional("tokenizer_config.json")
    maxLength = try config.flatMap(Self.maxLength)
    let hasDecoder = config?.has("added_tokens_decoder") == true
    for (id, token) in try hasDecoder ? Self.decoderTokens(config) : Self.addedTokens(whole) {
      try add(token, id: id)
    }
    listed = Set(added.map(\.content))
    let files = hasDecoder ? [config] : [try optional("special_tokens_map.json"), config]
    for key in ["bos_token", "eos_token", "unk_token", "pad_token"] {
      try readNamed(key, in: files.compactMap { $0 })
    }
    guard let legacy = try optional("added_tokens.json") else { return }
    for content in legacy.keys where !added.contains(where: { $0.content == content }) {
      try append(content, id: try legacy.int(content), isNormalized: true, isSpecial: false)
    }
  }

  /// The length limit; none when it is missing, or the huge number that stands for "none".
  private static func maxLength(_ config: Config) throws -> Int? {
    guard case .int(let length)? = config.value("model_max_length"), length < 1 << 20 else {
      return nil
    }
    guard length >= 3 else {
      throw EvokeError(.format, "\(config.source): \"model_max_length\" is \(length)")
    }
    return length
  }

  /// The tokens that `tokenizer_config.json` lists under `added_tokens_decoder`.
  private static func decoderTokens(_ config: Config?) throws -> [(id: Int, token: Config)] {
    guard let decoder = try config?.config("added_tokens_decoder") else { return [] }
    return try decoder.keys.map { key in
      guard let id = Int(key) else {
        throw EvokeError(.format, "\(decoder.source): \"\(key)\" is not an id")
      }
      return (id, try decoder.config(key))
    }
  }

  /// The tokens that `tokenizer.json` lists under `added_tokens`.
  private static func addedTokens(_ whole: Config?) throws -> [(id: Int, token: Config)] {
    guard let whole, case .array(let list)? = whole.value("added_tokens") else { return [] }
    return try list.map {
      let token = try Config($0, source: "\(whole.source): added_tokens")
      return (try token.int("id"), token)
    }
  }

  /// A special token named by one of the files: a string, or an object with flags.
  private mutating func readNamed(_ key: String, in files: [Config]) throws {
    guard let config = files.first(where: { $0.has(key) }) else {
      special[key] = key == "bos_token" ? "<|startoftext|>" : "<|endoftext|>"
      return try addNamed(special[key] ?? "", isNormalized: false)
    }
    if case .object? = config.value(key) {
      let token = try config.config(key)
      let content = try token.string("content")
      special[key] = content
      try checkFlags(token)
      try addNamed(content, isNormalized: try token.bool("normalized", default: false))
    } else {
      let content = try config.string(key)
      special[key] = content
      try addNamed(content, isNormalized: false)
    }
  }

  /// Of several names for one token the last sets its flag, unless a file lists the token itself:
  /// with Stable Diffusion 1.5 the end token is the padding as well, and that one is a plain string.
  private mutating func addNamed(_ content: String, isNormalized: Bool) throws {
    guard !listed.contains(content) else { return }
    guard let id = vocabulary.first(where: { $0.token == content })?.id else { return }
    added.removeAll { $0.content == content }
    try append(content, id: id, isNormalized: isNormalized, isSpecial: true)
  }

  private mutating func add(_ token: Config, id: Int) throws {
    try checkFlags(token)
    let isSpecial = try token.bool("special", default: false)
    try append(
      try token.string("content"), id: id,
      isNormalized: try token.bool("normalized", default: !isSpecial), isSpecial: isSpecial)
  }

  private mutating func append(
    _ content: String, id: Int, isNormalized: Bool, isSpecial: Bool
  ) throws {
    guard Self.ids.contains(id) else {
      throw EvokeError(.format, "\(folder.path): token \"\(content)\" has the id \(id)")
    }
    added.append(
      AddedToken(content: content, ids: [id], isNormalized: isNormalized, isSpecial: isSpecial))
  }

  /// No CLIP tokenizer is known to use these; reading them as absent would change ids silently.
  private func checkFlags(_ token: Config) throws {
    for flag in ["lstrip", "rstrip", "single_word"] where try token.bool(flag, default: false) {
      throw EvokeError(.format, "\(token.source): \"\(flag)\" is not supported")
    }
  }
}
