import Diffusion
import Evolution
import Foundation
import Inversion
import Pictures
import Tensors

/// Whole inversions, for scripts/bench.
let inversionOperations: [String: Operation] = [
  // a JSON request on standard input, a JSON answer on standard output
  "inversion": { _ in
    let input = FileHandle.standardInput.readDataToEndOfFile()
    let request = try JSONDecoder().decode(InversionRequest.self, from: input)
    FileHandle.standardOutput.write(try JSONEncoder().encode(request.answer()))
  },
  // MODEL THREADS CANDIDATES PICTURES: the processor seconds of encoding the pictures, then a line
  // with those of every candidate's loss on as many draws for every line read
  "generation": { arguments in
    Compute.threads = try arguments.int(1)
    let model = try DiffusionModel(folder: arguments.url(0))
    let (count, side) = (try arguments.int(3), model.pictureSize)
    var random = Philox(seed: 1)
    let pictures = (0..<count).map { _ in
      Picture(
        width: side, height: side,
        pixels: (0..<3 * side * side).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    }
    let candidates = try (0..<arguments.int(2)).map { _ in
      random.normals(shape: [model.textEncoder.width])
    }
    let start = Bench.cpuSeconds()
    let objective = try DenoisingObjective(
      model, pictures, draws: count, weighting: .uniform, heldOutDraws: 1, random: random)
    print(Bench.cpuSeconds() - start)
    fflush(nil)
    for _ in 0..<2 { _ = try objective.losses([candidates[0]], generation: 0) }
    var generation = 0
    while readLine() != nil {
      generation += 1
      let start = Bench.cpuSeconds()
      _ = try objective.losses(candidates, generation: generation)
      print(Bench.cpuSeconds() - start)
      fflush(nil)
    }
  },
]

private struct InversionRequest: Decodable {
  let model: String
  let pictures: String
  let threads: Int
  let generations, population, draws, dimension, heldOut, checkEvery: Int
  let sigma: Double

  /// A whole inversion from the mean of the words.
  func answer() throws -> [String: Double] {
    Compute.threads = threads
    let clock = ContinuousClock()
    let model = try DiffusionModel(folder: URL(fileURLWithPath: model))
    let given = try loadPictures(at: URL(fileURLWithPath: pictures)).map(\.picture)
    let table = model.textEncoder.tokenTable
    let rows = wordRows(of: model)
    let space = try Subspace.pca(
      of: table, rows: rows, dimension: dimension, around: mean(of: table, rows))
    let random = Philox(seed: 1)
    let objective = try DenoisingObjective(
      model, given, timesteps: 0..<model.schedule.trainingSteps, draws: draws,
      weighting: .uniform, heldOutDraws: heldOut, random: random.derived("objective"))
    let search = try CMAES(
      dimension: dimension, sigma: sigma, population: population, criteria: .off,
      random: random.derived("search"))
    let begun = clock.now
    let run = try EvolutionRun(search: search, subspace: space).evolved(
      on: objective, generations: generations, checkEvery: checkEvery)
    let spent = clock.now - begun
    return [
      "search": Double(spent.components.seconds) + Double(spent.components.attoseconds) * 1e-18,
      "before": run.start?.loss ?? .nan, "after": run.answer?.loss ?? .nan,
    ]
  }

  private func mean(of table: Tensor, _ rows: [Int]) -> Tensor {
    let width = table.shape[1]
    var sum = [Float](repeating: 0, count: width)
    for row in rows { for (i, x) in table.row(row).values.enumerated() { sum[i] += x } }
    return Tensor(shape: [width], values: sum.map { $0 / Float(rows.count) })
  }
}
