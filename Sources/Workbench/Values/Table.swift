import Language
import Tensors

/// Records as columns: what `table` prints and `.csv` files hold.
struct Table {
  private(set) var columns: [(name: String, cells: [Value])] = []
  private var places: [String: Int] = [:]

  /// Cells that are shown or written at most.
  static let limit = 4_000_000

  /// A table of a list of records, or of a record of lists.
  ///
  /// - Throws: `EvokeError` (value) for more cells than ``limit``.
  init(_ value: Value) throws {
    switch value {
    case .list(let list): try add(rows: list.compactMap(Self.record))
    case .record(let record): try add(columns: record)
    default: break
    }
  }

  /// The number of rows.
  var height: Int { columns.map(\.cells.count).max() ?? 0 }

  private static func record(_ value: Value) -> Record? {
    if case .record(let record) = value { record } else { nil }
  }

  private mutating func add(rows: [Record]) throws {
    for row in rows {
      for field in row.fields where places[field.key] == nil {
        places[field.key] = columns.count
        columns.append((field.key, []))
      }
      try Self.check(rows.count, columns.count)
    }
    for index in columns.indices {
      let name = columns[index].name
      columns[index].cells = rows.map { $0[name] ?? .none }
    }
  }

  private mutating func add(columns record: Record) throws {
    for field in record.fields {
      switch field.value {
      case .list(let list): columns.append((field.key, list.elements))
      case .range(let range):
        try Self.check(range.count, 1)
        columns.append((field.key, range.range.map(Value.int)))
      case .tensor(let tensor) where tensor.rank == 1:
        columns.append((field.key, tensor.values.map { .double(Double($0)) }))
      default: columns.append((field.key, [field.value]))
      }
      try Self.check(height, columns.count)
    }
  }

  private static func check(_ rows: Int, _ columns: Int) throws {
    let (cells, overflow) = rows.multipliedReportingOverflow(by: columns)
    guard !overflow, cells <= limit else {
      throw EvokeError(
        .value, "a table of \(rows) × \(columns) cells is too large",
        hint: "take a part of it: rows[..<100]")
    }
  }

  /// The header and the rows in aligned columns; numbers stand to the right.
  var lines: [String] {
    let texts = columns.map { column in [column.name] + column.cells.map(Self.text) }
    let widths = texts.map { $0.map(\.count).max() ?? 0 }
    return (0...height).map { row in
      zip(texts, widths).map { cells, width in
        let cell = row < cells.count ? cells[row] : ""
        return String(repeating: " ", count: max(0, width - cell.count)) + cell
      }.joined(separator: "  ")
    }
  }

  private static func text(_ value: Value) -> String {
    switch value {
    case .double(let number): Format.number(number)
    case .string(let text): text
    case .none: ""
    default: value.echo
    }
  }
}
