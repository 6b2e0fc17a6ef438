import Tensors

// Reverse mode. A module's `recorded` form gives its output, bit for bit the plain form's, with a
// pullback: a function from the output's gradient to the input's (a vector–Jacobian product).
// Weights are frozen, so that norms and activations keep their inputs and linear layers nothing.

/// Maps the gradient of an output to that of the input.
typealias Pullback = (Tensor) -> Tensor

/// What gradients flow into besides the main path of a UNet.
struct SideGradients {
  /// Of every sample's text, [N, L, d], as far as it has come.
  var text: Tensor?
  /// Of the skip connections that were taken, the first one's first.
  var skips: [Tensor] = []
}

/// Maps the gradient of an output to that of the input, nil where the input does not depend on the
/// text; adds to the side gradients.
typealias TextPullback = (Tensor, inout SideGradients) -> Tensor?

/// How a network is recorded.
struct Recorder {
  /// Whether blocks keep only their input and are run again for the gradient: less memory for
  /// about one more forward pass, the same bits.
  let recomputing: Bool
  /// Whether the running features depend on the text already; before, nothing is recorded.
  var isLive = false

  /// Runs a block that has no text of its own.
  func record(
    _ x: Tensor, plain: (Tensor) -> Tensor, recorded: @escaping (Tensor) -> (Tensor, Pullback)
  ) -> (Tensor, Pullback?) {
    guard isLive else { return (plain(x), nil) }
    guard recomputing else { return recorded(x) }
    return (plain(x), { recorded(x).1($0) })
  }

  /// Runs a block that attends to the text; from here on everything depends on it.
  mutating func record(
    _ x: Tensor, plain: (Tensor) -> Tensor,
    recorded: @escaping (_ x: Tensor, _ reachesInput: Bool) -> (Tensor, TextPullback)
  ) -> (Tensor, TextPullback) {
    let reachesInput = isLive
    isLive = true
    guard recomputing else { return recorded(x, reachesInput) }
    return (plain(x), { recorded(x, reachesInput).1($0, &$1) })
  }
}
