import Tensors

/// How the step size changes with the steps; names are those of diffusers' `get_scheduler`.
public enum RateSchedule: String, Sendable, Codable, CaseIterable {
  case constant, cosine
}

/// Settings of AdamW (Loshchilov & Hutter, arXiv 1711.05101), as torch.optim.AdamW defines them.
public struct AdamSettings: Sendable, Equatable, Codable {
  public var rate: Double
  public var betas = [0.9, 0.999]
  public var epsilon = 1e-8
  public var weightDecay = 1e-2
  /// The largest norm of a gradient, longer ones are shortened to it; nil: as they come.
  public var clip: Double?
  public var schedule = RateSchedule.constant
  /// Steps over which the rate rises from 0, linearly.
  public var warmup = 0
  /// Steps that the cosine takes from the warm-up's end down to 0.
  public var horizon = 500

  public init(rate: Double) { self.rate = rate }

  /// The rate of a step, counted from 0.
  public func rate(at step: Int) -> Double {
    if step < warmup { return rate * Double(step) / Double(max(1, warmup)) }
    guard schedule == .cosine else { return rate }
    let progress = min(1, Double(step - warmup) / Double(max(1, horizon - warmup)))
    return rate * max(0, 0.5 * (1 + Elementary.cos(.pi * progress)))
  }
}

/// AdamW over one vector, in double: an immutable value with its moments.
public struct AdamW: Sendable, Equatable, Codable {
  public let settings: AdamSettings
  /// What is moved.
  public private(set) var point: [Double]
  /// Steps made.
  public private(set) var step = 0
  private var first: [Double]
  private var second: [Double]

  public init(_ settings: AdamSettings, start: [Double]) {
    self.settings = settings
    point = start
    first = .init(repeating: 0, count: start.count)
    second = first
  }

  /// One step along a gradient; the gradient's norm before it was clipped.
  ///
  /// The order is torch's: decay, moments, bias corrections, ε outside the root.
  @discardableResult
  public mutating func descend(_ gradient: [Double]) -> Double {
    precondition(gradient.count == point.count)
    let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
    // torch's clip_grad_norm_ adds 1e-6 to the norm.
    let factor = settings.clip.map { min(1, $0 / (norm + 1e-6)) } ?? 1
    let (rate, beta1, beta2) = (settings.rate(at: step), settings.betas[0], settings.betas[1])
    step += 1
    let correction1 = 1 - Elementary.pow(beta1, Double(step))
    let root2 = (1 - Elementary.pow(beta2, Double(step))).squareRoot()
    for i in point.indices {
      let g = gradient[i] * factor
      point[i] -= rate * settings.weightDecay * point[i]
      first[i] = beta1 * first[i] + (1 - beta1) * g
      second[i] = beta2 * second[i] + (1 - beta2) * g * g
      point[i] -=
        rate / correction1 * first[i] / (second[i].squareRoot() / root2 + settings.epsilon)
    }
    return norm
  }
}
