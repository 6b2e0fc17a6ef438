import Testing

@testable import Tensors

/// Vector–Jacobian products against torch's in float64, which scripts/conformance/tensors.py holds
/// against finite differences, and against differences of our own forward passes.
@Suite struct GradientTests {
  @Test(arguments: try Goldens.cases("gradients.json"))
  func agreesWithTorch(_ golden: GoldenCase) throws {
    // Winograd's transforms cost a digit.
    let bound: Float = golden.name == "convolution" ? 5e-5 : 5e-6
    for (actual, name) in try gradients(of: golden) {
      #expect(relativeError(actual, golden[name]) < bound, "\(name)")
    }
  }

  private func gradients(of golden: GoldenCase) throws -> [(Tensor, String)] {
    let dy = golden["dy"]
    let words = golden.name.split(separator: " ").map(String.init)
    let activation = words.count > 1 ? LayerGoldenTests.activations[words[1]] : nil
    if words[0] == "attention" {
      let found = attentionGradient(
        dy, queries: golden["q"], keys: golden["k"], values: golden["v"],
        heads: golden.integer("heads"), causal: golden.integer("causal") == 1)
      return [(found.queries, "dq"), (found.keys, "dk"), (found.values, "dv")]
    }
    let x = golden["x"]
    let dx: Tensor
    switch words[0] {
    case "activation": dx = x.activationGradient(dy, try #require(activation))
    case "linear": dx = Linear(weight: golden["weight"], bias: nil).gradient(dy)
    case "convolution":
      let padding = golden.integer("padding")
      let layer = Convolution2D(
        weight: golden["weight"], bias: nil, stride: golden.integer("stride"),
        padding: .explicit(top: padding, left: padding, bottom: padding, right: padding))
      dx = layer.gradient(dy.channelsLast(), of: x.channelsLast().shape).channelsFirst()
    case "groupNorm":
      let layer = GroupNorm(
        groups: golden.integer("groups"), weight: golden["weight"], bias: golden["bias"],
        epsilon: Float(golden.number("epsilon")))
      dx = layer.gradient(
        dy.channelsLast(), at: x.channelsLast(), activation: try #require(activation)
      ).channelsFirst()
    case "layerNorm":
      dx = LayerNorm(
        weight: golden["weight"], bias: golden["bias"], epsilon: Float(golden.number("epsilon"))
      ).gradient(dy, at: x)
    case "gatedGELU": dx = x.gatedGELUGradient(dy)
    case "enlargement":
      let sources = { (count: Int, size: Int) in (0..<count).map { $0 * size / count } }
      dx = dy.channelsLast().enlargementGradient(
        of: x.channelsLast().shape, rows: sources(dy.shape[2], x.shape[2]),
        columns: sources(dy.shape[3], x.shape[3])
      ).channelsFirst()
    default: throw EvokeError(.name, "no such layer: \(golden.name)")
    }
    return [(dx, "dx")]
  }

  /// What is added to a gradient is added.
  @Test func residualsAreAdded() {
    var random = Philox(seed: 5, stream: "residuals")
    let (x, dy) = (random.normals(shape: [2, 5, 12]), random.normals(shape: [2, 5, 12]))
    let ones = Tensor(repeating: 1, shape: [12])
    let group = GroupNorm(groups: 3, weight: ones, bias: ones, epsilon: 1e-5)
    let rows = LayerNorm(weight: ones, bias: ones, epsilon: 1e-5)
    let linear = Linear(weight: random.normals(shape: [12, 12]), bias: ones)
    #expect(group.gradient(dy, at: x, adding: x) == group.gradient(dy, at: x).plus(x))
    #expect(rows.gradient(dy, at: x, adding: x) == rows.gradient(dy, at: x).plus(x))
    #expect(linear.gradient(dy, adding: x) == linear.gradient(dy).plus(x))
  }
}
