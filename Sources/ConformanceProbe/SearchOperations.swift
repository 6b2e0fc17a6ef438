import Evolution
import Foundation
import Tensors

/// `search`: a JSON request on standard input, a JSON answer on standard output.
let searchOperations: [String: Operation] = [
  "search": { _ in
    let request = FileHandle.standardInput.readDataToEndOfFile()
    FileHandle.standardOutput.write(try SearchProbe.respond(to: request))
  }
]

/// What scripts/conformance/search.py and scripts/bench/search.py ask of the search.
private enum SearchProbe {
  private struct Request: Decodable {
    enum Task: String, Decodable { case replay, evaluations, time }
    let task: Task
    let dimension: Int
    let population: Int?
    let covariance: CovarianceKind?
    let function: TestFunction?
    let mean: [Double]?
    let deviations: [Double]?
    let sigma: Double?
    let draws: [[Double]]?
    let schedule: String?
    let seeds: [UInt64]?
    let generations: Int?
  }

  /// - Throws: `EvokeError` for what the search refuses, `DecodingError` for another request.
  static func respond(to request: Data) throws -> Data {
    let request = try JSONDecoder().decode(Request.self, from: request)
    let answer: [String: [Double]]
    switch request.task {
    case .replay: answer = try replay(request)
    case .evaluations: answer = ["evaluations": try evaluations(request)]
    case .time: answer = ["milliseconds": try times(request)]
    }
    return try JSONEncoder().encode(answer)
  }

  private static func search(
    _ request: Request, mean: [Double]? = nil, criteria: StoppingCriteria = .off, seed: UInt64 = 1
  ) throws -> CMAES {
    try CMAES(
      dimension: request.dimension, mean: mean ?? request.mean, sigma: request.sigma ?? 0.5,
      population: request.population, covariance: request.covariance ?? .full,
      deviations: request.deviations,
      eigenSchedule: request.schedule == "eager" ? .eager : .lazy, criteria: criteria,
      random: Philox(seed: seed))
  }

  /// Runs through given normal draws.
  private static func replay(_ request: Request) throws -> [String: [Double]] {
    var es = try search(request)
    let function = request.function ?? .ellipsoid
    for draws in request.draws ?? [] {
      let asked = es.ask(normals: draws)
      try es.update(asked, losses: asked.candidates.map { function($0) })
    }
    return ["mean": es.mean, "sigma": [es.sigma], "covariance": es.covarianceMatrix.values]
  }

  /// Evaluations until 1e-8, one a seed, from normal starts (the origin for Rosenbrock's).
  private static func evaluations(_ request: Request) throws -> [Double] {
    let function = request.function ?? .sphere
    return try (request.seeds ?? [1]).map { seed in
      var criteria = StoppingCriteria.off
      criteria.target = 1e-8
      criteria.maxEvaluations = 400_000
      var random = Philox(seed: seed, stream: "start")
      let start =
        function == .rosenbrock
        ? .init(repeating: 0, count: request.dimension) : random.normals(request.dimension)
      var es = try search(request, mean: start, criteria: criteria, seed: seed)
      while es.stoppingReasons.isEmpty {
        let asked = es.ask()
        try es.update(asked, losses: asked.candidates.map { function($0) })
      }
      guard let best = es.best, best.loss <= 1e-8 else { return 1e9 }
      return Double(best.evaluation)
    }
  }

  /// Milliseconds that ask and tell take, one a generation, on the sphere.
  private static func times(_ request: Request) throws -> [Double] {
    var es = try search(request, mean: .init(repeating: 1, count: request.dimension))
    let clock = ContinuousClock()
    return try (0..<(request.generations ?? 200)).map { _ in
      let start = clock.now
      let asked = es.ask()
      let drawn = clock.now
      let losses = asked.candidates.map { TestFunction.sphere($0) }
      let evaluated = clock.now
      try es.update(asked, losses: losses)
      let spent = (drawn - start) + (clock.now - evaluated)
      return Double(spent.components.seconds) * 1e3
        + Double(spent.components.attoseconds) * 1e-15
    }
  }
}
