import Testing

@testable import Tensors

/// Layers against torch, computed there in float64 (scripts/conformance/tensors.py).
@Suite struct LayerGoldenTests {
  static let activations: [String: Activation] = [
    "none": .none, "silu": .silu, "gelu": .gelu, "geluTanh": .geluTanh, "quickGELU": .quickGELU,
    "relu": .relu,
  ]

  @Test(arguments: try Goldens.cases("layers.json"))
  func agreesWithTorch(_ golden: GoldenCase) throws {
    let (actual, expected) = try output(of: golden)
    #expect(relativeError(actual, expected) < 2e-6)
  }

  @Test(arguments: try Goldens.cases("attention.json"))
  func attentionAgreesWithTorch(_ golden: GoldenCase) throws {
    let y = attention(
      queries: golden["q"], keys: golden["k"], values: golden["v"], heads: golden.integer("heads"),
      causal: golden.integer("causal") == 1)
    #expect(relativeError(y, golden["y"]) < 5e-6)
  }

  private func output(of golden: GoldenCase) throws -> (Tensor, Tensor) {
    let x = golden["x"]
    let words = golden.name.split(separator: " ").map(String.init)
    switch words[0] {
    case "linear":
      let layer = Linear(weight: golden["weight"], bias: golden["bias"])
      let activation = try #require(Self.activations[words[1]])
      return (layer(x, activation: activation, adding: golden["residual"]), golden["y"])
    case "convolution":
      let padding = golden.integer("padding")
      let layer = Convolution2D(
        weight: golden["weight"], bias: golden["bias"], stride: golden.integer("stride"),
        padding: .explicit(top: padding, left: padding, bottom: padding, right: padding))
      let y = layer(
        x.channelsLast(), adding: golden["residual"].channelsLast(),
        addingPerSample: golden["perSample"])
      return (y.channelsFirst(), golden["y"])
    case "groupNorm":
      let layer = GroupNorm(
        groups: golden.integer("groups"), weight: golden["weight"], bias: golden["bias"],
        epsilon: Float(golden.number("epsilon")))
      return (layer(x.channelsLast(), activation: .silu).channelsFirst(), golden["y"])
    case "layerNorm":
      let layer = LayerNorm(
        weight: golden["weight"], bias: golden["bias"], epsilon: Float(golden.number("epsilon")))
      return (layer(x), golden["y"])
    case "softmax": return (x.softmaxed(), golden["y"])
    case "gatedGELU": return (x.gatedGELU(), golden["y"])
    case "upsample": return (x.channelsLast().upsampledNearest2x().channelsFirst(), golden["y"])
    default: throw EvokeError(.name, "no such layer: \(golden.name)")
    }
  }

  @Test func samePaddingIsTorchs() {
    var random = Philox(seed: 1)
    let weight = random.normals(shape: [5, 20, 3, 3])
    let x = random.normals(shape: [1, 6, 7, 20])
    let same = Convolution2D(weight: weight, bias: nil)
    let explicit = Convolution2D(
      weight: weight, bias: nil, padding: .explicit(top: 1, left: 1, bottom: 1, right: 1))
    #expect(same(x) == explicit(x))
  }

  /// The autoencoder's downsampling pads below and to the right only.
  @Test func paddingMayBeLopsided() {
    var random = Philox(seed: 2)
    let weight = random.normals(shape: [3, 4, 3, 3])
    let x = random.normals(shape: [1, 6, 6, 4])
    let lopsided = Convolution2D(
      weight: weight, bias: nil, stride: 2, padding: .explicit(top: 0, left: 0, bottom: 1, right: 1)
    )
    let rows = Tensor.concatenated([x, Tensor(zeros: [1, 1, 6, 4])], axis: 1)
    let padded = Tensor.concatenated([rows, Tensor(zeros: [1, 7, 1, 4])], axis: 2)
    let none = Convolution2D(
      weight: weight, bias: nil, stride: 2, padding: .explicit(top: 0, left: 0, bottom: 0, right: 0)
    )
    #expect(lopsided(x) == none(padded))
    #expect(lopsided(x).shape == [1, 3, 3, 3])
  }
}
