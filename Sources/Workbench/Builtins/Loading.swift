import Diffusion
import Foundation
import Language
import Pictures
import Tensors

/// `model`, `images`: what a session begins with.
enum LoadingBuiltins {
  static let all = [model, images]

  static let model = Builtin(
    "model", topic: Topic.load,
    summary: "Loads a text-to-image model: the built-in one, or a diffusers folder",
    parameters: [
      Parameter(
        "name", .string, default: "demo",
        "`demo` for the built-in model, or the path of a folder with a model_index.json")
    ],
    returns: .object(ModelValue.typeName),
    example: "m = model(\"demo\")",
    source: "folder layout: diffusers, StableDiffusionPipeline.save_pretrained"
  ) { arguments, context in
    let name = try arguments.string("name")
    let model =
      name == "demo"
      ? try DiffusionModel.demo() : try DiffusionModel(folder: context.readURL(name))
    context.fingerprint("model", "\(model.name) sha256:\(model.digest.prefix(16))")
    return .object(ModelValue(model))
  }

  static let images = Builtin(
    "images", topic: Topic.load,
    summary: "Reads the pictures in a folder, in order of their names, or one picture",
    parameters: [
      Parameter("path", .string, "a folder of PNG and JPEG files, or one such file"),
      Parameter(
        label: "limit", .int, default: .none, unit: "pictures",
        "read at most this many, the first ones"),
    ],
    returns: .object(ImagesValue.typeName),
    example: "photos = images(\"concepts/coral-star/given\")"
  ) { arguments, context in
    let path = try arguments.string("path")
    let url = try context.readURL(path)
    let limit = try arguments.ifGiven("limit") { try $0.int($1, in: 1...Int.max) }
    let found: [(name: String, picture: Picture)]
    do {
      found = try loadPictures(at: url)
    } catch let error as EvokeError {
      throw arguments.error("path", error.kind, error.message, hint: error.hint)
    }
    let kept = found.prefix(limit ?? found.count)
    return .object(ImagesValue(kept.map(\.picture), names: kept.map(\.name)))
  }
}
