import Foundation
import Pictures
import Testing

/// The prompt, driven as a user drives it.
@Suite(.serialized, .enabled(if: Pseudoterminal.isAvailable, "needs a pseudoterminal"))
struct PromptTests {
  private let home: URL
  private let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../examples/concepts/coral-star").standardizedFileURL

  init() throws {
    home = FileManager.default.temporaryDirectory
      .appendingPathComponent("evoke-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
  }

  private func prompt(
    terminal: String = "xterm-256color", columns: Int = 100, environment: [String: String] = [:]
  ) throws -> Pseudoterminal {
    let prompt = try Pseudoterminal(
      ["--threads", "2"], folder: folder, home: home, terminal: terminal, columns: columns,
      environment: environment)
    try prompt.expect("evoke> ")
    return prompt
  }

  /// Types an input and waits for what it shows.
  private func say(_ input: String, _ answer: String, to prompt: Pseudoterminal) throws {
    prompt.type(input + "\r")
    if !answer.isEmpty { try prompt.expect(answer) }
    try prompt.expect("evoke> ")
  }

  /// Types the beginning of an input, waits for what it becomes, and drops it.
  private func expectCompletion(
    of typed: String, _ completed: String, by prompt: Pseudoterminal
  ) throws {
    prompt.type(typed)
    try prompt.expect(completed)
    prompt.type("\u{3}")
    try prompt.expect("evoke> ")
  }

  @Test("Tab completes names, labels, members, commands and files")
  func completion() throws {
    let prompt = try prompt()
    try say("es = {}", "es: ", to: prompt)
    for (typed, completed) in [
      ("denois\t", "denoising"), ("cma(space, sig\t", "sigma: "),
      ("subspace(m, by: .rand\t", ".random"), (":und\t", ":undo "), ("images(\"giv\t", "given/"),
      ("images(\"given/4\t", "given/4.png"), ("x = sort\t", "sorted"),
      ("?evol\t", "?evolve"), (":save giv\t", "given/"),
    ] {
      try expectCompletion(of: typed, completed, by: prompt)
    }
  }

  @Test("Inside a prompt's string Tab completes the model's words, behind a dot a value's members")
  func completionOfValues() throws {
    let prompt = try prompt()
    try say("m = model(\"demo\")", "m: Model demo", to: prompt)
    for (typed, completed) in [
      ("generate(m, \"a photo of a strip\t", "striped"), ("m.picture\t", "m.picture_size"),
    ] {
      try expectCompletion(of: typed, completed, by: prompt)
    }
  }

  @Test("An input goes on until it parses; Ctrl-C drops it")
  func severalLines() throws {
    let prompt = try prompt()
    prompt.type("func twice(a) {\r")
    try prompt.expect("...> ")
    prompt.type("return a * 2\r")
    try prompt.expect("...> ")
    prompt.type("}\r")
    try prompt.expect("evoke> ")
    try say("twice(21)", "ans: 42", to: prompt)
    prompt.type("broken = [1,\r")
    try prompt.expect("...> ")
    prompt.type("\u{3}")
    try prompt.expect("evoke> ")
    try say("1 + ans", "ans: 43", to: prompt)
  }

  @Test("The history outlives the process, is searched with Ctrl-R, and keeps inputs whole")
  func history() throws {
    do {
      let first = try prompt()
      try say("answer = 6 * 7", "answer: 42", to: first)
      first.type("for i in 0..<2 {\r")
      try first.expect("...> ")
      first.type("print(\"turn\", i) }\r")
      try first.expect("turn 1")
      try first.expect("evoke> ")
      first.type("\u{4}")
      #expect(first.end() == 0)
    }
    let second = try prompt()
    second.type("\u{1b}[A")
    try second.expect("print")
    second.type("\r")
    try second.expect("turn 1")
    try second.expect("evoke> ")
    second.type("\u{12}answ")
    try second.expect("6 * 7")
    second.type("\r")
    try second.expect("answer: 42")
  }

  @Test("Ctrl-C stops a loop, an evolve and a generate; what was computed stays")
  func interruption() throws {
    let prompt = try prompt()
    try say("kept = 5", "kept: 5", to: prompt)
    prompt.type("for i in 0..<1000000000 { if i == 9 { print(\"under\", \"way\") } }\r")
    try prompt.expect("under way")
    prompt.type("\u{3}")
    try prompt.expect("interrupted")
    try prompt.expect("evoke> ")
    try say("m = model(\"demo\"); photos = images(\"given\")", "photos: 5 images", to: prompt)
    try say("space = subspace(m, dim: 2, around: word(m, \"star\"))", "space: ", to: prompt)
    try say("loss = denoising(m, photos, draws: 2, heldout_draws: 2)", "loss: ", to: prompt)
    prompt.type("es = evolve(cma(space, population: 4), loss, generations: 100000)\r")
    // Progress is not shown at every step; the best is there from the first generation on.
    try prompt.expect("/100000   best")
    prompt.type("\u{3}")
    try prompt.expect("es: CMA-ES 2-d, generation ")
    try prompt.expect("evoke> ")
    try say("es.generation >= 1 and es.generation < 100000", "ans: true", to: prompt)
    prompt.type("generate(m, \"a star\", steps: 900)\r")
    try prompt.expect("/900")
    prompt.type("\u{3}")
    try prompt.expect("interrupted")
    try prompt.expect("evoke> ")
    try say("photos.count", "ans: 5", to: prompt)
    prompt.type("many = generate(m, \"a star\", count: 90, steps: 1, size: 512)\r")
    // A picture's step is told before it is decoded: the second's, when the first is finished.
    try prompt.expect("2/90")
    prompt.type("\u{3}")
    try prompt.expect("many: ")
    try prompt.expect("evoke> ")
    try say("many.count >= 1 and many.count < 90", "ans: true", to: prompt)
    prompt.type("\u{4}")
    #expect(prompt.end() == 0)
  }

  private static let transcript = """
    evoke> a = 2
    a: 2                                                            d7f3a8b0
    evoke> for i in 0..<2 {
      ...> print("i is", i)
      ...> }
    i is 0
    i is 1
    evoke> b = a * 21
    """

  @Test("Of a pasted transcript only the inputs run", arguments: [true, false])
  func transcript(isBracketed: Bool) throws {
    let prompt = try prompt(terminal: isBracketed ? "xterm-256color" : "dumb")
    let text = Self.transcript.replacingOccurrences(of: "\n", with: "\r")
    prompt.type(isBracketed ? "\u{1b}[200~\(text)\u{1b}[201~\r" : text + "\r")
    try prompt.expect("b: 42")
    try prompt.expect("evoke> ")
    #expect(!prompt.raw.contains("error"))
    // Afterwards lines are inputs again, with or without a prompt in front.
    try say("a + b", "ans: 44", to: prompt)
  }

  @Test("Tables take the width that the terminal has now")
  func resizing() throws {
    let prompt = try prompt()
    let long = String(repeating: "wide ", count: 30)
    try say("text = \"\(long)\";", "", to: prompt)
    prompt.resize(columns: 50, rows: 20)
    prompt.type(":vars\r")
    let shown = try prompt.expect("…")
    let line = try #require(shown.split(separator: "\n").last)
    #expect(line.count == 50)
    #expect(line.hasPrefix("text  string  "))
  }

  @Test("A dumb terminal gets no escape sequence")
  func dumbTerminal() throws {
    let prompt = try prompt(terminal: "dumb")
    try say("photos = images(\"given\")", "photos: 5 images", to: prompt)
    try say("phots", "did you mean", to: prompt)
    prompt.type("\u{4}")
    #expect(prompt.end() == 0)
    #expect(!prompt.raw.contains("\u{1b}"))
  }

  @Test("Errors are red and pictures in colour, unless NO_COLOR is set")
  func colors() throws {
    func shown(_ environment: [String: String]) throws -> String {
      let prompt = try prompt(environment: environment)
      try say("x = 1 / 0", "error", to: prompt)
      try say("photo = images(\"given\")[0]", "photo: 1 image", to: prompt)
      prompt.type("\u{4}")
      _ = prompt.end()
      return prompt.raw
    }
    let colored = try shown([:])
    #expect(colored.contains("\u{1b}[1;31merror"))
    #expect(colored.contains("\u{1b}[38;"))
    let plain = try shown(["NO_COLOR": "1"])
    #expect(!plain.contains("\u{1b}[1;31m"))
    #expect(!plain.contains("\u{1b}[38;"))
    // The picture is there all the same.
    #expect(plain.contains("█") || plain.contains("▀") || plain.contains("▄"))
  }

  @Test(
    "kitty and iTerm get the picture's own pixels",
    arguments: [
      ["TERM": "xterm-kitty"], ["TERM": "xterm-ghostty"], ["TERM_PROGRAM": "iTerm.app"],
    ])
  func inlinePictures(environment: [String: String]) throws {
    let prompt = try prompt(environment: environment)
    try say("photo = images(\"given\")[0]", "photo: 1 image", to: prompt)
    let isKitty = environment["TERM"] != nil
    let piece =
      isKitty ? /\u{1b}_G([^;]*);([^\u{1b}]*)\u{1b}\\/ : /\]1337;File=([^:]*):([^\u{7}]*)\u{7}/
    let pieces = prompt.raw.matches(of: piece)
    let keys = try #require(pieces.first).output.1
    #expect(keys.contains(isKitty ? "a=T,f=100,q=2,c=22," : "inline=1;"))
    #expect(pieces.allSatisfy { $0.output.2.utf8.count <= 4096 } || !isKitty)
    let shown = try #require(Data(base64Encoded: pieces.map { String($0.output.2) }.joined()))
    let photo = try Picture.load(folder.appendingPathComponent("given/1.png"))
    #expect(try Picture.decode(shown, name: "what was shown") == photo)
  }

