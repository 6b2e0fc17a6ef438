/// What a session was recorded with: `#! evoke 0.1   seed 7   precision float32   model demo …`.
///
/// Fields keep their order; a key may stand more than once (two models).
public struct SessionHeader: Sendable, Equatable {
  public struct Field: Sendable, Equatable {
    public let key: String
    public let value: String

    public init(_ key: String, _ value: String) {
      self.key = key
      self.value = value
    }
  }
  public let fields: [Field]

  public init(_ fields: [Field]) { self.fields = fields }

  /// The header of a run.
  ///
  /// - Parameters:
  ///   - version: evoke's version.
  ///   - seed: The session seed that the run began with.
  ///   - environment: Precision, backend, instruction set …, by key.
  ///   - fingerprint: What builtins said that results depend on (models).
  public init(
    version: String, seed: Int, environment: [(key: String, value: String)],
    fingerprint: [(key: String, value: String)]
  ) {
    fields =
      [Field("evoke", version), Field("seed", String(seed))]
      + (environment + fingerprint).map { Field($0.key, $0.value) }
  }

  /// The first value of a key.
  public subscript(key: String) -> String? { fields.first { $0.key == key }?.value }

  public var seed: Int? { self["seed"].flatMap(Int.init) }

  /// The keys under which another value makes `close` possible: results may then differ in the last
  /// digits without anything being wrong.
  public static let tolerantKeys = ["evoke", "precision", "backend"]

  /// The keys that stand on the first line; the others follow on a second one.
  private static let leadingKeys = ["evoke", "seed", "precision", "model"]

  /// The lines of the header, without what makes them comments.
  var lines: [String] {
    func line(_ fields: [Field]) -> String {
      fields.map { "\($0.key) \($0.value)" }.joined(separator: "   ")
    }
    let first = fields.filter { Self.leadingKeys.contains($0.key) }
    let rest = fields.filter { !Self.leadingKeys.contains($0.key) }
    return [line(first)] + (rest.isEmpty ? [] : [line(rest)])
  }

  /// Reads a header from its lines; nil if they name no version.
  init?(lines: [String]) {
    var fields: [Field] = []
    for line in lines {
      for part in line.splitAtGaps() {
        guard let space = part.firstIndex(of: " ") else { continue }
        fields.append(
          Field(String(part[..<space]), String(part[part.index(after: space)...])))
      }
    }
    guard fields.first?.key == "evoke" else { return nil }
    self.fields = fields
  }

  /// What is not the same in `other`: key, value here, value there.
  public func differences(to other: SessionHeader) -> [HeaderDifference] {
    var keys: [String] = []
    for field in fields + other.fields where !keys.contains(field.key) { keys.append(field.key) }
    return keys.compactMap { key in
      let here = fields.filter { $0.key == key }.map(\.value).joined(separator: ", ")
      let there = other.fields.filter { $0.key == key }.map(\.value).joined(separator: ", ")
      return here == there ? nil : HeaderDifference(key: key, recorded: here, now: there)
    }
  }
}

/// A field of the header that has another value now.
public struct HeaderDifference: Sendable, Equatable {
  public let key: String
  public let recorded: String
  public let now: String
}

extension String {
  /// The parts between gaps of two or more spaces.
  fileprivate func splitAtGaps() -> [String] {
    var parts: [String] = []
    var part = ""
    var spaces = 0
    for character in self {
      if character == " " {
        spaces += 1
        continue
      }
      if spaces >= 2, !part.isEmpty {
        parts.append(part)
        part = ""
      } else if spaces > 0, !part.isEmpty {
        part += " "
      }
      spaces = 0
      part.append(character)
    }
    return parts + (part.isEmpty ? [] : [part])
  }
}
