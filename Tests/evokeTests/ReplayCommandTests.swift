import Foundation
import Testing

/// `evoke replay` and `evoke diff` as a stranger uses them.
@Suite struct ReplayCommandTests {
  private static let photos = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../examples/concepts/coral-star/given").standardizedFileURL
  private static let demo = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Sources/Diffusion/Resources/demo").standardizedFileURL

  private static let script = """
    # a comment
    photos = images("photos")
    m = model("mine")
    start = word(m, "star")
    z = latents(m, photos[0])
    x = 0.5 * z[0, 0, 0, 0]
    for i in 0..<2 { print("turn", i) }
    n = normal([3])

    """

  /// A workplace with two pictures, a model of its own and the recorded session `a.session.evk`.
  private func recorded(_ script: String = script) throws -> Workplace {
    let place = try Workplace()
    let manager = FileManager.default
    let pictures = place.folder.appendingPathComponent("photos")
    try manager.createDirectory(at: pictures, withIntermediateDirectories: true)
    for name in try manager.contentsOfDirectory(atPath: Self.photos.path).sorted().prefix(2) {
      try manager.copyItem(
        at: Self.photos.appendingPathComponent(name), to: pictures.appendingPathComponent(name))
    }
    if script.contains("\"mine\"") {
      try manager.copyItem(at: Self.demo, to: place.folder.appendingPathComponent("mine"))
    }
    try place.write(script, to: "a.evk")
    let run = try place.evoke(["run", "a.evk", "--save", "a.session.evk"])
    #expect(run.status == 0, "\(run.errors)")
    return place
  }

  private func replay(_ place: Workplace, _ more: String...) throws -> Workplace.Outcome {
    try place.evoke(["replay", "a.session.evk", "--quiet"] + more)
  }

  /// Changes the recorded session.
  private func alter(_ place: Workplace, _ change: (String) -> String) throws {
    let old = try place.read("a.session.evk")
    let new = change(old)
    #expect(new != old)
    try place.write(new, to: "a.session.evk")
  }

