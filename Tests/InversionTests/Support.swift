import Diffusion
import Evolution
import Foundation
import Pictures
import Tensors

@testable import Inversion

/// The built-in model, loaded once.
let demo = Result { try DiffusionModel.demo() }

/// Three pictures of a coral disc on backgrounds of different blues, drawn here.
let discs: [Picture] = (0..<3).map { number in
  let side = 64
  var pixels: [UInt8] = []
  for y in 0..<side {
    for x in 0..<side {
      let dx = Double(x - 24 - 6 * number)
      let dy = Double(y - 28 - 4 * number)
      let inside = dx * dx + dy * dy < 250
      let stripe = (x + y) % 8 < 4
      pixels +=
        inside
        ? (stripe ? [250, 130, 100] : [240, 170, 150]) : [40, 70, UInt8(150 + 40 * number)]
    }
  }
  return Picture(width: side, height: side, pixels: pixels)
}

/// A small objective: few draws, so that tests stay quick.
func smallObjective(
  draws: Int = 5, weighting: TimestepWeighting = .uniform, prompts: Prompts = .object,
  vectors: Int = 1, seed: UInt64 = 1
) throws -> DenoisingObjective {
  try DenoisingObjective(
    demo.get(), discs, prompts: prompts, draws: draws, weighting: weighting, heldOutDraws: 6,
    vectors: vectors, random: Philox(seed: seed))
}

/// A run that has not begun, in four dimensions with five candidates.
func smallRun(seed: UInt64 = 1) throws -> EvolutionRun {
  let model = try demo.get()
  let start = try attend(model, discs)
  let space = try Subspace.pca(
    of: model.textEncoder.tokenTable, rows: wordRows(of: model), dimension: 4,
    around: start.embedding)
  return try EvolutionRun(
    search: CMAES(dimension: 4, sigma: 1, population: 5, random: Philox(seed: seed)),
    subspace: space)
}

func isRefused(_ kind: EvokeError.Kind, _ text: String, _ body: () throws -> Void) -> Bool {
  do {
    try body()
    return false
  } catch let error as EvokeError {
    return error.kind == kind && error.message.contains(text)
  } catch {
    return false
  }
}
