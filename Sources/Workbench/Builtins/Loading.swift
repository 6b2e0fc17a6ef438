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
    summary: "Loads a text-to-image model: the built-in one, a diffusers folder or a single file",
    parameters: [
      Parameter(
        "name", .string, default: "demo",
        "`demo` for the built-in model, the path of a folder with a model_index.json, or of a "
          + ".safetensors or .ckpt file"),
      Parameter(
        label: "config", .string, default: .none,
        "for a single file: a diffusers folder, with or without weights, whose tokenizer and "
          + "configuration it takes; without it the tokenizer lies beside the file"),
      Parameter(
        label: "precision", .member, default: .member("float32"),
        choices: Precision.allCases.map(\.rawValue),
        "of the UNet's products: bfloat16 is faster on processors that have it, off by about half a "
          + "percent, and the same on all of them"),
      Parameter(
        label: "memory", .member, default: .member("fast"),
        choices: MemoryUse.allCases.map(\.rawValue),
        "small keeps the checkpoint alone and prepares each layer's weights at every use; results "
          + "are the same"),
    ],
    returns: .object(ModelValue.typeName),
    example: "m = model(\"demo\")",
    source: "diffusers, StableDiffusionPipeline.save_pretrained and from_single_file"
  ) { arguments, context in
    let name = try arguments.string("name")
    let configuration = try arguments.ifGiven("config") { try context.readURL($0.string($1)) }
    let execution = Execution(
      precision: Precision(rawValue: try arguments.member("precision")) ?? .float32,
      memory: MemoryUse(rawValue: try arguments.member("memory")) ?? .fast)
    let model =
      try name == "demo"
      ? DiffusionModel.demo(execution: execution)
      : DiffusionModel(
        at: context.readURL(name), configuration: configuration, execution: execution)
    let precision = execution.precision == .float32 ? "" : " \(execution.precision.rawValue)"
    context.fingerprint("model", "\(model.name) sha256:\(model.digest.prefix(16))\(precision)")
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
