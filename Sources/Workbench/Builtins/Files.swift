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
    summary: "Reads a .safetensors file as a record of tensors, or a learned word as a token",
    parameters: [
      Parameter(
        "path", .string,
        "the file; a learned word may also be a .bin of diffusers or a .pt of A1111"
      ),
      Parameter(
        label: "as", .member, default: .member("tensors"), choices: ["tensors", "token"],
        "`.token` for a learned word that `generate` can use"),
    ],
    returns: .record | .object(TokenValue.typeName),
    example: "star = read(\"star.safetensors\", as: .token)",
    source: "safetensors; diffusers, load_textual_inversion"
  ) { arguments, context in
    let url = try context.readURL(arguments.string("path"))
    if try arguments.member("as") == "token" {
      let word = try LearnedWord.read(url)
      return .object(TokenValue(word, modelDigest: word.metadata["model"] ?? ""))
    }
    let file = try SafetensorsFile(url)
    return .record(Record(try file.names.map { ($0, .tensor(try file.tensor($0))) }))
  }

  static let write = Builtin(
    "write", topic: Topic.use,
    summary: "Writes a value to a file; the name's ending chooses the format",
    parameters: [
      Parameter(
        "value",
        .object(TokenValue.typeName) | .object(ImagesValue.typeName)
          | .object(PlotValue.typeName) | .object(AnimationValue.typeName)
          | .object(EmbeddingValue.typeName) | .tensor | .record,
        "a token (.safetensors, .bin for diffusers, .pt for A1111), tensor or record of tensors (.safetensors), "
          + "a picture (.png, .jpg), a plot (.svg, .png), an animation (.png)"
      ),
      Parameter(label: "to", .string, "the file; written whole or not at all"),
      Parameter(
        label: "name", .string, default: "x", "the name of a lone tensor inside the file"),
    ],
    returns: .none,
    example: "write(star, to: \"star.safetensors\")",
    source: "safetensors; diffusers, save_progress of the textual inversion example"
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
      try require(ending, ["png", "apng"], for: "an animation", arguments)
      try animation.animation.write(to: url)
    case .record(let record):
      try require(ending, ["safetensors"], for: "a record of tensors", arguments)
      let tensors = try record.fields.map { field in
        guard case .tensor(let tensor) = field.value else {
          throw arguments.error(
            "value", .type, "`\(field.key)` in this record is no tensor, so it cannot be written")
        }
        return (field.key, tensor)
      }
      try Safetensors.write(tensors, metadata: [], to: url)
    default:
      try require(ending, ["safetensors"], for: "a tensor", arguments)
      try Safetensors.write(
        [(arguments.string("name"), arguments.tensor("value"))], metadata: [], to: url)
    }
    context.note("wrote \(path)")
    return .none
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
