import Language
import Tensors

/// Tables as text with commas (RFC 4180).
enum CSV {
  /// The rows of a table as records, keyed by the first line; cells that are numbers become
  /// numbers, empty ones `none`.
  ///
  /// - Throws: `EvokeError` (format) for lines of different lengths, a key twice, an open quote.
  static func rows(_ text: String, limits: Limits) throws -> [Value] {
    let lines = try cells(text)
    guard let keys = lines.first else { throw EvokeError(.format, "the table is empty") }
    guard Set(keys).count == keys.count else {
      throw EvokeError(.format, "two columns of the table have the same name")
    }
    guard lines.count - 1 <= limits.elements else {
      throw EvokeError(.value, "a table has at most \(limits.elements) rows")
    }
    return try lines.enumerated().dropFirst().map { index, cells in
      guard cells.count == keys.count else {
        throw EvokeError(
          .format,
          "row \(index + 1) of the table has \(cells.count) cells, the first one \(keys.count)")
      }
      return .record(Record(zip(keys, cells).map { ($0, value($1)) }))
    }
  }

  private static func value(_ cell: String) -> Value {
    if cell.isEmpty { return .none }
    guard let first = cell.utf8.first, "0123456789+-.".utf8.contains(first) else {
      return .string(cell)
    }
    if let int = Int(cell) { return .int(int) }
    // Swift reads hexadecimal numbers too, which nobody means in a table.
    let isDecimal = cell.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
    if isDecimal, let double = Double(cell), double.isFinite { return .double(double) }
    return .string(cell)
  }

  private static func cells(_ text: String) throws -> [[String]] {
    var lines: [[String]] = []
    var line: [String] = []
    var cell: [UInt8] = []
    var isQuoted = false
    let bytes = Array(text.utf8)
    var place = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    func endCell() {
      line.append(String(decoding: cell, as: UTF8.self))
      cell = []
    }
    func endLine() {
      endCell()
      if line != [""] { lines.append(line) }
      line = []
    }
    while place < bytes.count {
      let byte = bytes[place]
      place += 1
      switch byte {
      case UInt8(ascii: "\"") where isQuoted:
        if place < bytes.count, bytes[place] == byte {
          cell.append(byte)
          place += 1
        } else {
          isQuoted = false
        }
      case _ where isQuoted: cell.append(byte)
      case UInt8(ascii: "\"") where cell.isEmpty: isQuoted = true
      case UInt8(ascii: ","): endCell()
      case UInt8(ascii: "\r") where place < bytes.count && bytes[place] == UInt8(ascii: "\n"): break
      case UInt8(ascii: "\n"): endLine()
      default: cell.append(byte)
      }
    }
    if isQuoted { throw EvokeError(.format, "a quoted cell of the table does not end") }
    if !cell.isEmpty || !line.isEmpty { endLine() }
    return lines
  }

  /// The table as text: the names, then a line a row; numbers in full.
  static func text(_ table: Table) -> String {
    var lines = [table.columns.map { quoted($0.name) }]
    for row in 0..<table.height {
      lines.append(
        table.columns.map { row < $0.cells.count ? quoted(Self.cell($0.cells[row])) : "" })
    }
    return lines.map { $0.joined(separator: ",") + "\n" }.joined()
  }

  private static func cell(_ value: Value) -> String {
    if value.isNone { return "" }
    return value.description
  }

  private static func quoted(_ cell: String) -> String {
    guard cell.utf8.contains(where: { ",\"\n\r".utf8.contains($0) }) else { return cell }
    return "\"" + cell.replacing("\"", with: "\"\"") + "\""
  }
}
