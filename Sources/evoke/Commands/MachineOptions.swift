import ArgumentParser
import Tensors
import Workbench

/// Options of every command that computes.
struct MachineOptions: ParsableArguments {
  @Option(help: "Threads to compute with; never changes a result.")
  var threads: Int?

  @Option(help: "Force a kernel variant: avx512, avx2 or scalar; never changes a result.")
  var isa: String?

  @Option(
    help: "Whose matrix products: evoke, or openblas for comparison, which changes last digits.")
  var backend: String?

  @Option(help: "Samples that go through the model in one call; never changes a result.")
  var batch: Int?

  @Flag(help: "No progress and no remarks on standard error.")
  var quiet = false

  /// Applies the options to this process.
  ///
  /// - Throws: `EvokeError` (usage) for a number of threads or a variant that cannot be.
  func apply() throws {
    if let threads {
      guard (1...1024).contains(threads) else {
        throw EvokeError(
          .usage, "--threads must be from 1 to 1024, not \(threads)",
          hint: "left out, all \(Compute.threads) cores that this process may use are used")
      }
      Compute.threads = threads
    }
    if let backend {
      guard let chosen = ProductBackend(rawValue: backend) else {
        throw EvokeError(
          .usage, "there is no backend \(backend)", hint: "the backends are evoke and openblas")
      }
      Compute.backend = chosen
    }
    if let batch {
      guard batch >= 1 else {
        throw EvokeError(.usage, "--batch must be at least 1, not \(batch)")
      }
      WorkbenchSettings.batch = batch
    }
    if let isa {
      guard let set = InstructionSet(rawValue: isa) else {
        let names = InstructionSet.allCases.map(\.rawValue)
        let guess = closest(to: isa, among: names).map { "did you mean \($0)? " } ?? ""
        throw EvokeError(
          .usage, "there is no instruction set \(isa)",
          hint: guess + "the variants are \(names.joined(separator: ", "))")
      }
      try Compute.setInstructionSet(set)
    }
  }
}
