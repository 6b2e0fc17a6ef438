import Foundation
import Language
import Notebook
import Tensors
import Workbench

/// The prompt: reads an input, runs it, shows what came of it, until there is no more.
final class Repl {
  let interpreter: Interpreter
  let host: TerminalHost
  private var lines: any LineReader
  let keeper: SessionKeeper
  private let isTyped: Bool
  /// What finished so far, in order: what `:save` writes.
  private(set) var results: [StatementResult] = []
  private var pasted = PastedText()
  private var past: [Snapshot] = []
  private var future: [Snapshot] = []

  /// Everything that an input may change, to go back to.
  private struct Snapshot {
    let state: Interpreter.State
    let results: Int
    let undone: [StatementResult]
  }

  init(
    interpreter: Interpreter, host: TerminalHost, lines: any LineReader, isTyped: Bool,
    keeper: SessionKeeper
  ) {
    self.keeper = keeper
    self.interpreter = interpreter
    self.host = host
    self.lines = lines
    self.isTyped = isTyped
  }

  /// Reads and runs inputs until the end of input or `:quit`.
  func run() throws {
    if isTyped {
      Terminal.standardOutput(Self.greeting)
      offerResuming()
    }
    while let input = nextInput() {
      let text = input.trimmingCharacters(in: .whitespacesAndNewlines)
      if text.isEmpty { continue }
      lines.remember(input)
      if text.hasPrefix(":") {
        if try perform(Command(text)) == .quit { break }
      } else if text.hasPrefix("?") {
        explain(String(text.dropFirst()).trimmingCharacters(in: .whitespaces))
      } else {
        evaluate(input)
      }
    }
  }

  private static let greeting = """
    evoke \(Version.text), a notebook for textual inversion.   :help for help, Ctrl-D to leave
    """

  // MARK: Reading

  /// The next whole input: lines are added until they parse, or an empty line ends them.
  private func nextInput() -> String? {
    var input = ""
    var indent = 0
    while true {
      if isTyped, !lines.hasMore { pasted.end() }
      let prompt = input.isEmpty ? PastedText.prompt : PastedText.continuation
      switch lines.next(prompt: isTyped ? prompt : "", indent: indent) {
      case nil:
        if isTyped { Terminal.standardOutput("") }
        return input.isEmpty ? nil : input
      case .abandoned: (input, indent) = ("", 0)
      case .text(let line):
        guard let bare = pasted.input(line) else { continue }
        // Two empty lines end an input that could go on; one may be part of it.
        let ends = bare.allSatisfy(\.isWhitespace) && input.hasSuffix("\n")
        input += input.isEmpty ? bare : "\n" + bare
        let isCommand = input.hasPrefix(":") || input.hasPrefix("?")
        if isCommand || ends || input.allSatisfy(\.isWhitespace) { return input }
        guard case .incomplete(let depth) = Completeness.of(input) else { return input }
        indent = depth
        while input.last == " " { input.removeLast() }
      }
    }
  }

  // MARK: Running

  func evaluate(_ input: String) {
    let before = Snapshot(state: interpreter.state, results: results.count, undone: [])
    let started = ContinuousClock.now
    do {
      let program = try interpreter.prepare(input, name: "input")
      let statements = program.statements
      try interpreter.run(program) { index in
        keeper.journal?.begin(statements[index].source, isSilenced: statements[index].isSilenced)
      } onResult: { result in
        host.progressLine.clear()
        results.append(result)
        keeper.journal?.finish(result, header: header())
        show(result)
      }
    } catch {
      host.progressLine.clear()
      keeper.journal?.cut(to: results.count)
      show(error)
    }
    Interruption.clear()
    lastDuration = ContinuousClock.now - started
    if results.count > before.results {
      past.append(before)
      future = []
    }
  }

  private var lastDuration = Duration.zero

  func show(_ result: StatementResult) {
    if let echo = result.echo {
      Terminal.standardOutput(echo.line(column: min(64, max(40, Terminal.width - 12))))
      if isTyped { host.display(result.value) }
    }
  }

  func show(_ error: any Error) {
    let color = Terminal.errorsInColor
    switch error {
    case let error as Diagnostic: Terminal.standardError(error.rendered(color: color))
    case let errors as Diagnostics: Terminal.standardError(errors.rendered(color: color))
    case let error as EvokeError:
      Terminal.standardError("error: \(error.message)" + (error.hint.map { "\n  \($0)" } ?? ""))
    default: Terminal.standardError("error: \(error)")
    }
  }

  /// Takes the statements of a session that was brought back as if they had been typed.
  func take(_ resumption: Resumption) {
    for (result, state) in zip(resumption.results, resumption.states) {
      past.append(Snapshot(state: state, results: results.count, undone: []))
      results.append(result)
    }
    if resumption.obstacle != nil { keeper.journal?.append(results, header: header()) }
  }

