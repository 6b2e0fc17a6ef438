import Foundation
import Language
import Testing

@testable import Workbench

/// Models and learned words in the field's file formats, from the language.
@Suite struct ModelFileTests {
  private static let single = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../DiffusionTests/Goldens/single-sd15").standardizedFileURL

  @Test("A single file is a model, with a folder for its configuration")
  func singleFile() throws {
    let script = try Script()
    try FileManager.default.copyItem(
      at: Self.single, to: script.folder.appendingPathComponent("sd"))
    let outcome = try script.run(
      """
      m = model("sd/model.ckpt", config: "sd")
      p = generate(m, "a star", steps: 2, seed: 1)
      n = m.width
      """)
    #expect(outcome["n"].echo.contains("12"))
    let message = script.failure("m = model(\"sd/io.safetensors\")")
    #expect(message.contains("no Stable Diffusion model"), "\(message)")
  }

  @Test("A learned word goes through every format", arguments: ["safetensors", "bin", "pt"])
  func words(_ ending: String) throws {
    let outcome = try Script().run(
      """
      m = model("demo")
      star = token("<star>", word(m, "red"), model: m)
      write(star, to: "star.\(ending)")
      back = read("star.\(ending)", as: .token)
      """)
    #expect(outcome.digest("back") == outcome.digest("star"))
  }
}
