// The rates of the kernels on one thread: matrix products against OpenBLAS's sgemm in the same run
// (its own choice of core, whatever OPENBLAS_CORETYPE says), convolutions and attention alone.
//
//   kernel-bench [--repeats N] [--json]
//
// Times are processor seconds of the measuring thread. Each repeat measures both sides one after
// the other; what is reported is the median of the ratios, and each side's median rate.
import COpenBLAS
import Foundation
import Kernels
import Tensors

let arguments = CommandLine.arguments
let json = arguments.contains("--json")
let repeats =
  arguments.firstIndex(of: "--repeats").flatMap { arguments.dropFirst($0 + 1).first }
  .flatMap { Int($0) } ?? 11
guard repeats > 0,
  arguments.dropFirst().allSatisfy({ ["--json", "--repeats", "\(repeats)"].contains($0) })
else {
  FileHandle.standardError.write(Data("usage: kernel-bench [--repeats N] [--json]\n".utf8))
  exit(2)
}

Compute.threads = 1
_ = kernel_openblas_use(nil)
let rows = productRows(repeats) + convolutionRows(repeats) + attentionRows(repeats)
if json {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
  print(String(decoding: try encoder.encode(rows), as: UTF8.self))
} else {
  print(
    "instruction set \(Compute.instructionSet.rawValue), OpenBLAS core \(Compute.linearAlgebraCore)"
  )
  for row in rows { print(row.line) }
  let ratios = rows.compactMap(\.ratio)
  let mean = exp(ratios.map { log($0) }.reduce(0, +) / Double(ratios.count))
  print(String(format: "products: geometric mean of the ratios to OpenBLAS %.2f", mean))
}
