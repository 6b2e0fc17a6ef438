import Language
import Pictures
import Tensors

/// `show`, `grid`, `table`: for people who would rather look than read (`plot` has a file of its own).
enum SeeBuiltins {
  static let all = [show, grid, PlotBuiltin.plot, table]

  static let show = Builtin(
    "show", topic: Topic.see,
    summary:
      "Shows a value where it can be shown: pictures and plots in a terminal that draws them",
    parameters: [Parameter("value", .any, "pictures, a plot, or anything else")],
    returns: .none,
    example: "show(photos)"
  ) { arguments, context in
    context.display(arguments["value"])
    return .none
  }

  static let grid = Builtin(
    "grid", topic: Topic.see,
    summary: "Lays pictures out on one sheet: a row for each list, with labels and captions",
    parameters: [
      Parameter(
        "images", .object(ImagesValue.typeName) | .list(.object(ImagesValue.typeName)),
        "pictures, or a list of them, one a row"),
      Parameter(label: "rows", .list(.string), default: .list([]), "a label for each row"),
      Parameter(
        label: "captions", .list(.string), default: .list([]),
        "a line below each picture, when there is one row only"),
      Parameter(label: "title", .string, default: "", "above everything"),
      Parameter(
        label: "columns", .int, default: .none, unit: "pictures",
        "pictures side by side; a longer row goes on below"),
    ],
    returns: .object(ImagesValue.typeName),
    example: "sheet = grid([photos, drawn], rows: [\"given\", \"drawn\"], title: \"<star>\")"
  ) { arguments, _ in
    let images = try arguments.objects("images", as: ImagesValue.self)
    let labels = try arguments.strings("rows")
    let captions = try arguments.strings("captions")
    let title = try arguments.string("title")
    let columns = try arguments.ifGiven("columns") { try $0.int($1, in: 1...64) }
    let total = images.reduce(0) { $0 + $1.count }
    guard total <= 2000 else {
      throw arguments.error(
        "images", .value, "\(total) pictures do not fit on one sheet",
        hint: "take at most 2000 of them: photos[..<100]")
    }
    guard labels.count <= images.count else {
      throw arguments.error(
        "rows", .value, "there are \(labels.count) labels for \(images.count) rows")
    }
    let sheet: ContactSheet
    if images.count == 1 && labels.isEmpty {
      sheet = .grid(images[0].pictures, captions: captions, title: title, columns: columns)
    } else {
      let rows = images.enumerated().map { index, row in
        ContactSheet.Row(
          index < labels.count ? labels[index] : "", pictures: row.pictures,
          captions: images.count == 1 ? captions : [])
      }
      let widest = images.map(\.count).max() ?? 1
      sheet = ContactSheet(title: title, rows: rows, columns: columns ?? min(10, widest))
    }
    return .object(ImagesValue([try sheet.rendered()], names: [title.isEmpty ? "grid" : title]))
  }

  static let table = Builtin(
    "table", topic: Topic.see,
    summary: "Prints records, or a record of lists, as an aligned table",
    parameters: [
      Parameter("rows", .list(.record) | .record, "a list of records, or one record of lists")
    ],
    returns: .none,
    example: "table(es.history)"
  ) { arguments, context in
    for line in try Table(arguments["rows"]).lines { try context.print(line) }
    return .none
  }
}
