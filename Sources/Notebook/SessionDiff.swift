import Language
import Tensors

/// What two sessions have in common and what not, statement by statement.
public struct SessionDiff: Sendable {
  public enum Entry: Sendable, Equatable {
    /// The same statement with the same recorded lines.
    case same(String)
    /// The same statement with other recorded lines: line in A, line in B.
    case changed(String, lines: (Int, Int), a: [String], b: [String])
    /// A statement that only A has, with its line there.
    case onlyA(String, line: Int)
    case onlyB(String, line: Int)

    public static func == (x: Entry, y: Entry) -> Bool {
      switch (x, y) {
      case (.same(let a), .same(let b)): a == b
      case (.changed(let a, let p, let c, let d), .changed(let e, let q, let f, let g)):
        a == e && p == q && c == f && d == g
      case (.onlyA(let a, let m), .onlyA(let b, let n)),
        (.onlyB(let a, let m), .onlyB(let b, let n)):
        a == b && m == n
      default: false
      }
    }
  }
  public let entries: [Entry]
  /// What is not the same in the headers.
  public let environment: [HeaderDifference]

  /// Whether there is no difference at all.
  public var isEmpty: Bool {
    environment.isEmpty
      && entries.allSatisfy { if case .same = $0 { true } else { false } }
  }

  /// Compares two sessions.
  ///
  /// - Throws: `Diagnostics` if one cannot be parsed.
  public init(_ a: SessionDocument, _ b: SessionDocument) throws {
    let (left, right) = (try SessionDiff.statements(of: a), try SessionDiff.statements(of: b))
    let pairs = alignment(left.map(\.key), right.map(\.key))
    var entries: [Entry] = []
    var (i, j) = (0, 0)
    for (p, q) in pairs + [(left.count, right.count)] {
      while i < p {
        entries.append(.onlyA(left[i].source, line: left[i].line))
        i += 1
      }
      while j < q {
        entries.append(.onlyB(right[j].source, line: right[j].line))
        j += 1
      }
      guard p < left.count, q < right.count else { break }
      if left[p].outputs == right[q].outputs {
        entries.append(.same(left[p].source))
      } else {
        entries.append(
          .changed(
            left[p].source, lines: (left[p].line, right[q].line), a: left[p].outputs,
            b: right[q].outputs))
      }
      (i, j) = (p + 1, q + 1)
    }
    self.entries = entries
    if let first = a.header, let second = b.header {
      environment = first.differences(to: second)
    } else {
      environment = []
    }
  }

  private struct Statement {
    let source: String
    /// The source with white space evened out, by which statements are matched.
    let key: String
    let line: Int
    let outputs: [String]
  }

  /// The statements of a document; those that share a place of outputs count as one.
  private static func statements(of document: SessionDocument) throws -> [Statement] {
    let statements = try Script.statements(of: document.source, name: document.name)
    let anchors = document.anchors(statements.map(\.lines))
    var result: [Statement] = []
    var start = 0
    for index in statements.indices
    where index + 1 == statements.count || anchors[index + 1] != anchors[index] {
      let group = statements[start...index]
      let source = group.map(\.source).joined(separator: "; ")
      result.append(
        Statement(
          source: source, key: source.split(whereSeparator: \.isWhitespace).joined(separator: " "),
          line: group[start].lines.lowerBound, outputs: document.recorded[anchors[index]] ?? []))
      start = index + 1
    }
    return result
  }

  /// The differences as text; nothing for what is the same.
  public func rendered(nameA: String, nameB: String) -> String {
    var lines: [String] = []
    for difference in environment {
      lines.append("\(difference.key): \(difference.recorded) → \(difference.now)")
    }
    for entry in entries {
      switch entry {
      case .same: break
      case .changed(let source, let places, let a, let b):
        lines.append("~ \(nameA):\(places.0) \(nameB):\(places.1)  \(source)")
        lines += a.filter { !b.contains($0) }.map { "    - \($0)" }
        lines += b.filter { !a.contains($0) }.map { "    + \($0)" }
      case .onlyA(let source, let line): lines.append("- \(nameA):\(line)  \(source)")
      case .onlyB(let source, let line): lines.append("+ \(nameB):\(line)  \(source)")
      }
    }
    return lines.isEmpty ? "no difference" : lines.joined(separator: "\n")
  }
}

/// The places of a longest common subsequence of two lists.
private func alignment(_ a: [String], _ b: [String]) -> [(Int, Int)] {
  var lengths = [[Int]](
    repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
  for i in a.indices.reversed() {
    for j in b.indices.reversed() {
      lengths[i][j] =
        a[i] == b[j] ? lengths[i + 1][j + 1] + 1 : max(lengths[i + 1][j], lengths[i][j + 1])
    }
  }
  var pairs: [(Int, Int)] = []
  var (i, j) = (0, 0)
  while i < a.count, j < b.count {
    if a[i] == b[j] {
      pairs.append((i, j))
      (i, j) = (i + 1, j + 1)
    } else if lengths[i + 1][j] >= lengths[i][j + 1] {
      i += 1
    } else {
      j += 1
    }
  }
  return pairs
}
