import ArgumentParser
import Foundation
import Language
import Notebook
import Tensors
import Workbench

/// `evoke run FILE`: runs a script, a session or a notebook.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a script or a notebook.",
    discussion: """
      NAME=VALUE replaces what the script's first statement of the form NAME = … binds, as in \
      photos="my/folder". Files that the script writes land beside it, or in --output.
      """)

  @Argument(help: "The script (.evk), session, or notebook (.md).")
  var file: String

  @Argument(help: "Values for names of the script, NAME=VALUE.")
  var values: [String] = []

  @Option(help: ArgumentHelp("Record the session to this file.", valueName: "session"))
  var save: String?

  @Option(help: ArgumentHelp("Put what the script writes into this folder.", valueName: "folder"))
  var output: String?

  @Option(
    help: ArgumentHelp("Let the script read and write below this folder too.", valueName: "folder"))
  var allow: [String] = []

  @Flag(help: "Go on with the latest run of this script that was cut off, to the same bytes.")
  var resume = false

  @Flag(help: "Take the values of calls that earlier runs made in the same way from the store.")
  var cached = false

  @OptionGroup var machine: MachineOptions

  func run() throws {
    try machine.apply()
    let source = try DocumentFile(file)
    let overrides = try Override.parse(values, scriptFolder: source.folder)
    var files = FileAccess(
      folder: source.folder, allowed: (allow + overrides.paths).map { URL(fileURLWithPath: $0) })
    if let output {
      let folder = URL(fileURLWithPath: output)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      files = FileAccess(folder: source.folder, allowed: files.allowed, writesTo: folder)
    }
    let saved = save.map { URL(fileURLWithPath: $0) }
    if let saved { try Self.checkWritable(saved) }
    let host = TerminalHost(files: files, machine: machine)
    let interpreter = Interpreter(registry: Workbench.registry, host: host)
    let keeper = SessionKeeper(
      .run, name: ([source.url.path] + values).joined(separator: " "), folder: source.folder,
      interpreter: interpreter, recalls: resume || cached)
    let earlier = resume ? try EarlierRun(keeper, file: file, host: host) : nil
    Interruption.listen()
    defer { host.progressLine.clear() }
    let recording = try Recorder.run(
      source.document, with: interpreter, version: Version.text,
      environment: Fingerprint.environment(of: source.folder, seenFrom: saved),
      overrides: overrides.pairs, journal: keeper.journal
    ) { result in
      host.progressLine.clear()
      earlier?.compare(result)
      if let echo = result.echo { Terminal.standardOutput(echo.line()) }
    }
    host.progressLine.clear()
    if let saved {
      try AtomicFile.write(Data(recording.text.utf8), to: saved)
      host.note("saved \(save ?? "")")
    }
    if let failure = recording.failure { throw failure }
    keeper.close()
    earlier?.forget()
  }

  /// Fails before hours of work, rather than behind them.
  private static func checkWritable(_ url: URL) throws {
    let folder = url.deletingLastPathComponent().path
    guard FileManager.default.isWritableFile(atPath: folder) else {
      throw EvokeError(
        .file, "the session cannot be saved: \(folder) is no folder that can be written to",
        hint: "choose another place for --save")
    }
  }
}

/// The run that `--resume` goes on with: what it had shown is compared with what comes now.
private final class EarlierRun {
  private let keeper: SessionKeeper
  private let session: StoredSession
  private let statements: [StoredStatement]
  private var compared = 0
  private var isSame = true

  /// - Returns: nil, with a remark, if no run of the script was cut off.
  init?(_ keeper: SessionKeeper, file: String, host: TerminalHost) throws {
    guard let session = try keeper.interruptedRun else {
      host.note("no run of \(file) was cut off; it begins anew")
      return nil
    }
    self.keeper = keeper
    self.session = session
    statements = try keeper.store?.statements(of: session.id) ?? []
  }

  /// Says so if a statement that was shown before gives something else now.
  func compare(_ result: StatementResult) {
    guard isSame, compared < statements.count else { return }
    defer { compared += 1 }
    guard statements[compared].agrees(with: result) == false else { return }
    isSame = false
    Terminal.standardError(
      "warning: line \(result.lines.lowerBound) gave something else before the run was cut off; "
        + "an input has changed since")
  }

