import Foundation
import Tensors

@testable import Evolution

/// The draws of scripts/conformance/search.py: Box and Muller on SplitMix64.
func goldenNormals(seed: UInt64, count: Int) -> [Double] {
  var state = seed
  func uniform() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return (Double((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53
  }
  return (0..<count).map { _ in
    let radius = (-2 * log(uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }
}

/// A search after `generations` on a test function.
func run(
  _ search: CMAES, on function: TestFunction, generations: Int
) throws -> CMAES {
  var search = search
  for _ in 0..<generations {
    let asked = search.ask()
    search = try search.tell(asked, losses: asked.candidates.map { function($0) })
  }
  return search
}

/// Runs until a criterion stops the search.
func runToStop(_ search: CMAES, limit: Int = 20_000, _ loss: ([Double]) -> Double) throws -> CMAES {
  var search = search
  while search.stoppingReasons.isEmpty, search.generation < limit {
    let asked = search.ask()
    try search.update(asked, losses: asked.candidates.map(loss))
  }
  return search
}

func coded<Value: Codable>(_ value: Value) throws -> Value {
  try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value))
}
