import Tensors

/// What evolutions and descents have in common: they advance step by step, may be interrupted between
/// steps, and end early when the held-out set says so.
protocol SteppedRun {
  associatedtype Report
  /// One report a step.
  var history: [Report] { get }
  /// The losses measured on the held-out set so far, the oldest first.
  var heldOutLosses: [Double] { get }
  /// Whether no further step makes sense.
  var isExhausted: Bool { get }
  var conclusion: String? { get set }
  var isInterrupted: Bool { get set }
}

extension SteppedRun {
  /// The run after `start`, so many `step`s and `conclude`.
  ///
  /// `keep` gets the run behind every step, `progress` the step's report. An `EvokeError` of kind
  /// `.interrupted` drops what was under way and concludes with what was done before.
  func advanced(
    by steps: Int, stop: FixedSetStopping?, start: (inout Self) throws -> Void,
    step: (inout Self) throws -> Void, conclude: (inout Self) throws -> Void,
    progress: (Report) throws -> Void, keep: (Self) -> Void
  ) throws -> Self {
    var run = self
    run.isInterrupted = false
    do {
      try start(&run)
      for _ in 0..<max(0, steps) {
        if run.isExhausted { break }
        run.conclusion = stop?.reason(run.heldOutLosses)
        if run.conclusion != nil { break }
        var next = run
        try step(&next)
        run = next
        keep(run)
        if let report = run.history.last { try progress(report) }
      }
    } catch let error as EvokeError where error.kind == .interrupted {
      run.isInterrupted = true
    }
    try conclude(&run)
    return run
  }
}
