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
    let matrix = run.search.parameters.covariance == .full ? run.search.dimension : 1
    let losses = run.history.reduce(0) { $0 + $1.losses.count + 6 }
    return 8 * (2 * matrix * run.search.dimension + losses) + SubspaceValue(run.subspace).byteCount
  }
}
