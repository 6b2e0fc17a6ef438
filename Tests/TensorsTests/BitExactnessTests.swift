import Testing

@testable import Tensors

/// The contract of docs/design.md §5: the same bits on every instruction set, with any number of
/// threads, and in any batch. These tests switch global settings, so they run one after another.
@Suite(.serialized) struct BitExactnessTests {
  /// Fails unless `body` gives the same bits under every setting.
  private func sameBitsEverywhere(
    _ what: String, _ body: () -> Tensor, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let threads = Compute.threads
    let best = Compute.instructionSet
    defer {
      Compute.threads = threads
      try? Compute.setInstructionSet(best)
    }
    Compute.threads = 1
    let reference = body()
    for set in Compute.supported {
      try Compute.setInstructionSet(set)
      for count in 1...4 {
        Compute.threads = count
        #expect(
          body() == reference, "\(what): \(set), \(count) threads", sourceLocation: sourceLocation)
      }
    }
  }

  private func sizes(_ random: inout Philox, _ ranges: ClosedRange<Int>...) -> [Int] {
    ranges.map { $0.lowerBound + random.integer(below: $0.count) }
  }

  @Test(arguments: 0..<12) func linear(_ seed: Int) throws {
    var random = Philox(seed: UInt64(seed), stream: "linear")
    // Beyond 768 inputs blocks of rows are smaller, beyond 2560 the chains are continued block by block.
    var n = sizes(&random, 1...300, 1...300, 1...150)
    if seed % 3 == 0 { n = sizes(&random, 1...150, 500...6000, 1...50) }
    if seed == 3 { n[1] = 3072 }  // rows that would fall into one set of the cache
    let x = random.normals(shape: [n[0], n[1]])
    let residual = random.normals(shape: [n[0], n[2]])
    let layer = Linear(
      weight: random.normals(shape: [n[2], n[1]]), bias: random.normals(shape: [n[2]]))
    let activation = [Activation.none, .silu, .gelu, .geluTanh, .quickGELU, .relu][seed % 6]
    try sameBitsEverywhere("linear \(n)") { layer(x, activation: activation, adding: residual) }
    let row = random.integer(below: n[0])
    let alone = layer(
      x.rows(row..<(row + 1)), activation: activation, adding: residual.rows(row..<(row + 1)))
    #expect(alone == layer(x, activation: activation, adding: residual).rows(row..<(row + 1)))
  }

  /// An output is one chain of fused multiply-adds that starts from the bias.
  @Test(arguments: 0..<6) func productIsOneChain(_ seed: Int) {
    var random = Philox(seed: UInt64(seed), stream: "chain")
    let n = sizes(&random, 1...20, 1...6000, 1...60)
    let x = random.normals(shape: [n[0], n[1]])
    let weight = random.normals(shape: [n[2], n[1]])
    let bias = random.normals(shape: [n[2]])
    let y = Linear(weight: weight, bias: bias)(x)
    for row in 0..<n[0] {
      let column = random.integer(below: n[2])
      let chain = zip(x.row(row).values, weight.row(column).values).reduce(bias[column]) {
        $0.addingProduct($1.0, $1.1)
      }
      #expect(y[row, column] == chain)
    }
  }

  @Test(arguments: 0..<10) func convolution(_ seed: Int) throws {
    var random = Philox(seed: UInt64(seed), stream: "convolution")
    var n = sizes(&random, 1...5, 3...14, 3...14, 1...60, 1...50)
    if seed == 5 { n[3] = 300 }  // several blocks of the window
    if seed == 6 { n = [2, 5, 4, 1400, 20] }  // several blocks of channels in a Winograd product
    let kernel = [3, 3, 1, 5, 3][seed % 5]
    let stride = seed % 3 == 2 ? 2 : 1
    let layer = Convolution2D(
      weight: random.normals(shape: [n[4], n[3], kernel, kernel]),
      bias: random.normals(shape: [n[4]]), stride: stride)
    let x = random.normals(shape: [n[0], n[1], n[2], n[3]])
    let shift = random.normals(shape: [n[0], n[4]])
    let residual = random.normals(shape: layer(x).shape)
    try sameBitsEverywhere("convolution \(n) by \(kernel), stride \(stride)") {
      layer(x, adding: residual, addingPerSample: shift)
    }
    let last = (n[0] - 1)..<n[0]
    let alone = layer(
      x.rows(last), adding: residual.rows(last), addingPerSample: shift.rows(last))
    #expect(alone == layer(x, adding: residual, addingPerSample: shift).rows(last))
  }

  /// Wide layers choose their algorithm by the map that they are meant for: F(4×4), F(2×2), none.
  @Test(arguments: [1024, 0, 64]) func wideConvolution(_ positions: Int) throws {
    var random = Philox(seed: UInt64(positions), stream: "wide")
    let some = random.normals(shape: [21, 1300, 3, 3])
    let layer = Convolution2D(
      weight: Tensor.concatenated(Array(repeating: some, count: 48), axis: 0), bias: nil,
      positions: positions)
    let x = random.normals(shape: [2, 3, 2, 1300])
    try sameBitsEverywhere("wide convolution for \(positions)") { layer(x) }
    #expect(layer(x.rows(1..<2)) == layer(x).rows(1..<2))
  }

  /// Processors without products of bfloat16 make them of other instructions.
  @Test(arguments: 0..<8) func bfloat16(_ seed: Int) throws {
    var random = Philox(seed: UInt64(seed), stream: "bfloat16")
    let execution = Execution(precision: .bfloat16)
    var n = sizes(&random, 1...3, 3...12, 3...12, 16...50, 1...60)
    if seed == 7 { n = [1, 3, 4, 1300, 10] }  // several blocks of K
    n[3] *= 2
    let x = random.normals(shape: [n[0], n[1], n[2], n[3]])
    let rows = x.reshaped([n[0], n[1], seed == 7 ? 2 : n[2], seed == 7 ? 2 * n[3] : n[3]])
    let linear = Linear(
      weight: random.normals(shape: [n[4], rows.shape[3]]), bias: random.normals(shape: [n[4]]),
      execution: execution)
    try sameBitsEverywhere("linear \(n)") { linear(rows, activation: .silu) }
    for stride in [1, 2] {
      let layer = Convolution2D(
        weight: random.normals(shape: [n[4], n[3], 3, 3]), bias: nil, stride: stride,
        execution: execution)
      try sameBitsEverywhere("convolution \(n), stride \(stride)") { layer(x) }
      #expect(layer(x.rows(0..<1)) == layer(x).rows(0..<1))
    }
    let q = random.normals(shape: [n[0], n[1] * n[2], 4 * n[4]])
    let k = random.normals(shape: [n[0], n[3] + 1, 4 * n[4]])
    try sameBitsEverywhere("attention \(n)") {
      attention(queries: q, keys: k, values: k, heads: 2, precision: .bfloat16)
    }
  }

  @Test(arguments: 0..<8) func attentionOfAnyShape(_ seed: Int) throws {
    var random = Philox(seed: UInt64(seed), stream: "attention")
    var n = sizes(&random, 1...3, 1...4, 1...40, 1...150, 1...90)
    if seed == 7 { n = [1, 1, 24, 300, 1100] }  // several blocks of keys, cut by queries
    let causal = seed % 2 == 0
    if causal { n[4] = n[3] }
    let q = random.normals(shape: [n[0], n[3], n[1] * n[2]])
    let k = random.normals(shape: [n[0], n[4], n[1] * n[2]])
    let v = random.normals(shape: [n[0], n[4], n[1] * n[2]])
    try sameBitsEverywhere("attention \(n)") {
      attention(queries: q, keys: k, values: v, heads: n[1], causal: causal)
    }
    let last = (n[0] - 1)..<n[0]
    let alone = attention(
      queries: q.rows(last), keys: k.rows(last), values: v.rows(last), heads: n[1], causal: causal)
    #expect(
      alone == attention(queries: q, keys: k, values: v, heads: n[1], causal: causal).rows(last))
  }

  @Test(arguments: 0..<6) func normsAndElementwise(_ seed: Int) throws {
    var random = Philox(seed: UInt64(seed), stream: "norms")
    let n = sizes(&random, 1...4, 1...6, 1...9, 1...9)
    let channels = n[1] * n[2]
    let positions = seed == 5 ? 2100 : n[3]
    let x = random.normals(shape: [n[0], positions, channels])
    let (w, b) = (random.normals(shape: [channels]), random.normals(shape: [channels]))
    let group = GroupNorm(groups: n[1], weight: w, bias: b, epsilon: 1e-5)
    let layer = LayerNorm(weight: w, bias: b, epsilon: 1e-5)
    try sameBitsEverywhere("group norm") { group(x, activation: .silu) }
    try sameBitsEverywhere("layer norm") { layer(x) }
    try sameBitsEverywhere("softmax") { x.softmaxed() }
    try sameBitsEverywhere("gated GELU") { Tensor.concatenated([x, x], axis: 2).gatedGELU() }
    for activation in [Activation.silu, .gelu, .geluTanh, .quickGELU] {
      try sameBitsEverywhere("\(activation)") { x.scaled(by: 4).activated(activation) }
    }
    try sameBitsEverywhere("arithmetic") {
      x.times(x).plus(x.abs().sqrt()).minus(x.scaled(by: 0.3)).scaled(by: 2, plus: x, scaledBy: -1)
    }
    try sameBitsEverywhere("functions") {
      Tensor.stacked([x.exp(), x.abs().log(), x.sin(), x.cos(), x.tanh(), x.erf()])
    }
    #expect(group(x).rows(0..<1) == group(x.rows(0..<1)))
  }

  /// Gradients, too, are the same everywhere and do not see the rest of the batch.
  @Test(arguments: 0..<6) func gradients(_ seed: Int) throws {
    var random = Philox(seed: UInt64(seed), stream: "gradients")
    let n = sizes(&random, 2...4, 1...3, 1...20, 2...80, 1...70)
    let c = n[1] * n[2]
    let x = random.normals(shape: [n[0], n[3], c])
    let text = random.normals(shape: [n[0], n[4], c])
    let dy = random.normals(shape: x.shape)
    let (w, b) = (random.normals(shape: [c]), random.normals(shape: [c]))
    let linear = Linear(weight: random.normals(shape: [n[4], c]), bias: nil)
    let norm = GroupNorm(groups: n[1], weight: w, bias: b, epsilon: 1e-5)
    let rows = LayerNorm(weight: w, bias: b, epsilon: 1e-5)
    let outputs = [3, 16, 40][seed % 3]
    let convolution = Convolution2D(
      weight: random.normals(shape: [outputs, c, 3, 3]), bias: nil, stride: 1 + seed % 2)
    let image = [n[0], 7, 6, c]
    let dOutput = random.normals(
      shape: convolution(random.normals(shape: image)).shape)
    func all(_ part: Range<Int>) -> [Tensor] {
      let (x, dy, text) = (x.rows(part), dy.rows(part), text.rows(part))
      let attended = attentionGradient(
        dy, queries: x, keys: text, values: text.scaled(by: 0.5), heads: n[1])
      return [
        attended.queries, attended.keys, attended.values,
        norm.gradient(dy, at: x, activation: .silu, adding: x), rows.gradient(dy, at: x, adding: x),
        linear.gradient(linear(x)), x.activationGradient(dy, .gelu),
        Tensor.concatenated([x, dy], axis: 2).gatedGELUGradient(dy),
        convolution.gradient(
          dOutput.rows(part), of: [part.count] + image.dropFirst()),
      ]
    }
    for i in all(0..<1).indices { try sameBitsEverywhere("gradient \(i)") { all(0..<n[0])[i] } }
    let last = (n[0] - 1)..<n[0]
    #expect(all(last) == all(0..<n[0]).map { $0.rows(last) })
  }

  @Test func reductions() throws {
    var random = Philox(seed: 3, stream: "reductions")
    let x = random.normals(shape: [3, 1237])
    try sameBitsEverywhere("sum") { (try? x.sum(axes: [1])) ?? x }
    try sameBitsEverywhere("std") { (try? x.std(axes: [0])) ?? x }
  }

  @Test func specialValuesOfActivations() throws {
    let x = Tensor(
      shape: [12],
      values: [
        0, -0.0, .infinity, -.infinity, .nan, 1e30, -1e30, .leastNonzeroMagnitude,
        -.leastNonzeroMagnitude, 88.8, -104.5, -87.4,
      ])
    for activation in [Activation.silu, .gelu, .geluTanh, .quickGELU, .relu] {
      try sameBitsEverywhere("\(activation)") { x.activated(activation) }
      let y = x.activated(activation).values
      #expect(y[0] == 0 && y[2] == .infinity && y[4].isNaN && y[5] == 1e30)
      #expect(y[10].magnitude < 1e-30)
    }
    try sameBitsEverywhere("exp") { x.exp() }
  }

  @Test func unsupportedSetsAreRefused() {
    for set in InstructionSet.allCases where !Compute.supported.contains(set) {
      #expect(throws: EvokeError.self) { try Compute.setInstructionSet(set) }
    }
    #expect(Compute.supported.contains(.scalar))
    #expect(Compute.supported.contains(Compute.instructionSet))
  }
}
