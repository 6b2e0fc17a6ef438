import ArgumentParser
import Foundation
import Language
import Tensors
import Workbench

/// `evoke explain NAME`: what a builtin does, as `?name` at the prompt prints it.
struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Explain a builtin, or list all of them.")

  @Argument(help: "The builtin's name; left out, all are listed.")
  var name: String?

  func run() throws {
    let registry = Workbench.registry
    guard let name else {
      for topic in registry.topics {
        Terminal.standardOutput(topic)
        for builtin in registry.builtins where builtin.topic == topic {
          let padded = builtin.name.padding(toLength: 14, withPad: " ", startingAt: 0)
          Terminal.standardOutput("  \(padded)\(builtin.summary)")
        }
      }
      return
    }
    guard let builtin = registry[name] else {
      let guess = closest(to: name, among: registry.names).map { "did you mean \($0)? " } ?? ""
      throw EvokeError(
        .usage, "there is no builtin \(name)", hint: guess + "`evoke explain` lists all of them")
    }
    Terminal.standardOutput(builtin.help())
  }
}

/// `evoke reference`: the page docs/reference.md, made from the builtins' declarations.
struct Reference: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the reference page of all builtins (Markdown).")

  func run() throws {
    Terminal.standardOutput(Workbench.registry.referencePage())
  }
}
