import Foundation
import Testing

/// `evoke bench` as a command; how long anything takes is not looked at.
@Suite struct BenchCommandTests {
  private let place: Workplace
  private static let demo = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Sources/Diffusion/Resources/demo")

  init() throws { place = try Workplace() }

  @Test("A line a repeat, and the median in seconds last", arguments: ["unet", "text", "vae"])
  func demo(part: String) throws {
    let outcome = try place.evoke(
      ["bench", part, "demo", "--latents", "8", "--batch", "2", "--repeats", "3"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.lines.count == (part == "vae" ? 6 : 5))
    #expect(outcome.lines[0].contains("batch 2"))
    let median = try #require(outcome.lines.last.flatMap(Double.init))
    let repeats = outcome.lines[1...3].map { line in
      line.split(separator: " ").compactMap { Double($0) }.dropFirst().reduce(0, +)
    }
    // Of the printed four decimals.
    #expect(abs(median - repeats.sorted()[1]) < 2e-4)
    #expect(median > 0)
  }

  @Test("Of a folder only the part that is measured has to be there")
  func loneParts() throws {
    for part in ["unet", "vae", "text_encoder"] {
      let folder = place.folder.appendingPathComponent("only-\(part)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        at: folder.appendingPathComponent(part),
        withDestinationURL: Self.demo.appendingPathComponent(part))
    }
    let options = ["--latents", "4", "--repeats", "1", "--memory", "small"]
    let unet = try place.evoke(["bench", "unet", "only-unet"] + options)
    #expect(unet.status == 0, "\(unet.errors)")
    #expect(unet.lines[0].contains("only-unet: UNet, float32, latents 4×4, 77 tokens"))
    #expect(try place.evoke(["bench", "vae", "only-vae"] + options).status == 0)
    #expect(try place.evoke(["bench", "text", "only-text_encoder"] + options).status == 0)
    let missing = try place.evoke(["bench", "vae", "only-unet"] + options)
    #expect(missing.status == 1)
    #expect(missing.errors.contains("only-unet/vae"))
  }

  @Test func wrongUsage() throws {
    for arguments in [
      ["unet"], ["decoder", "demo"], ["unet", "demo", "--repeats", "0"],
      ["unet", "demo", "--latents", "0"], ["unet", "demo", "--precision", "half"],
    ] {
      #expect(try place.evoke(["bench"] + arguments).status == 2)
    }
    #expect(try place.evoke(["bench", "unet", "nowhere"]).status == 1)
  }
}