  // MARK: Commands

  private enum After { case go, quit }

  private func perform(_ command: Command) throws -> After {
    switch command.name {
    case "quit", "q": return .quit
    case "help", "h": help(command.rest)
    case "vars": showVariables()
    case "undo": undo()
    case "redo": redo()
    case "time":
      if !command.rest.isEmpty { evaluate(command.rest) }
      Terminal.standardOutput(Self.text(lastDuration))
    case "save": save(to: command.rest)
    case "resume": resume(command.rest)
    case "seed": Terminal.standardOutput("seed \(interpreter.seed)")
    default:
      let guess = closest(to: command.name, among: Command.all.map(\.name))
      Terminal.standardError(
        "error: there is no command :\(command.name)\n  "
          + (guess.map { "did you mean :\($0)?" } ?? ":help lists them"))
    }
    return .go
  }

  private func undo() {
    guard let last = past.popLast() else { return Terminal.standardError("nothing to undo") }
    let undone = Array(results[last.results...])
    future.append(Snapshot(state: interpreter.state, results: results.count, undone: undone))
    interpreter.state = last.state
    results.removeSubrange(last.results...)
    keeper.journal?.cut(to: results.count)
    Terminal.standardOutput("undone: \(undone.first?.source ?? "")")
  }

  private func redo() {
    guard let next = future.popLast() else { return Terminal.standardError("nothing to redo") }
    past.append(Snapshot(state: interpreter.state, results: results.count, undone: []))
    interpreter.state = next.state
    results += next.undone
    keeper.journal?.append(next.undone, header: header())
    Terminal.standardOutput("again: \(next.undone.first?.source ?? "")")
  }

  private func save(to path: String) {
    guard !path.isEmpty else {
      return Terminal.standardError("error: :save needs a file name, as in :save star.evk")
    }
    do {
      let url = URL(fileURLWithPath: path)
      let text = TypedSession(results, header: header(savedAt: url)).text
      try AtomicFile.write(Data(text.utf8), to: url)
      Terminal.standardOutput("saved \(results.count) statements to \(path)")
    } catch { show(error) }
  }

  /// What the session says of itself; saved elsewhere, also where its relative paths begin.
  private func header(savedAt session: URL? = nil) -> SessionHeader {
    let folder = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
    return SessionHeader(
      version: Version.text, seed: 0,
      environment: Fingerprint.environment(of: folder, seenFrom: session),
      fingerprint: interpreter.fingerprint)
  }

  private func showVariables() {
    let bindings = interpreter.bindings
    if bindings.isEmpty { return Terminal.standardOutput("nothing is bound yet") }
    let width = isTyped ? Terminal.outputWidth : Int.max
    for line in Describing.table(bindings, width: width) { Terminal.standardOutput(line) }
  }

  private func explain(_ name: String) {
    if let builtin = interpreter.registry[name] {
      return Terminal.standardOutput(builtin.help())
    }
    if let bound = interpreter.bindings.first(where: { $0.name == name }) {
      return Terminal.standardOutput(Describing.page(name, bound.value))
    }
    let known = interpreter.registry.names + interpreter.bindings.map(\.name)
    let guess =
      closest(to: name, among: known).map { "did you mean ?\($0)" } ?? ":help lists the builtins"
    Terminal.standardError("error: there is no name \(name)\n  \(guess)")
  }

  private func help(_ topic: String) {
    let registry = interpreter.registry
    if topic == "keys" { return Terminal.standardOutput(Command.keys) }
    if topic.isEmpty {
      Terminal.standardOutput("Type a statement, or one of these:")
      for command in Command.all {
        Terminal.standardOutput(
          "  " + command.usage.padding(toLength: 18, withPad: " ", startingAt: 0) + command.help)
      }
      Terminal.standardOutput(
        "\nBuiltins by topic (?name explains one, :help TOPIC one topic, :help keys the keys):")
      for topic in registry.topics {
        let names = registry.builtins.filter { $0.topic == topic }.map(\.name)
        Terminal.standardOutput(
          "  " + topic.padding(toLength: 14, withPad: " ", startingAt: 0)
            + names.joined(separator: " "))
      }
    } else if let found = registry.topics.first(where: { $0.lowercased() == topic.lowercased() }) {
      for builtin in registry.builtins where builtin.topic == found {
        Terminal.standardOutput(
          "  " + builtin.name.padding(toLength: 14, withPad: " ", startingAt: 0) + builtin.summary)
      }
    } else {
      explain(topic)
    }
  }

  private static func text(_ duration: Duration) -> String {
    let seconds = duration.inSeconds
    if seconds < 1 { return "\((seconds * 10_000).rounded() / 10) ms" }
    return "\((seconds * 100).rounded() / 100) s"
  }
}
