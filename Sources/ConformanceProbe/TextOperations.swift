import Checkpoints
import Diffusion
import Foundation
import Pictures
import Tensors

/// Tokenizer, text encoder, CLIP and learned words.
let textOperations: [String: Operation] = [
  // FOLDER TEXTS.json OUT encoded|padded|content [PLACEHOLDER…] → "ids" in a row, "lengths"
  "tokenize": { arguments in
    var tokenizer = try CLIPTokenizer(folder: arguments.url(0))
    for placeholder in arguments.rest(4) { tokenizer = try tokenizer.adding(placeholder) }
    let texts = try Config(arguments.url(1)).strings("texts")
    let ids: [[Int]] =
      switch try arguments.string(3) {
      case "padded": texts.map(tokenizer.padded)
      case "content": texts.map(tokenizer.content)
      default: texts.map(tokenizer.encode)
      }
    try Safetensors.write(
      [("ids", flat(ids.flatMap(\.self))), ("lengths", flat(ids.map(\.count)))],
      to: arguments.url(2))
  },
  // FOLDER IN OUT: "ids" [n, L], "extra" [m, d] if there are learned words → "hidden" [n, L, d]
  "text": { arguments in
    let encoder = try TextEncoder(folder: arguments.url(0))
    let inputs = try SafetensorsFile(arguments.url(1))
    let extra = inputs.has("extra") ? try inputs.tensor("extra") : nil
    let embeddings = try encoder.embeddings(inputs.integerRows("ids"), extra: extra)
    try Safetensors.write([("hidden", encoder(embeddings))], to: arguments.url(2))
  },
  // FOLDER IN OUT: "ids" [n, L], pictures "0", "1", … [H, W, 3] of bytes → "text", "image"
  "clip": { arguments in
    let clip = try CLIPModel(folder: arguments.url(0))
    let inputs = try SafetensorsFile(arguments.url(1))
    var pictures: [Picture] = []
    while inputs.has("\(pictures.count)") {
      let bytes = try inputs.tensor("\(pictures.count)")
      pictures.append(
        Picture(
          width: bytes.shape[1], height: bytes.shape[0], pixels: bytes.values.map { UInt8($0) }))
    }
    try Safetensors.write(
      [
        ("text", clip.textFeatures(ids: inputs.integerRows("ids"))),
        ("image", clip.imageFeatures(pictures)),
      ], to: arguments.url(2))
  },
  // FOLDER PROMPTS.json WORD.safetensors OUT: prompts that use a learned word → "hidden"
  "learned": { arguments in
    let model = try DiffusionModel(folder: arguments.url(0))
    let prompts = try Config(arguments.url(1)).strings("texts")
    let word = try LearnedWord.read(arguments.url(2))
    try Safetensors.write(
      [("hidden", model.encode(prompts: prompts, with: [word]))], to: arguments.url(3))
  },
  // IN OUT: reads a learned word and writes it again
  "rewrite": { arguments in
    try LearnedWord.read(arguments.url(0)).write(to: arguments.url(1))
  },
]

private func flat(_ values: [Int]) -> Tensor {
  Tensor(shape: [values.count], values: values.map { Float($0) })
}
