import Checkpoints
import Diffusion
import Foundation
import Language
import Pictures
import Tensors

/// `read`, `write`: values in files of the field's own formats.
enum FileBuiltins {
  static let all = [read, write]

  static let read = Builtin(
    "read", topic: Topic.load,
    summary:
      "Reads a file by its ending: tensors (.safetensors, .npy), a table (.csv), pictures, text (.txt)",
    parameters: [
      Parameter(
        "path", .string,
        "the file; a learned word may also be a .bin of diffusers or a .pt of A1111"
      ),
      Parameter(
        label: "as", .member, default: .member("tensors"), choices: ["tensors", "token"],
        "`.token` for a learned word that `generate` can use"),
    ],
    returns: .any,
    example: "star = read(\"star.safetensors\", as: .token)",
    source: "safetensors; diffusers, load_textual_inversion; numpy NEP 1; RFC 4180"
  ) { arguments, context in
    let url = try context.readURL(arguments.string("path"))
    if try arguments.member("as") == "token" {
      let word = try LearnedWord.read(url)
      return .object(TokenValue(word, modelDigest: word.metadata["model"] ?? ""))
    }
    switch url.pathExtension.lowercased() {
    case "npy": return .tensor(try NumpyFile.read(url))
    case "csv": return .list(try CSV.rows(text(url, context), limits: context.limits))
    case "txt", "md": return .string(try text(url, context))
    case "png", "jpg", "jpeg":
      let picture = try Picture.load(url)
      return .object(ImagesValue([picture], names: [url.lastPathComponent]))
    default:
      let file = try SafetensorsFile(url)
      return .record(Record(try file.names.map { ($0, .tensor(try file.tensor($0))) }))
    }
  }

  /// A text file that a string can hold.
  private static func text(_ url: URL, _ context: Context) throws -> String {
    let size = try? FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int
    guard size ?? 0 <= context.limits.stringBytes else {
      throw EvokeError(
        .file, "\(url.lastPathComponent) has more than \(context.limits.stringBytes) bytes")
    }
    let data: Data
    do { data = try Data(contentsOf: url) } catch {
      throw EvokeError(.file, "cannot read \(url.path): \(error.localizedDescription)")
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw EvokeError(.format, "\(url.lastPathComponent) is no text in UTF-8")
    }
    return text
  }

  static let write = Builtin(
    "write", topic: Topic.use,
    summary: "Writes a value to a file; the name's ending chooses the format",
    parameters: [
      Parameter(
        "value",
        .object(TokenValue.typeName) | .object(ImagesValue.typeName)
          | .object(PlotValue.typeName) | .object(AnimationValue.typeName)
          | .object(EmbeddingValue.typeName) | .tensor | .record | .list(.record) | .string,
        "a token (.safetensors, .bin for diffusers, .pt for A1111), a tensor (.safetensors, .npy), "
          + "a record of tensors (.safetensors), a picture (.png, .jpg), a plot (.svg, .png), "
          + "an animation (.png, .gif), records or a record of lists (.csv), text (.txt)"
      ),
      Parameter(label: "to", .string, "the file; written whole or not at all"),
      Parameter(
        label: "name", .string, default: "x", "the name of a lone tensor inside the file"),
    ],
    returns: .none,
    example: "write(star, to: \"star.safetensors\")",
    source: "safetensors; diffusers, save_progress of the textual inversion example; numpy NEP 1"
  ) { arguments, context in
    let path = try arguments.string("to")
    let url = try context.writeURL(path)
    let ending = url.pathExtension.lowercased()
    switch arguments["value"] {
    case .object(let token as TokenValue):
      try require(ending, LearnedWord.endings, for: "a token", arguments)
      var metadata = ["seed": String(context.sessionSeed)]
      if !token.modelDigest.isEmpty { metadata["model"] = token.modelDigest }
      try token.word.write(to: url, metadata: metadata)
    case .object(let images as ImagesValue):
      try require(ending, ["png", "jpg", "jpeg"], for: "a picture", arguments)
      guard images.count == 1 else {
        throw arguments.error(
          "value", .value, "one file holds one picture, and these are \(images.count)",
          hint: "lay them out with grid(…), or write them one by one: photos[0]")
      }
      try images.pictures[0].write(to: url)
    case .object(let plot as PlotValue):
      try require(ending, ["svg", "png"], for: "a plot", arguments)
      if ending == "svg" {
        try AtomicFile.write(Data(plot.svg.utf8), to: url)
      } else {
        try plot.chart.picture().write(to: url)
      }
    case .object(let animation as AnimationValue):
      try require(ending, ["png", "apng", "gif"], for: "an animation", arguments)
      try animation.animation.write(to: url)
    case .string(let text):
      try require(ending, ["txt", "md"], for: "a text", arguments)
      try AtomicFile.write(Data(text.utf8), to: url)
    case .record, .list: try writeRecords(ending, url, arguments)
    default:
      try require(ending, ["safetensors", "npy"], for: "a tensor", arguments)
      let tensor = try arguments.tensor("value")
      if ending == "npy" {
        try NumpyFile.write(tensor, to: url)
      } else {
        try Safetensors.write([(arguments.string("name"), tensor)], metadata: [], to: url)
      }
    }
    context.note("wrote \(path)")
    return .none
  }

  /// Records: of tensors as they are, of anything else as a table.
  private static func writeRecords(
    _ ending: String, _ url: URL, _ arguments: Arguments
  ) throws {
    guard case .record(let record) = arguments["value"], ending != "csv" else {
      try require(ending, ["csv"], for: "a table", arguments)
      return try AtomicFile.write(Data(CSV.text(Table(arguments["value"])).utf8), to: url)
    }
    try require(ending, ["safetensors", "csv"], for: "a record", arguments)
    let tensors = try record.fields.map { field in
      guard case .tensor(let tensor) = field.value else {
        throw arguments.error(
          "value", .type, "`\(field.key)` in this record is no tensor, so it cannot be written",
          hint: "a record of lists is a table: write it to a file that ends in .csv")
      }
      return (field.key, tensor)
    }
    try Safetensors.write(tensors, metadata: [], to: url)
  }

  private static func require(
    _ ending: String, _ endings: [String], for what: String, _ arguments: Arguments
  ) throws {
    guard !endings.contains(ending) else { return }
    let list = endings.map { "." + $0 }.joined(separator: " or ")
    throw arguments.error(
      "to", .file, "\(what) is written to a file that ends in \(list)",
      hint: ending.isEmpty ? "add the ending" : "change .\(ending) to .\(endings[0])")
  }
}
