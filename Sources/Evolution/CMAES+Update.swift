import Tensors

extension CMAES {
  public mutating func update(_ asked: Population, losses: [Double]) throws {
    try check(asked, losses)
    let p = parameters
    let order = ranking(of: losses)
    generation += 1
    record(asked, losses, order)

    // Recombination (equations 41–42); c_m = 1.
    let step = recombined(asked.steps, order)
    let normalStep = recombined(asked.normals, order)
    for i in 0..<dimension { center[i] += sigma * step[i] }

    // Step-size path (equation 43): C^-½ ⟨y⟩ = B ⟨z⟩.
    let shift = full?.rotated(normalStep) ?? normalStep
    let gain = (p.cSigma * (2 - p.cSigma) * p.weights.effectiveParents).squareRoot()
    for i in 0..<dimension { sigmaPath[i] = (1 - p.cSigma) * sigmaPath[i] + gain * shift[i] }
    let squared = sigmaPath.reduce(0) { $0 + $1 * $1 }

    // h_σ stalls the path of the covariance while the step size grows fast (below equation 45).
    let settled = 1 - Elementary.pow(1 - p.cSigma, 2 * Double(generation))
    let n = Double(dimension)
    let moves = squared / settled / n - 1 < 1 + 4 / (n + 1)
    advanceCovariancePath(full == nil ? normalStep : step, moves: moves)
    adaptCovariance(asked, order, moves: moves)

    // Cumulative step-size adaptation (equation 44), at most a factor of e at once.
    let change = (squared.squareRoot() / p.chiN - 1) * (p.cSigma / p.dSigma)
    sigma *= Elementary.exp(min(1, max(-1, change)))
    history.follow(center, within: criteria.tolXStagnation)
    if let full, Double(generation - full.decomposedAt) >= p.eigenGap {
      self.full?.decompose(generation: generation)
    }
  }

  private mutating func record(_ asked: Population, _ losses: [Double], _ order: [Int]) {
    best = bestOf(asked, losses, order)
    evaluations += population
    history.record(
      order.map { losses[$0] }, generation: generation, dimension: dimension,
      population: population)
  }

  /// Σ w_i x_{i:λ} over the positive weights.
  private func recombined(_ rows: [Double], _ order: [Int]) -> [Double] {
    let n = dimension
    var sum = [Double](repeating: 0, count: n)
    rows.withUnsafeBufferPointer { rows in
      sum.withUnsafeMutableBufferPointer { sum in
        for rank in 0..<parameters.weights.parents {
          let weight = parameters.weights.values[rank]
          let row = order[rank] * n
          for i in 0..<n { sum[i] += weight * rows[row + i] }
        }
      }
    }
    return sum
  }

  /// p_c (equation 45); for a diagonal covariance in the coordinates it scales, as pycma does.
  private mutating func advanceCovariancePath(_ step: [Double], moves: Bool) {
    let p = parameters
    let gain = moves ? (p.cc * (2 - p.cc) * p.weights.effectiveParents).squareRoot() : 0
    for i in 0..<dimension {
      covariancePath[i] = (1 - p.cc) * covariancePath[i] + gain * step[i]
    }
  }

  /// The rank-one and rank-µ updates of a full or a diagonal covariance.
  private mutating func adaptCovariance(_ asked: Population, _ order: [Int], moves: Bool) {
    let p = parameters
    // Makes up for the variance lost while h_σ = 0: δ(h_σ) of equation 47.
    let c1a = p.c1 * (moves ? 1 : 1 - p.cc * (2 - p.cc))
    let rates = p.weights.values.map { p.cMu * $0 }
    if full != nil {
      updateFull(asked, order, c1a: c1a, rates: rates)
    } else {
      updateScales(asked, order, c1a: c1a, rates: rates)
    }
  }

  /// Equation 47, with the negative weights scaled by d/‖C^-½ y‖² (equation 46).
  private mutating func updateFull(
    _ asked: Population, _ order: [Int], c1a: Double, rates: [Double]
  ) {
    let n = dimension
    var weights = [parameters.c1]
    weights.reserveCapacity(population + 1)
    for (rank, rate) in rates.enumerated() {
      guard rate < 0 else {
        weights.append(rate)
        continue
      }
      // The draw z is C^-½ y up to a rotation.
      var squared = 0.0
      for i in order[rank] * n..<(order[rank] + 1) * n {
        squared += asked.normals[i] * asked.normals[i]
      }
      let norm = squared.squareRoot() + 1e-9
      weights.append(rate * (Double(n) / (norm * norm)))
    }
    let vectors = [Double](unsafeUninitializedCapacity: (population + 1) * n) { buffer, count in
      for i in 0..<n { buffer[i] = covariancePath[i] }
      asked.steps.withUnsafeBufferPointer { steps in
        for rank in 0..<population {
          let from = order[rank] * n
          let to = (rank + 1) * n
          for i in 0..<n { buffer[to + i] = steps[from + i] }
        }
      }
      count = (population + 1) * n
    }
    let decay = 1 - c1a - rates.reduce(0, +)
    full?.update(decay: decay, vectors: vectors, weights: weights)
  }

  /// The diagonal by exponential updates: log s_i grows by ½ ln 2 · Σ w (z_i² − 1), over the
  /// path and the candidates, as in pycma 4.5 (`DiagonalDecoding.update`).
  private mutating func updateScales(
    _ asked: Population, _ order: [Int], c1a: Double, rates: [Double]
  ) {
    let n = dimension
    let ln2 = 0.693_147_180_559_945_3
    var average = covariancePath.map { ln2 * c1a * ($0 * $0) }
    asked.normals.withUnsafeBufferPointer { z in
      for (rank, rate) in rates.enumerated() {
        let row = order[rank] * n
        for i in 0..<n { average[i] += ln2 * rate * (z[row + i] * z[row + i]) }
      }
    }
    let sum = ln2 * (c1a + rates.reduce(0, +))
    for i in 0..<n { scales[i] *= Elementary.exp((average[i] - sum) / 2) }
  }
}
