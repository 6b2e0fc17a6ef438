/// A matrix of doubles in row-major order.
public struct Matrix: Sendable, Equatable, Codable {
  public let rows: Int
  public let columns: Int
  public var values: [Double]

  public init(rows: Int, columns: Int, values: [Double]) {
    precondition(values.count == rows * columns, "\(values.count) values in \(rows)×\(columns)")
    self.rows = rows
    self.columns = columns
    self.values = values
  }

  public init(zeros rows: Int, _ columns: Int) {
    self.init(rows: rows, columns: columns, values: Array(repeating: 0, count: rows * columns))
  }

  public init(identity n: Int) {
    self.init(zeros: n, n)
    for i in 0..<n { self[i, i] = 1 }
  }

  public init(diagonal: [Double]) {
    self.init(zeros: diagonal.count, diagonal.count)
    for (i, value) in diagonal.enumerated() { self[i, i] = value }
  }

  public subscript(_ row: Int, _ column: Int) -> Double {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }

  public func row(_ i: Int) -> [Double] { Array(values[(i * columns)..<((i + 1) * columns)]) }
  public func column(_ j: Int) -> [Double] { (0..<rows).map { self[$0, j] } }

  public var transposed: Matrix {
    var result = Matrix(zeros: columns, rows)
    for i in 0..<rows { for j in 0..<columns { result[j, i] = self[i, j] } }
    return result
  }
}
