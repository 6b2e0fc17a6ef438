import ArgumentParser
import Foundation
import Language
import Notebook
import Synchronization
import Tensors
import Workbench

/// `evoke render FILE -o PAGE`: a session as one page that can be sent to somebody.
struct Render: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a script or a notebook, and make one HTML page of it.",
    discussion: """
      The page holds prose, code, results, pictures and plots, and the session itself; it needs no \
      other file and no network. Of a recorded session it says whether every byte came out again. \
      Nothing is written but the page.
      """)

  @Argument(help: "The script (.evk), session, or notebook (.md).")
  var file: String

  @Argument(help: "Values for names of the script, NAME=VALUE.")
  var values: [String] = []

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The page, FILE.html if left out.", valueName: "page"))
  var output: String?

  @Flag(help: "Run nothing: show what was recorded, without pictures and plots.")
  var recorded = false

  @Option(help: ArgumentHelp("Let the script read below this folder too.", valueName: "folder"))
  var allow: [String] = []

  @OptionGroup var machine: MachineOptions

  func run() throws {
    try machine.apply()
    let source = try DocumentFile(file)
    let target = output.map { URL(fileURLWithPath: $0) } ?? source.url.withEnding("html")
    guard FileManager.default.isWritableFile(atPath: target.deletingLastPathComponent().path) else {
      throw EvokeError(
        .file, "the page cannot be written: its folder does not exist or is read-only",
        hint: "choose another place with -o")
    }
    if recorded {
      guard source.document.isRecorded else {
        throw EvokeError(.usage, "\(file) carries no recording", hint: "leave --recorded out")
      }
      return try write(Page(recorded: source.document), source.folder, to: target)
    }
    let overrides = try Override.parse(values, scriptFolder: source.folder)
    let scratch = FileManager.default.temporaryDirectory
      .appendingPathComponent("evoke-render-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let files = FileAccess(
      folder: source.folder, allowed: (allow + overrides.paths).map { URL(fileURLWithPath: $0) },
      writesTo: scratch)
    try render(source, overrides.pairs, files, to: target)
  }

  private func render(
    _ source: DocumentFile, _ overrides: [(name: String, value: String)], _ files: FileAccess,
    to target: URL
  ) throws {
    let displayed = DisplayedValues()
    var terminal = TerminalHost(files: files, machine: machine)
    terminal.isTalkative = false
    terminal.showsOutput = false
    let host = PageHost(terminal: terminal, displayed: displayed)
    Interruption.listen()
    defer { host.terminal.progressLine.clear() }
    var depictions: [[Depiction]] = []
    func collect(_ result: StatementResult) throws {
      host.terminal.progressLine.clear()
      if !machine.quiet, let echo = result.echo { Terminal.standardError(echo.line()) }
      depictions.append(try Page.depictions(of: result, displayed: displayed.take()))
    }
    let environment = Fingerprint.environment(
      of: source.folder, seenFrom: source.document.isRecorded ? source.url : nil)
    if source.document.isRecorded, overrides.isEmpty {
      let replay = Notebook.Replay(
        source.document, version: Version.text, environment: environment, goesOn: true)
      let report = try replay.run(registry: Workbench.registry, host: host, onResult: collect)
      var page = try Page(report.recording, depictions: depictions)
      page.verdict = report.verdict
      try write(page, source.folder, to: target)
      if report.verdict != .exact { Terminal.standardError(report.rendered()) }
      if let failure = report.recording.failure { throw failure }
      switch report.verdict {
      case .exact: return
      case .close: throw Shown(status: .close)
      case .differs: throw Shown(status: .differs)
      }
    }
    let interpreter = Interpreter(registry: Workbench.registry, host: host)
    let recording = try Recorder.run(
      source.document, with: interpreter, version: Version.text, environment: environment,
      overrides: overrides, onResult: collect)
    try write(Page(recording, depictions: depictions), source.folder, to: target)
    if let failure = recording.failure { throw failure }
  }

  private func write(_ page: Page, _ folder: URL, to target: URL) throws {
    var page = page
    let access = FileAccess(folder: folder)
    page.picture = { path in
      guard !path.contains("://"), let url = try? access.readURL(path) else { return nil }
      return try? Data(contentsOf: url)
    }
    try AtomicFile.write(Data(page.html.utf8), to: target)
    if !machine.quiet { Terminal.standardError("wrote \(target.relativePath)") }
  }
}

/// The values that a script asked to see since the last statement.
final class DisplayedValues: Sendable {
  private let values = Mutex<[Value]>([])

  func add(_ value: Value) { values.withLock { $0.append(value) } }

  /// The values, which are forgotten then.
  func take() -> [Value] {
    values.withLock { values in
      defer { values = [] }
      return values
    }
  }
}

/// The surroundings of a script whose page is being made: a terminal, and what is shown on the page.
struct PageHost: ScriptHost {
  let terminal: TerminalHost
  let displayed: DisplayedValues

  func readURL(_ path: String) throws -> URL { try terminal.readURL(path) }
  func writeURL(_ path: String) throws -> URL { try terminal.writeURL(path) }
  func progress(_ update: ProgressUpdate) { terminal.progress(update) }
  var isCancelled: Bool { terminal.isCancelled }
  func display(_ value: Value) { displayed.add(value) }
}

extension URL {
  /// The same place with another ending.
  fileprivate func withEnding(_ ending: String) -> URL {
    deletingPathExtension().appendingPathExtension(ending)
  }
}
