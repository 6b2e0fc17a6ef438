import ArgumentParser
import Foundation
import Language
import Notebook
import Tensors
import Workbench

/// `evoke replay FILE`: runs a recorded session again and says whether it gave the same bytes.
struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a recorded session again, and say whether it gave the same bytes.",
    discussion: """
      The verdict is `exact` (status 0), `close` (3: other version, precision or backend, within \
      tolerance) or `differs` (4), with the first statement that diverged. Nothing is written but \
      into a temporary folder.
      """)

  @Argument(help: "The recorded session.")
  var file: String

  @Flag(help: "Write the new recording into the file, and show what changed.")
  var accept = false

  @Option(help: ArgumentHelp("Let the session read below this folder too.", valueName: "folder"))
  var allow: [String] = []

  @OptionGroup var machine: MachineOptions

  func run() throws {
    try machine.apply()
    let source = try DocumentFile(file)
    let scratch = FileManager.default.temporaryDirectory
      .appendingPathComponent("evoke-replay-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let files = FileAccess(
      folder: source.folder, allowed: allow.map { URL(fileURLWithPath: $0) }, writesTo: scratch)
    var host = TerminalHost(files: files, machine: machine)
    host.isTalkative = false
    host.showsOutput = false
    Interruption.listen()
    let shown = host
    defer { shown.progressLine.clear() }
    let replay = Notebook.Replay(
      source.document, version: Version.text,
      environment: Fingerprint.environment(of: source.folder, seenFrom: source.url), goesOn: accept)
    let report = try replay.run(registry: Workbench.registry, host: host) { result in
      shown.progressLine.clear()
      if !machine.quiet, let echo = result.echo { Terminal.standardError(echo.line()) }
    }
    host.progressLine.clear()
    Terminal.standardOutput(report.rendered())
    if accept, report.verdict != .exact {
      let old = source.document
      try AtomicFile.write(Data(report.recording.text.utf8), to: source.url)
      let new = SessionDocument(report.recording.text, name: file)
      Terminal.standardOutput(
        try SessionDiff(old, new).rendered(nameA: "recorded", nameB: "now"))
      Terminal.standardOutput("accepted: \(file) holds the new recording")
      return
    }
    switch report.verdict {
    case .exact: return
    case .close: throw Shown(status: .close)
    case .differs: throw Shown(status: .differs)
    }
  }
}

/// `evoke diff A B`: two sessions side by side, by statement and value.
struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare two recorded sessions by statement and value.")

  @Argument(help: "A session.")
  var a: String

  @Argument(help: "Another one.")
  var b: String

  func run() throws {
    let diff = try SessionDiff(DocumentFile(a).document, DocumentFile(b).document)
    Terminal.standardOutput(diff.rendered(nameA: a, nameB: b))
    if !diff.isEmpty { throw Shown(status: .failed) }
  }
}
