/// When to stop, decided on the held-out loss alone: one fixed set of pictures, noise and timesteps
/// (after DVAR: Voronov et al., arXiv 2302.04841). The training loss, whose draws change, says little.
///
/// Progress has ended when the variance of the last measurements is a small part of the variance
/// of all of them.
public struct FixedSetStopping: Sendable, Equatable, Codable {
  /// Measurements looked back on.
  public var window: Int
  /// The part of the overall variance below which the last ones count as level.
  public var threshold: Double

  public init(window: Int = 5, threshold: Double = 0.15) {
    self.window = window
    self.threshold = threshold
  }

  /// Why to stop after some measurements, the oldest first; nil to go on.
  public func reason(_ losses: [Double]) -> String? {
    guard losses.count >= 2 * window else { return nil }
    let (recent, overall) = (variance(losses.suffix(window)), variance(losses[...]))
    guard recent < threshold * overall else { return nil }
    return "the held-out loss has levelled off (the last \(window) measurements vary by less than "
      + "\(threshold) of all \(losses.count))"
  }

  private func variance(_ values: ArraySlice<Double>) -> Double {
    let mean = values.reduce(0, +) / Double(values.count)
    return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
  }
}