  @Test func namesEveryChangeAtTheRightStatement() throws {
    let place = try recorded()
    let whole = try place.read("a.session.evk")
    let exact = try replay(place)
    #expect(exact.status == 0)
    #expect(exact.output.hasPrefix("exact: 7 statements"))

    // One digit of one digest.
    let line = try #require(whole.split(separator: "\n").first { $0.hasPrefix("#> z:") })
    let other = line.dropLast() + (line.last == "0" ? "1" : "0")
    try alter(place) { $0.replacingOccurrences(of: line, with: other) }
    let digest = try replay(place)
    #expect(digest.status == 4)
    #expect(digest.lines[1].contains("line 10: z = latents(m, photos[0])"))

    // One letter of a printed line.
    try place.write(
      whole.replacingOccurrences(of: "#> turn 1", with: "#> turm 1"), to: "a.session.evk")
    let text = try replay(place)
    #expect(text.status == 4)
    #expect(text.output.contains("for i in 0..<2"))
    #expect(text.output.contains("recorded  turm 1"))
    #expect(text.output.contains("now       turn 1"))
    try place.write(whole, to: "a.session.evk")

    // Another model under the same name.
    let index = place.folder.appendingPathComponent("mine/model_index.json")
    let json = try String(contentsOf: index, encoding: .utf8)
    try Data((json + " ").utf8).write(to: index)
    let model = try replay(place)
    #expect(model.status == 4)
    #expect(model.lines[1].contains("m = model(\"mine\")"))
    #expect(model.output.contains("  model: recorded "))
    try Data(json.utf8).write(to: index)

    // A picture that is gone, and all of them.
    let pictures = place.folder.appendingPathComponent("photos")
    let name = try #require(
      try FileManager.default.contentsOfDirectory(atPath: pictures.path).max())
    try FileManager.default.removeItem(at: pictures.appendingPathComponent(name))
    let missing = try replay(place)
    #expect(missing.status == 4)
    #expect(missing.lines[1].contains("photos = images(\"photos\")"))
    #expect(missing.output.contains("now       photos: 1 image 64×64"))
    try FileManager.default.removeItem(at: pictures)
    let gone = try replay(place)
    #expect(gone.status == 4)
    #expect(gone.lines[1].contains("photos = images(\"photos\")"))
    #expect(gone.output.contains("now       fails:"))
  }

  @Test func isCloseUnderOpenBLASAndExactUnderEveryInstructionSet() throws {
    let place = try recorded(
      """
      photos = images("photos")
      m = model("demo")
      h = encode(m, "a photo of a star")
      e = predict(m, latents(m, photos), at: 400, text: h)
      loss = denoising(m, photos, draws: 2, heldout_draws: 2)
      l = heldout(loss, word(m, "star"))
      es = evolve(cma(subspace(m, dim: 4), population: 4), loss, generations: 1)

      """)
    let close = try replay(place, "--backend", "openblas")
    #expect(close.status == 3, "\(close.output)")
    #expect(close.output.hasPrefix("close: "))
    #expect(close.lines.contains { $0.hasPrefix("  line ") && $0.contains("e: tensor") })
    #expect(close.output.contains("backend: recorded evoke, now openblas"))
    for more in [["--isa", "scalar"], ["--threads", "1"], ["--threads", "3", "--batch", "1"]] {
      let exact = try place.evoke(["replay", "a.session.evk", "--quiet"] + more)
      #expect(exact.status == 0, "\(exact.output)")
    }
    #expect(try replay(place, "--backend", "mkl").status == 2)
  }

  @Test func acceptsAndComparesRecordings() throws {
    let place = try recorded("x = 1\ny = x + 1\n")
    let old = try place.read("a.session.evk")
    try alter(place) { $0.replacingOccurrences(of: "y: 2", with: "y: 3") }
    try place.write(try place.read("a.session.evk"), to: "b.session.evk")
    let accepted = try replay(place, "--accept")
    #expect(accepted.status == 0)
    #expect(accepted.output.contains("    - y: 3"))
    #expect(accepted.output.contains("    + y: 2"))
    #expect(try place.read("a.session.evk") == old)
    #expect(try replay(place).status == 0)
    let diff = try place.evoke(["diff", "a.session.evk", "b.session.evk"])
    #expect(diff.status == 1)
    #expect(diff.output.contains("y = x + 1"))
    #expect(try place.evoke(["diff", "a.session.evk", "a.session.evk"]).status == 0)
  }

  @Test func anEditInTheMiddleKeepsTheOtherDraws() throws {
    let place = try recorded("seed(3)\na = normal([4])\nb = 1\nc = normal([4])\n")
    try alter(place) {
      $0.replacingOccurrences(of: "b = 1\n", with: "b = normal([9]);\nextra = normal([2]);\n")
        .split(separator: "\n").filter { !$0.hasPrefix("#> b:") }.joined(separator: "\n") + "\n"
    }
    let outcome = try replay(place)
    #expect(outcome.status == 0, "\(outcome.output)")
  }

  @Test func writesNothingOutsideATemporaryFolder() throws {
    let place = try recorded(
      """
      x = normal([3])
      write(x, to: "x.safetensors")
      y = read("x.safetensors")
      z = y["x"] + 1

      """)
    #expect(FileManager.default.fileExists(atPath: place.folder.path + "/x.safetensors"))
    try FileManager.default.removeItem(atPath: place.folder.path + "/x.safetensors")
    let before = try place.everything()
    let outcome = try replay(place)
    #expect(outcome.status == 0, "\(outcome.output)")
    #expect(try place.everything() == before)
  }
}

