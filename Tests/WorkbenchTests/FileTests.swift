import Foundation
import Language
import Testing

@testable import Workbench

@Suite struct FileTests {
  @Test("Tensors come back from .npy and .safetensors as they were")
  func tensors() throws {
    let outcome = try Script().run(
      """
      t = normal([2, 3, 4])
      write(t, to: "t.npy")
      write(t, to: "t.safetensors", name: "a")
      write({b: t, c: t.T}, to: "r.safetensors")
      same = [read("t.npy") == t, read("t.safetensors").a == t, read("r.safetensors").c == t.T]
      """)
    #expect(outcome["same"].description == "[true, true, true]")
  }

  @Test("Tables come back from .csv, whether written by rows or by columns")
  func tables() throws {
    let script = try Script()
    let outcome = try script.run(
      """
      rows = [{word: "red, \\"blue\\"", weight: 0.1, n: 1}, {word: "two\\nlines", n: -2}]
      write(rows, to: "rows.csv")
      back = read("rows.csv")
      write({a: [1, 2.5], b: tensor([3, 4]), c: 5...6}, to: "columns.csv")
      columns = read("columns.csv")
      table(columns)
      """)
    #expect(
      outcome["back"].description
        == #"[{word: "red, \"blue\"", weight: 0.1, n: 1}, {word: "two\nlines", weight: none, n: -2}]"#
    )
    #expect(outcome["columns"].description == "[{a: 1, b: 3.0, c: 5}, {a: 2.5, b: 4.0, c: 6}]")
    #expect(
      outcome.results.last?.printed == ["    a      b  c", "    1  3.000  5", "2.500  4.000  6"])
    let text = try String(
      contentsOf: script.folder.appendingPathComponent("columns.csv"), encoding: .utf8)
    #expect(text == "a,b,c\n1,3.0,5\n2.5,4.0,6\n")
  }

  @Test("Tables of other programs are read")
  func foreignTables() throws {
    let script = try Script()
    try Data("\u{feff}name,value\r\n\"a \"\"b\"\"\",1e-3\r\ninf,0x10\r\n\r\n".utf8).write(
      to: script.folder.appendingPathComponent("t.csv"))
    let rows = try script.run("t = read(\"t.csv\")")["t"].description
    #expect(rows == #"[{name: "a \"b\"", value: 0.001}, {name: "inf", value: "0x10"}]"#)
  }

  @Test(
    "Damaged tables are errors that say why",
    arguments: [
      ("", "empty"), ("a,a\n1,2\n", "same name"), ("a,b\n1\n", "row 2"),
      ("a\n\"open\n", "does not end"),
    ])
  func damagedTables(text: String, word: String) throws {
    let script = try Script()
    try Data(text.utf8).write(to: script.folder.appendingPathComponent("t.csv"))
    #expect(script.failure("t = read(\"t.csv\")").contains(word))
  }

  @Test("Pictures and texts come back")
  func picturesAndTexts() throws {
    let outcome = try Script().run(
      """
      photos = images("PHOTOS")
      write(photos[0], to: "p.png")
      write(photos[0], to: "p.jpg")
      same = read("p.png") == photos[0]
      jpeg = read("p.jpg")
      write("two\\nlines", to: "t.txt")
      text = read("t.txt")
      """)
    #expect(outcome["same"].description == "true")
    #expect(outcome["jpeg"].echo == "1 image 64×64")
    #expect(outcome["text"].description == "two\nlines")
  }

  @Test(
    "Sizes that nobody can mean are refused where they stand",
    arguments: [
      ("d = denoising(m, p, draws: 1000000000)", "`draws` must be from 1 to 100000"),
      ("d = denoising(m, p, heldout_draws: 0)", "`heldout_draws` must be from 1 to 100000"),
      ("s = subspace(m, dim: -3)", "`dim` must be from 1"),
      ("s = subspace(m, dim: 1000000)", "`dim` must be from 1"),
      ("c = cma(subspace(m), population: 1000000000000)", "`population` must be from 2 to 100000"),
      ("c = cma(subspace(m), sigma: -1)", "sigma"),
      ("g = generate(m, \"x\", count: 1000000000)", "`count` must be from 1 to 1024"),
      ("g = generate(m, repeated(\"x\", 100), count: 100)", "more than 4096 at a time"),
      ("g = generate(m, \"x\", steps: 0)", "`steps` must be from 1 to 1000"),
      ("g = generate(m, \"x\", size: 100000)", "`size` must be from 8 to 4096"),
      ("i = images(\"PHOTOS\", limit: 0)", "`limit` must be at least 1"),
      ("f = features(m, [])", "1 to 10000 texts"),
      ("f = features(m, repeated(\"a\", 20000))", "1 to 10000 texts"),
      ("z = decode(m, zeros([1, 4, 1000, 1]))", "at most 512×512"),
      ("z = decode(m, zeros([1, 4, 0, 4]))", "latents of this model"),
      ("z = predict(m, zeros([1, 4, 1000, 1]), at: 5, text: encode(m, \"a\"))", "at most 512×512"),
      ("z = predict(m, zeros([1, 4, 8, 8]), at: 5, text: zeros([1, 0, 128]))", "hidden states"),
      ("h = plot(zeros([100]), as: .histogram, bins: 1000000)", "`bins` must be from 1 to 10000"),
      ("g = grid(repeated(p, 1000))", "sheet"),
      ("table(repeated({a: 1, b: 2}, 4000000))", "too large"),
      ("e = evolve(cma(subspace(m)), denoising(m, p, draws: 1), generations: -1)", "`generations`"),
      ("n = noise(m, zeros([1]), at: 1000)", "`at` must be from 0 to 999"),
      ("l = losses(denoising(m, p, draws: 1), [zeros([3])])", "1×128 numbers"),
      ("t = token(\"<x>\", zeros([5000, 128]))\nh = encode(m, \"a <x>\", with: t)", "<x>"),
    ])
  func sizes(statement: String, word: String) throws {
    let message = try Script().failure(
      "m = model(\"demo\")\np = images(\"PHOTOS\", limit: 1)\n" + statement)
    #expect(message.contains(word), "\(message)")
  }

  @Test("Latents of odd sizes are predicted and decoded, or refused")
  func oddSizes() throws {
    for shape in ["[1, 4, 3, 5]", "[2, 4, 1, 1]", "[1, 4, 9, 8]"] {
      let script = try Script()
      for call in ["decode(m, zeros(\(shape)))", "predict(m, zeros(\(shape)), at: 9, text: h)"] {
        let message = script.failure("m = model(\"demo\")\nh = encode(m, \"a\")\nx = \(call)")
        #expect(message == "no error" || message.contains("^"), "\(message)")
      }
    }
  }
}
