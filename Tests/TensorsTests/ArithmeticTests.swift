import Testing

@testable import Tensors

/// What users write, against numpy.
@Suite struct ArithmeticTests {
  @Test(arguments: try Goldens.cases("arithmetic.json"))
  func agreesWithNumpy(_ golden: GoldenCase) throws {
    let actual: Tensor
    var tolerance: Float = 0
    let axes = golden.integers("axes")
    switch golden.name {
    case "add": actual = try .add(golden["a"], golden["b"])
    case "subtract": actual = try .subtract(golden["a"], golden["b"])
    case "multiply": actual = try .multiply(golden["a"], golden["b"])
    case "divide": actual = try .divide(golden["a"], golden["b"])
    case "matmul": (actual, tolerance) = (try .matmul(golden["a"], golden["b"]), 1e-6)
    case "sum": (actual, tolerance) = (try golden["x"].sum(axes: axes, keepingAxes: true), 1e-7)
    case "mean": (actual, tolerance) = (try golden["x"].mean(axes: axes, keepingAxes: true), 1e-7)
    case "std": (actual, tolerance) = (try golden["x"].std(axes: axes, keepingAxes: true), 1e-7)
    case "min": actual = try golden["x"].min(axes: axes, keepingAxes: true)
    case "max": actual = try golden["x"].max(axes: axes, keepingAxes: true)
    default: throw EvokeError(.name, "no such operation: \(golden.name)")
    }
    #expect(actual.shape == golden["y"].shape)
    #expect(relativeError(actual, golden["y"]) <= tolerance)
  }

  @Test func axesAreDroppedUnlessKept() throws {
    let x = Tensor(shape: [2, 3], values: [1, 2, 3, 4, 5, 6])
    #expect(try x.sum(axes: [0]).shape == [3])
    #expect(try x.sum().shape == [])
    #expect(try x.mean(axes: [1]).values == [2, 5])
    #expect(try x.std(axes: [1], correction: 1).values == [1, 1])
  }

  @Test func nanIsTheExtreme() throws {
    let x = Tensor(shape: [2, 3], values: [1, .nan, 3, 4, 5, 6])
    #expect(try x.max(axes: [1]).values[0].isNaN)
    #expect(try x.min(axes: [1]).values[0].isNaN)
    #expect(try x.max(axes: [1]).values[1] == 6)
  }

  @Test func slices() throws {
    let x = Tensor(shape: [2, 3, 4], values: (0..<24).map(Float.init))
    #expect(try x.slice([.index(1), .range(0..<2)]).values == [12, 13, 14, 15, 16, 17, 18, 19])
    #expect(try x.slice([.all, .index(-1), .range(1..<3)]).values == [9, 10, 21, 22])
    #expect(try x.slice([.all, .range(1..<1)]).shape == [2, 0, 4])
    #expect(try x.slice([]) == x)
  }

  @Test func checkedShapes() throws {
    let x = Tensor(shape: [2, 3], values: [0, 1, 2, 3, 4, 5])
    #expect(try x.reshape([3, -1]).shape == [3, 2])
    #expect(try x.transpose().values == [0, 3, 1, 4, 2, 5])
    #expect(try Tensor.concatenate([x, x], axis: -1).shape == [2, 6])
    #expect(try Tensor(zeros: [0, 3]).reshape([0]).shape == [0])
    for shape in [[4], [-1, -1], [-2, 3], [-1, 4], [-1, 0], [1 << 40, 1 << 40]] {
      #expect(throws: EvokeError.self) { try x.reshape(shape) }
    }
    for axes in [[0], [0, 0], [0, 2], [-1, 0]] {
      #expect(throws: EvokeError.self) { try x.transpose(axes) }
    }
    #expect(throws: EvokeError.self) {
      try Tensor.concatenate([x, Tensor(zeros: [3, 3])], axis: 1)
    }
    #expect(throws: EvokeError.self) { try Tensor.concatenate([x, Tensor(zeros: [2])]) }
    #expect(throws: EvokeError.self) { try Tensor.concatenate([x], axis: 2) }
    #expect(throws: EvokeError.self) { try Tensor.concatenate([]) }
    #expect(throws: EvokeError.self) { try Tensor.checkSize([1 << 31, 1 << 31, 1 << 31]) }
    #expect(throws: EvokeError.self) { try Tensor.checkSize(Array(repeating: 1, count: 9)) }
    let tall = Tensor(zeros: [1 << 20, 1])
    #expect(throws: EvokeError.self) { try Tensor.add(tall, tall.transpose()) }
  }

  @Test func errorsNameTheShapes() {
    let a = Tensor(zeros: [2, 3])
    let b = Tensor(zeros: [4])
    func failure(_ body: () throws -> Tensor) -> EvokeError? {
      do {
        _ = try body()
        return nil
      } catch { return error as? EvokeError }
    }
    let sum = failure { try .add(a, b) }
    #expect(sum?.kind == .shape)
    #expect(sum?.message == "cannot add shapes [2, 3] and [4]")
    #expect(failure { try .matmul(a, b) }?.kind == .shape)
    #expect(failure { try .matmul(a, Tensor(zeros: [])) }?.kind == .shape)
    #expect(failure { try a.sum(axes: [2]) }?.message.contains("no axis 2") == true)
    #expect(failure { try a.sum(axes: [0, -2]) }?.kind == .shape)
    #expect(failure { try a.slice([.index(2)]) }?.kind == .value)
    #expect(failure { try a.slice([.index(-3)]) }?.kind == .value)
    #expect(failure { try a.slice([.range(1..<3)]) }?.kind == .value)
    #expect(failure { try a.slice([.all, .all, .all]) }?.kind == .shape)
    #expect(failure { try Tensor(zeros: [0, 2]).mean(axes: [0]) }?.kind == .shape)
  }
}
