import Evolution
import Language
import Tensors

/// Where a search may go: an origin and directions in the token table's space.
public struct SubspaceValue: Object {
  public static let typeName = "Subspace"
  public static let memberNames = [
    "kind", "dimension", "ambient", "spectrum", "explained", "origin", "directions", "scales",
  ]

  public let subspace: Subspace

  public init(_ subspace: Subspace) { self.subspace = subspace }

  public var summary: String {
    let shape = "\(subspace.kind.rawValue), \(subspace.dimension) of \(subspace.ambient) dimensions"
    guard let explained = subspace.explainedVariance else { return shape }
    return "\(shape), \(Format.fixed(explained * 100, places: 0)) % of the variance"
  }

  public func hash(into digest: inout Digest) {
    digest.string(subspace.kind.rawValue)
    digest.int(subspace.origin.count)
    for value in subspace.origin { digest.double(Double(value)) }
    digest.int(subspace.directions.rows)
    digest.doubles(subspace.directions.values)
  }

  public func member(_ name: String) throws -> Value? {
    switch name {
    case "kind": return .string(subspace.kind.rawValue)
    case "dimension": return .int(subspace.dimension)
    case "ambient": return .int(subspace.ambient)
    case "spectrum": return .doubles(subspace.spectrum)
    case "explained": return subspace.explainedVariance.map(Value.double) ?? Value.none
    case "origin":
      return .tensor(Tensor(shape: [subspace.ambient], values: subspace.origin))
    case "directions":
      return .tensor(
        Tensor(
          shape: [subspace.dimension, subspace.ambient],
          values: subspace.directions.values.map { Float($0) }))
    case "scales": return .doubles(subspace.scales)
    default: return nil
    }
  }
}