  /// Deletes the earlier run from the store; the one that went on from it holds everything.
  func forget() { try? keeper.store?.delete([session.id]) }
}

/// A document with the folder that its relative paths begin in.
struct DocumentFile {
  let document: SessionDocument
  let url: URL
  let folder: URL

  /// Reads the document at `path`. A recorded session names the folder of the script it came from.
  ///
  /// - Throws: `EvokeError` (file) if there is no such file, or it is no text.
  init(_ path: String) throws {
    url = URL(fileURLWithPath: path)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
      let siblings = try? FileManager.default.contentsOfDirectory(
        atPath: url.deletingLastPathComponent().path)
      let guess = closest(to: url.lastPathComponent, among: siblings ?? [])
      throw EvokeError(
        .file, "there is no file \(path)", hint: guess.map { "did you mean \($0)?" })
    }
    guard !isFolder.boolValue else {
      throw EvokeError(.file, "\(path) is a folder", hint: "name a script in it")
    }
    guard let data = try? Data(contentsOf: url), let text = String(data: data, encoding: .utf8)
    else {
      throw EvokeError(.file, "\(path) cannot be read as text (UTF-8)")
    }
    document = SessionDocument(text, name: path)
    let own = url.deletingLastPathComponent()
    folder = document.header?[Fingerprint.folderKey].map { own.appendingPathComponent($0) } ?? own
  }
}

/// What a session says of the circumstances that its results may depend on.
enum Fingerprint {
  /// The script's folder as seen from the session's.
  static let folderKey = "folder"

  /// The arithmetic: float32, whose matrix products, LAPACK as it was pinned.
  static var machine: [(key: String, value: String)] {
    [
      (key: "precision", value: "float32"), (key: "backend", value: Compute.backend.rawValue),
      (key: "lapack", value: Compute.linearAlgebraCore),
    ]
  }

  /// - Parameters:
  ///   - folder: where the script's relative paths begin.
  ///   - session: where the session is saved; nil if nowhere.
  static func environment(of folder: URL, seenFrom session: URL?) -> [(key: String, value: String)]
  {
    var environment = machine
    if let session {
      let path = relativePath(to: folder, from: session.deletingLastPathComponent())
      if path != "." { environment.append((key: folderKey, value: path)) }
    }
    return environment
  }

  /// The way from one folder to another: `../examples`.
  static func relativePath(to target: URL, from base: URL) -> String {
    let target = target.resolvingSymlinksInPath().standardizedFileURL.pathComponents
    let base = base.resolvingSymlinksInPath().standardizedFileURL.pathComponents
    let common = zip(target, base).prefix { $0 == $1 }.count
    let up = Array(repeating: "..", count: base.count - common)
    let way = (up + target.dropFirst(common)).joined(separator: "/")
    return way.isEmpty ? "." : way
  }
}

/// `NAME=VALUE` on the command line.
enum Override {
  /// The pairs, and the paths among the values, which the script may then read.
  ///
  /// A value that names a file or folder here is meant from here; the script gets it as seen from its
  /// own folder.
  ///
  /// - Throws: `EvokeError` (usage) for an argument without `=`.
  static func parse(
    _ arguments: [String], scriptFolder: URL
  ) throws -> (pairs: [(name: String, value: String)], paths: [String]) {
    var pairs: [(name: String, value: String)] = []
    var paths: [String] = []
    for argument in arguments {
      guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else {
        throw EvokeError(
          .usage, "“\(argument)” is not of the form NAME=VALUE",
          hint: "for example photos=my/folder")
      }
      let name = String(argument[..<equals])
      var value = String(argument[argument.index(after: equals)...])
      if FileManager.default.fileExists(atPath: value), Double(value) == nil {
        paths.append(value)
        value = Fingerprint.relativePath(to: URL(fileURLWithPath: value), from: scriptFolder)
      }
      pairs.append((name, value))
    }
    return (pairs, paths)
  }
}
