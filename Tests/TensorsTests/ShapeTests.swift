import Testing

@testable import Tensors

@Suite struct ShapeTests {
  @Test func reshapesAndSlicesShareStorage() {
    let t = Tensor(shape: [3, 4], values: (0..<12).map(Float.init))
    #expect(t.rows(1..<3).storage === t.storage)
    #expect(t.row(2).values == [8, 9, 10, 11])
    #expect(t.reshaped([2, -1]).shape == [2, 6])
    #expect(t[1, 2] == 6)
  }

  @Test func transposesAndConcatenates() {
    let t = Tensor(shape: [2, 3], values: [0, 1, 2, 3, 4, 5])
    #expect(t.transposed([1, 0]).values == [0, 3, 1, 4, 2, 5])
    #expect(Tensor.concatenated([t, t], axis: 1).values == [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5])
    #expect(Tensor.stacked([t, t]).shape == [2, 2, 3])
    let images = Tensor(shape: [2, 3, 4, 5], values: (0..<120).map(Float.init))
    #expect(images.channelsLast() == images.transposed([0, 2, 3, 1]))
    #expect(images.channelsLast().channelsFirst() == images)
  }

  @Test func convolvesAndAttends() throws {
    let x = Tensor(shape: [1, 3, 3, 1], values: (1...9).map(Float.init))
    let sum = Convolution2D(weight: Tensor(repeating: 1, shape: [1, 1, 3, 3]), bias: nil)
    #expect(sum(x).values == [12, 21, 16, 27, 45, 33, 24, 39, 28])
    let q = Tensor(zeros: [1, 2, 4])
    let v = Tensor(shape: [1, 3, 4], values: (0..<12).map(Float.init))
    let mean = attention(queries: q, keys: v, values: v, heads: 2)
    #expect(mean.values == [4, 5, 6, 7, 4, 5, 6, 7])
  }
}