/// A script stays below its own folder.
@Suite struct SafetyTests {
  @Test(arguments: [
    "write(normal([2]), to: \"../out.safetensors\")",
    "write(normal([2]), to: \"/tmp/evoke-escaped.safetensors\")",
    "write(normal([2]), to: \"sub/../../out.safetensors\")",
    "write(normal([2]), to: \"link/out.safetensors\")",
    "write(normal([2]), to: \"nowhere/out.safetensors\")",
    "write(normal([2]), to: \"dangling.safetensors\")",
    "x = read(\"../secret.safetensors\")", "x = read(\"link/secret.safetensors\")",
    "x = read(\"secret.safetensors\")", "x = images(\"..\")", "x = model(\"link\")",
  ])
  func aScriptDoesNotLeaveItsFolder(_ statement: String) throws {
    let place = try Workplace()
    let manager = FileManager.default
    let outside = place.folder.deletingLastPathComponent()
    let scripts = place.folder.appendingPathComponent("scripts")
    try manager.createDirectory(at: scripts, withIntermediateDirectories: true)
    try Data("secret".utf8).write(to: place.folder.appendingPathComponent("secret.safetensors"))
    for (name, target) in [
      ("link", place.folder.path), ("nowhere", outside.path + "/nowhere"),
      ("dangling.safetensors", place.folder.path + "/dangled.safetensors"),
      ("secret.safetensors", place.folder.path + "/secret.safetensors"),
    ] {
      try manager.createSymbolicLink(
        atPath: scripts.appendingPathComponent(name).path, withDestinationPath: target)
    }
    try place.write(statement + "\n", to: "scripts/a.evk")
    let before = try place.everything()
    let outcome = try place.evoke(["run", "scripts/a.evk"])
    #expect(outcome.status == 1, "\(outcome.output) \(outcome.errors)")
    #expect(try place.everything() == before)
    #expect(!manager.fileExists(atPath: "/tmp/evoke-escaped.safetensors"))
  }

  @Test func whatIsNamedOnTheCommandLineIsAllowed() throws {
    let place = try Workplace()
    try place.write("p = \"none\"\nx = read(p)\n", to: "scripts/a.evk")
    try place.write("write(normal([2]), to: \"x.safetensors\")\n", to: "other/w.evk")
    #expect(try place.evoke(["run", "other/w.evk"]).status == 0)
    #expect(try place.evoke(["run", "scripts/a.evk", "p=other/x.safetensors"]).status == 0)
    try place.write("x = read(\"../other/x.safetensors\")\n", to: "scripts/b.evk")
    #expect(try place.evoke(["run", "scripts/b.evk"]).status == 1)
    #expect(try place.evoke(["run", "scripts/b.evk", "--allow", "other"]).status == 0)
  }
}

extension Workplace {
  /// Every path below the workplace but the store's, with its size.
  func everything() throws -> [String] {
    let root = folder.deletingLastPathComponent()
    let names = try FileManager.default.subpathsOfDirectory(atPath: root.path)
    return names.filter { !$0.hasPrefix("home") && !$0.contains("/.") }.sorted().map { name in
      let attributes = try? FileManager.default.attributesOfItem(
        atPath: root.appendingPathComponent(name).path)
      return "\(name) \((attributes?[.size] as? Int) ?? 0)"
    }
  }

  @Test("A session saved at the prompt finds its files from wherever it was saved")
  func promptSavedElsewhere() throws {
    let place = try Workplace()
    try place.write("", to: "data/.keep")
    try place.write("", to: "sessions/.keep")
    let picture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../examples/concepts/coral-star/given/4.png")
    try FileManager.default.copyItem(
      at: picture, to: place.folder.appendingPathComponent("data/4.png"))
    let typed = "photo = images(\"data/4.png\")\n:save sessions/mine.evk\n"
    let prompt = try place.evoke([], input: typed)
    #expect(prompt.status == 0, "\(prompt.errors)")
    let replayed = try place.evoke(["replay", "sessions/mine.evk", "--quiet"])
    #expect(replayed.output.contains("exact: 1 statement"), "\(replayed.output)\(replayed.errors)")
  }
}
