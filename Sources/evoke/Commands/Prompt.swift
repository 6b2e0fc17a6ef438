import ArgumentParser
import Foundation
import Language
import Workbench

/// `evoke`: the prompt.
struct Prompt: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prompt", abstract: "Type statements at a prompt (the default).")

  @OptionGroup var machine: MachineOptions

  func run() throws {
    try machine.apply()
    let folder = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
    let host = TerminalHost(files: FileAccess(folder: folder), machine: machine)
    let interpreter = Interpreter(registry: Workbench.registry, host: host)
    Interruption.listen()
    let isTyped = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
    let lines: any LineReader =
      isTyped
      ? TypedLines(historyFile: Self.historyFile, complete: Self.completer(interpreter, folder))
      : PipedLines()
    let keeper = SessionKeeper(.prompt, folder: folder, interpreter: interpreter)
    try Repl(
      interpreter: interpreter, host: host, lines: lines, isTyped: isTyped, keeper: keeper
    ).run()
    keeper.close()
  }

  /// `history` in evoke's folder; nil where no folder can be made.
  private static var historyFile: URL? {
    let made: Void? = try? FileManager.default.createDirectory(
      at: Home.folder, withIntermediateDirectories: true)
    return made.map { Home.folder.appendingPathComponent("history") }
  }

  /// Completion over what is bound at the moment that Tab is pressed.
  private static func completer(
    _ interpreter: Interpreter, _ folder: URL
  ) -> Completion.Provider {
    // Readline calls back on the thread that runs the interpreter, between statements only.
    nonisolated(unsafe) let interpreter = interpreter
    return { line in
      var words: [String] = []
      let bindings = interpreter.bindings.map { name, value in
        guard case .object(let object) = value else { return (name: name, members: [String]()) }
        if let model = object as? ModelValue { words += model.model.words }
        return (name: name, members: type(of: object).memberNames)
      }
      return Completer(
        registry: interpreter.registry, bindings: bindings, words: words,
        commands: Command.all.map(\.name), folder: folder
      ).candidates(line)
    }
  }
}
