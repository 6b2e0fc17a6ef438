import Checkpoints
import Tensors

/// What a `scheduler_config.json` says beyond the schedule itself. `nil` where the file is silent:
/// then each sampler takes the default of its diffusers class.
struct SamplerOptions: Sendable {
  var spacing: TimestepSpacing?
  var stepsOffset: Int?
  var lastAlphaIsOne: Bool?
  var clipSample: Bool?
  var clipRange: Float
  var skipRungeKutta: Bool
  var endsAtSmallestSigma: Bool
  var lowerOrderFinal: Bool
  var eulerAtFinal: Bool
  var solverOrder: Int
  var heun: Bool
  var smallestLambda: Double
  let zeroSNR: Bool
  private var unsupported: [(SamplerKind, EvokeError)] = []

  init(_ config: Config, zeroSNR: Bool) throws {
    self.zeroSNR = zeroSNR
    if config.has("timestep_spacing") {
      guard
        let spacing = TimestepSpacing(
          rawValue: try config.string("timestep_spacing", default: ""))
      else {
        throw config.unsupported(
          "timestep_spacing", supported: TimestepSpacing.allCases.map(\.rawValue))
      }
      self.spacing = spacing
    }
    func flag(_ key: String) throws -> Bool? {
      config.has(key) ? try config.bool(key, default: false) : nil
    }
    stepsOffset = config.has("steps_offset") ? try config.int("steps_offset", default: 0) : nil
    lastAlphaIsOne = try flag("set_alpha_to_one")
    clipSample = try flag("clip_sample")
    clipRange = Float(try config.double("clip_sample_range", default: 1))
    skipRungeKutta = try flag("skip_prk_steps") ?? false
    endsAtSmallestSigma = try config.string("final_sigmas_type", default: "zero") == "sigma_min"
    lowerOrderFinal = try flag("lower_order_final") ?? true
    eulerAtFinal = try flag("euler_at_final") ?? false
    solverOrder = try config.int("solver_order", default: 2)
    heun = try config.string("solver_type", default: "midpoint") == "heun"
    smallestLambda = try config.double("lambda_min_clipped", default: -.infinity)
    try collectUnsupported(config)
  }

  private mutating func collectUnsupported(_ config: Config) throws {
    for key in ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"]
    where try config.bool(key, default: false) {
      unsupported += [.euler, .dpm].map { ($0, config.unsupported(key)) }
    }
    for key in ["use_lu_lambdas", "use_flow_sigmas", "use_dynamic_shifting"]
    where try config.bool(key, default: false) {
      unsupported.append((.dpm, config.unsupported(key)))
    }
    if try config.bool("thresholding", default: false) {
      unsupported += [.ddim, .dpm].map { ($0, config.unsupported("thresholding")) }
    }
    for (key, supported, kind) in [
      ("interpolation_type", "linear", SamplerKind.euler),
      ("timestep_type", "discrete", .euler), ("algorithm_type", "dpmsolver++", .dpm),
    ] where try config.string(key, default: supported) != supported {
      unsupported.append((kind, config.unsupported(key, supported: [supported])))
    }
    if !(1...2).contains(solverOrder) {
      unsupported.append((.dpm, config.unsupported("solver_order", supported: ["1", "2"])))
    }
    if zeroSNR {
      unsupported.append((.pndm, config.unsupported("rescale_betas_zero_snr")))
    }
    if config.has("variance_type") {
      unsupported.append((.dpm, config.unsupported("variance_type")))
    }
  }

  /// Throws the error of an option that this sampler would have to follow and cannot.
  func refuseUnsupported(_ kind: SamplerKind) throws {
    if let (_, error) = unsupported.first(where: { $0.0 == kind }) { throw error }
  }

  /// The options that diffusers' Stable Diffusion pipelines put in force whatever the file says.
  func inPipeline() -> SamplerOptions {
    var options = self
    options.stepsOffset = 1
    options.clipSample = false
    return options
  }
}

extension NoiseSchedule {
  /// Timesteps in falling order with the arithmetic of the diffusers schedulers.
  func timesteps(_ steps: Int, spacing: TimestepSpacing) throws -> [Int] {
    let timesteps: [Int]
    switch spacing {
    case .linspace:
      timesteps = linspaceSteps(to: trainingSteps - 1, count: steps).map {
        Int($0.rounded(.toNearestOrEven))
      }
    case .leading:
      let ratio = trainingSteps / steps
      timesteps = (0..<steps).reversed().map { $0 * ratio + (options.stepsOffset ?? 0) }
    case .trailing:
      timesteps = trailingSteps(steps, from: trainingSteps)
    }
    return try checked(timesteps)
  }

  /// Values of numpy's linspace(0, last, count) in falling order.
  func linspaceSteps(to last: Int, count: Int) -> [Double] {
    guard count > 1 else { return [0] }
    let step = Double(last) / Double(count - 1)
    return (0..<count).reversed().map { $0 == count - 1 ? Double(last) : Double($0) * step }
  }

  /// round(last, last − ratio, …) − 1 as numpy's arange makes them.
  func trailingSteps(_ steps: Int, from last: Int) -> [Int] {
    let ratio = Double(trainingSteps) / Double(steps)
    let difference = (Double(last) - ratio) - Double(last)
    let count = min(steps, Int((Double(last) / ratio).rounded(.up)))
    return (0..<count).map {
      Int((Double(last) + Double($0) * difference).rounded(.toNearestOrEven)) - 1
    }
  }

  func checked(_ timesteps: [Int]) throws -> [Int] {
    for t in timesteps where !alphasCumulativeProduct.indices.contains(t) {
      throw EvokeError(
        .value, "\(timesteps.count) steps reach timestep \(t), outside 0..<\(trainingSteps)",
        hint: "use fewer steps")
    }
    return timesteps
  }

  /// √((1 − ᾱ)/ᾱ) in float32 at (fractional) timesteps, and the last one behind them.
  func sigmas(at timesteps: [Double]) -> [Float] {
    var alphas = alphasCumulativeProduct
    // Where ᾱ is brought to zero, diffusers keeps the first σ finite.
    if options.zeroSNR { alphas[alphas.count - 1] = 0x1p-24 }
    let all = alphas.map { ((1 - $0) / $0).squareRoot() }
    let last = options.endsAtSmallestSigma ? all[0] : 0
    return timesteps.map { t in
      let low = min(max(Int(t.rounded(.down)), 0), all.count - 1)
      if low == all.count - 1 || t == Double(low) { return all[low] }
      let (a, b) = (Double(all[low]), Double(all[low + 1]))
      return Float((b - a) * (t - Double(low)) + a)
    } + [last]
  }
}