  @Test("A plot is drawn in letters, with labels")
  func plot() throws {
    let prompt = try prompt()
    prompt.type("plot([1, 4, 9, 16, 25], title: \"squares\", x: \"n\")\r")
    let shown = try prompt.expect("└")
    #expect(shown.contains("squares"))
    #expect(shown.contains("20 ┤"))
    #expect(shown.unicodeScalars.contains { (0x2801...0x28ff).contains($0.value) })
  }

  @Test("undo, redo, time, vars, help and ? answer")
  func commands() throws {
    let prompt = try prompt()
    try say("x = 1", "x: 1", to: prompt)
    try say("x = 2;", "", to: prompt)
    try say(":undo", "undone: x = 2", to: prompt)
    try say("x", "x: 1", to: prompt)
    try say(":undo", "undone: x", to: prompt)
    try say(":redo", "again: x", to: prompt)
    try say(":time x + 1", "ms", to: prompt)
    try say("t = tensor([[1, 2], [3, 4]])", "t: ", to: prompt)
    try say(":vars", "tensor [2, 2]", to: prompt)
    try say("?t", "digest", to: prompt)
    try say("?cma", "arXiv 1604.00772", to: prompt)
    try say(":help search", "evolve", to: prompt)
    try say(":help keys", "Ctrl-R searches", to: prompt)
    try say(":hepl", "did you mean :help?", to: prompt)
    prompt.type(":quit\r")
    #expect(prompt.end() == 0)
  }

  @Test("Over a pipe there is no prompt, no colour and no picture, and transcripts work")
  func pipe() throws {
    let process = Process()
    process.executableURL = Workplace.executable
    process.currentDirectoryURL = folder
    process.environment = ["EVOKE_HOME": home.path, "TERM": "xterm-256color"]
    let (input, output, errors) = (Pipe(), Pipe(), Pipe())
    (process.standardInput, process.standardOutput, process.standardError) = (input, output, errors)
    try process.run()
    let text = "photos = images(\"given\")\nfunc f(x) {\n\n  return x + 1\n}\n" + Self.transcript
    input.fileHandleForWriting.write(Data((text + "\nevoke> f(b)\n").utf8))
    try input.fileHandleForWriting.close()
    let shown = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let failed = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(failed.isEmpty)
    #expect(!shown.contains("\u{1b}"))
    let names = shown.split(separator: "\n").map { $0.split(separator: " ").first.map(String.init) }
    #expect(names == ["photos:", "a:", "i", "i", "b:", "ans:"])
    #expect(process.terminationStatus == 0)
  }
}
