import Diffusion
import Pictures
import Tensors

/// How alike two sets of pictures are: the mean cosine of their CLIP features over all pairs
/// (Gal et al., arXiv 2208.01618, section 5: image similarity).
///
/// - Throws: `EvokeError` for an empty set or a model without CLIP.
public func align(
  _ model: DiffusionModel, _ drawn: [Picture], with given: [Picture]
) throws -> Double {
  guard !drawn.isEmpty, !given.isEmpty else {
    throw EvokeError(.value, "alignment needs pictures on both sides")
  }
  return meanCosine(try model.imageFeatures(drawn), try model.imageFeatures(given))
}

/// How well pictures follow a text: the mean cosine of CLIP features (the same, text similarity).
/// The text is given without the learned word, as "a star on a blue background".
public func align(
  _ model: DiffusionModel, _ drawn: [Picture], withText text: String
) throws -> Double {
  guard !drawn.isEmpty else {
    throw EvokeError(.value, "alignment needs pictures on both sides")
  }
  return meanCosine(try model.imageFeatures(drawn), try model.textFeatures([text]))
}

/// Mean over all pairs of rows.
private func meanCosine(_ a: Tensor, _ b: Tensor) -> Double {
  var sum = 0.0
  for i in 0..<a.shape[0] { for j in 0..<b.shape[0] { sum += dot(a.row(i), b.row(j)) } }
  return sum / Double(a.shape[0] * b.shape[0])
}
