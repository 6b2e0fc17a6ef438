import Language

extension ImagesValue: Measured {
  public var byteCount: Int { pictures.reduce(0) { $0 + $1.pixels.count } }
}

extension AnimationValue: Measured {
  public var byteCount: Int { animation.frames.reduce(0) { $0 + $1.pixels.count } }
}

extension PlotValue: Measured {
  public var byteCount: Int { svg.utf8.count }
}

extension SubspaceValue: Measured {
  public var byteCount: Int { 8 * subspace.directions.values.count + 4 * subspace.origin.count }
}

extension TokenValue: Measured {
  public var byteCount: Int { 4 * word.vectors.count }
}

extension SearchValue: Measured {
  public var byteCount: Int {
    let losses = run.history.reduce(0) { $0 + $1.losses.count + 6 }
    let matrices = 2 * run.search.dimension * run.search.dimension
    return 8 * (matrices + losses) + SubspaceValue(run.subspace).byteCount
  }
}

extension DescentValue: Measured {
  public var byteCount: Int { 8 * (3 * run.optimiser.point.count + 6 * run.history.count) }
}
