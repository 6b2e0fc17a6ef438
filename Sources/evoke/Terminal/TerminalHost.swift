import Foundation
import Language

/// The surroundings of a script that runs from the command line.
struct TerminalHost: ScriptHost {
  var files: FileAccess
  let progressLine: ProgressLine
  /// Whether remarks are shown.
  var isTalkative: Bool
  /// Whether what `print` writes is shown at once.
  var showsOutput = true

  /// A host that shows progress and remarks unless the user asked for quiet.
  init(files: FileAccess, machine: MachineOptions) {
    self.files = files
    progressLine = ProgressLine(isOn: Terminal.errorsAreShown && !machine.quiet)
    isTalkative = !machine.quiet
  }

  func readURL(_ path: String) throws -> URL { try files.readURL(path) }
  func writeURL(_ path: String) throws -> URL { try files.writeURL(path) }
  func progress(_ update: ProgressUpdate) { progressLine.show(update) }
  var isCancelled: Bool { Interruption.isWished }

  func note(_ text: String) {
    guard isTalkative else { return }
    progressLine.clear()
    Terminal.standardError(text)
  }

  func display(_ value: Value) {
    guard showsOutput, let text = TerminalPictures.text(of: value) else { return }
    progressLine.clear()
    Terminal.standardOutput(text)
  }

  func printed(_ line: String) {
    guard showsOutput else { return }
    progressLine.clear()
    Terminal.standardOutput(line)
  }
}
