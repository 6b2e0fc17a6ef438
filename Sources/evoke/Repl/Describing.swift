import Foundation
import Language

/// What `:vars` and `?name` say of values.
enum Describing {
  /// Every name with type, shape, size and digest, in columns.
  static func table(_ bindings: [(name: String, value: Value)], width: Int) -> [String] {
    let rows = bindings.map { name, value in
      [
        name, typeName(value), size(value.byteCount) ?? "", String(value.digest.prefix(8)),
        value.echo,
      ]
    }
    let heads = ["name", "type", "size", "digest", "value"]
    let widths = heads.indices.map { column in
      ([heads] + rows).map { $0[column].count }.max() ?? 0
    }
    return ([heads] + rows).map { row in
      let cells = row.indices.dropLast().map { column in
        let gap = String(repeating: " ", count: widths[column] - row[column].count)
        return column == 2 ? gap + row[column] : row[column] + gap
      }
      let line = cells.joined(separator: "  ") + "  " + row[row.count - 1]
      return line.count <= width ? line : line.prefix(max(20, width - 1)) + "…"
    }
  }

  /// A value with the members that a dot behind its name reaches.
  static func page(_ name: String, _ value: Value) -> String {
    var lines = [
      "\(name): \(value.echo)",
      "  "
        + [typeName(value), size(value.byteCount), "digest \(value.digest.prefix(16))"]
        .compactMap { $0 }.joined(separator: ", "),
    ]
    if case .object(let object) = value {
      let names = type(of: object).memberNames
      let width = names.map(\.count).max() ?? 0
      for member in names {
        let echo = (try? object.member(member))?.echo ?? "none"
        let gap = String(repeating: " ", count: width - member.count)
        lines.append("  .\(member)\(gap)  \(echo)")
      }
    }
    return lines.joined(separator: "\n")
  }

  private static func typeName(_ value: Value) -> String {
    guard case .tensor(let tensor) = value else { return value.typeName }
    return "tensor \(tensor.shape)"
  }

  /// `712 B`, `4.2 KiB`.
  static func size(_ bytes: Int?) -> String? {
    guard let bytes else { return nil }
    if bytes < 1024 { return "\(bytes) B" }
    var value = Double(bytes)
    var unit = 0
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    while value >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }
}
