import Foundation
import Testing

@testable import Workbench

/// Each mistake gives one pointed error: where, what, what to try.
@Suite struct BadInputTests {
  @Test(
    "Mistakes in a script are named before anything runs",
    arguments: [
      ("m = modle(\"demo\")", "`modle`", "model"),
      ("m = model(\"demo\")\nx = attend(m, m, temprature: 1)", "temprature", "temperature"),
      ("m = model(\"demo\")\ns = subspace(m, by: .pcb)", ".pcb", ".pca"),
      ("m = model(\"demo\")\ng = generate(m, \"x\", sampler: .dimm)", ".dimm", ".ddim"),
      ("m = model(\"demo\")\ng = generate(m, \"x\", steps: \"many\")", "steps", "int"),
      (
        "m = model(\"demo\")\nd = descend(adam(word(m, \"star\")), similarity(m, images(\"x\")))",
        "Similarity", "Objective"
      ),
    ])
  func mistakes(source: String, wrong: String, hint: String) throws {
    let message = try Script().failure(source)
    #expect(message.contains(wrong), "\(message)")
    #expect(message.contains(hint), "\(message)")
    #expect(message.contains("^"), "\(message)")
  }

  @Test("A missing folder, an empty one, a text file named .jpg, a truncated PNG")
  func pictures() throws {
    let script = try Script()
    let files = FileManager.default
    try files.createDirectory(
      at: script.folder.appendingPathComponent("empty"), withIntermediateDirectories: true)
    try Data("not a picture at all".utf8).write(
      to: script.folder.appendingPathComponent("text.jpg"))
    let png = try Data(contentsOf: Script.photos.appendingPathComponent("1.png"))
    try png.prefix(png.count / 2).write(to: script.folder.appendingPathComponent("half.png"))
    for (path, word) in [
      ("nowhere", "nowhere"), ("empty", "empty"), ("text.jpg", "text.jpg"),
      ("half.png", "half.png"),
    ] {
      let message = script.failure("p = images(\"\(path)\")")
      #expect(message.contains(word), "\(message)")
      #expect(message.contains("test.evk:1:12"), "\(message)")
    }
  }

  @Test("A safetensors file with a lying header")
  func safetensors() throws {
    let script = try Script()
    let header = #"{"x":{"dtype":"F32","shape":[1000],"data_offsets":[0,4000]}}"#
    var data = Data()
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { data.append(contentsOf: $0) }
    data.append(Data(header.utf8))
    data.append(Data(count: 8))
    try data.write(to: script.folder.appendingPathComponent("lying.safetensors"))
    let message = script.failure("t = read(\"lying.safetensors\")")
    #expect(message.contains("lying.safetensors"), "\(message)")
  }

  @Test("A failed write leaves nothing behind")
  func halfWritten() throws {
    let script = try Script()
    let message = script.failure("m = model(\"demo\")\nwrite(images(\"PHOTOS\"), to: \"x.png\")")
    #expect(message.contains("one file holds one picture"), "\(message)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: script.folder.path).isEmpty)
  }

  @Test(
    "A wrong ending, a wrong width, a wrong timestep",
    arguments: [
      ("write(zeros([2]), to: \"x.png\")", ".safetensors"),
      ("s = token(\"<a>\", zeros([3]), model: m)", "wide"),
      ("d = denoising(m, images(\"PHOTOS\"), timesteps: 900..<2000)", "0..<1000"),
      ("g = generate(m, \"x\", with: token(\"<a>\", zeros([3])))", "wide"),
      ("w = word(m, \"strr\")", "star"),
      ("p = plot(cma(subspace(m, dim: 4)))", "generations"),
      ("z = decode(m, zeros([1, 1, 4, 4]))", "latents"),
    ])
  func domain(statement: String, word: String) throws {
    let message = try Script().failure("m = model(\"demo\")\n" + statement)
    #expect(message.contains(word), "\(message)")
    #expect(message.contains("test.evk:2:"), "\(message)")
  }
}
