import ArgumentParser
import Foundation
import Language
import Notebook
import Tensors

/// The command line.
struct Evoke: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evoke",
    abstract: "A reproducible notebook for textual inversion.",
    discussion: """
      Learns a new word for what a handful of pictures show, by forward passes of a \
      text-to-image model alone, and records every step so that anyone can replay it to the same bytes.
      """,
    version: Version.text,
    subcommands: [
      Prompt.self, Run.self, Replay.self, Render.self, Diff.self, StoreCommand.self, Explain.self,
      Reference.self, Doctor.self, Bench.self,
    ],
    defaultSubcommand: Prompt.self)
}

/// What the process tells its caller (DESIGN: the command line).
enum Status: Int32 {
  case fine = 0
  case failed = 1
  case wrongUsage = 2
  case close = 3
  case differs = 4
  case interrupted = 130
}

/// An error that was shown already; only the status is left to report.
struct Shown: Error {
  let status: Status
}

@main
enum Main {
  static func main() {
    do {
      var command = try Evoke.parseAsRoot()
      try command.run()
    } catch let shown as Shown {
      Foundation.exit(shown.status.rawValue)
    } catch {
      report(error)
    }
  }

  /// Shows `error` and ends the process with the status that belongs to it.
  private static func report(_ error: any Error) -> Never {
    switch error {
    case let error as Diagnostic:
      Terminal.standardError(error.rendered(color: Terminal.errorsInColor))
      Foundation.exit((error.error.kind == .interrupted ? Status.interrupted : .failed).rawValue)
    case let errors as Diagnostics:
      Terminal.standardError(errors.rendered(color: Terminal.errorsInColor))
      Foundation.exit(Status.failed.rawValue)
    case let error as EvokeError:
      Terminal.standardError("evoke: \(error.message)")
      if let hint = error.hint { Terminal.standardError("  \(hint)") }
      let status: Status =
        error.kind == .usage ? .wrongUsage : error.kind == .interrupted ? .interrupted : .failed
      Foundation.exit(status.rawValue)
    default:
      if Evoke.exitCode(for: error) == .success { Evoke.exit(withError: error) }
      Terminal.standardError(Evoke.fullMessage(for: error))
      Foundation.exit(Status.wrongUsage.rawValue)
    }
  }
}
