import Tensors
import Testing

@testable import Language

@Suite struct HelpTests {
  @Test func pointsHelpSaysEverything() throws {
    let help = try #require(testRegistry["point"]).help()
    #expect(
      help == """
        point(x, y = 0, unit: .metre, scale: 1) → Point

          A point

          x       number (required) — to the right
          y       number (default 0) — upwards
          unit:   .metre .foot .yard (default .metre) — the unit
          scale:  number in metres (default 1) — a factor

          example   point(1, 2)
          source    Euclid, Elements I.1
          topic     Test
        """)
  }

  @Test func optionalAndRestParametersShow() throws {
    #expect(try #require(testRegistry["print"]).signature == "print(values …)")
    #expect(try #require(testRegistry["normal"]).signature == "normal(shape, [seed:])")
    #expect(try #require(testRegistry["distance"]).signature == "distance(a, to: …)")
    let help = try #require(testRegistry["normal"]).help()
    #expect(help.contains("seed:  int (optional) — draws"))
    #expect(try #require(testRegistry["print"]).help().contains("any number of values"))
  }

  @Test func theReferencePageHoldsEveryBuiltin() {
    let page = testRegistry.referencePage()
    for builtin in testRegistry.builtins {
      #expect(page.contains("### `\(builtin.name)`"))
      #expect(page.contains(builtin.example))
    }
    #expect(page.contains("* **Point**: `.x` `.y` `.shifted`"))
    #expect(page.contains("* **Pack**: no members"))
    #expect(testRegistry.topics.contains("Tensors"))
    #expect(testRegistry.topicPage("Session").contains("  seed    Sets the seed"))
  }

  @Test func everyExampleOfTheCoreRuns() throws {
    for builtin in Registry.core.builtins where builtin.name != "check" {
      let interpreter = Interpreter()
      let program = try interpreter.prepare(builtin.example, name: builtin.name)
      try interpreter.run(program) { _ in }
    }
  }

  @Test func laterBuiltinsReplaceEarlierOnes() throws {
    let mine = Builtin(
      "count", topic: "Mine", summary: "Mine", parameters: [], returns: .int, example: "count()"
    ) { _, _ in 7 }
    let registry = Registry(Registry.core.builtins + [mine])
    #expect(registry.builtins.count == Registry.core.builtins.count)
    #expect(registry["count"]?.topic == "Mine")
    #expect(registry.names == Registry.core.names)
  }

  @Test func namesOfTypesReadWell() {
    #expect(ValueType.list(.string).article == "a list of strings")
    #expect((ValueType.int | .range).article == "an int or a range")
    #expect((ValueType.int | .range | .object("Image")).description == "int, range or Image")
    #expect(ValueType.object("Image").article == "an Image")
    #expect(ValueType.list(.int | .string).description == "list of (int or string)")
    #expect(ValueType.list(.list).description == "list of lists")
    #expect(ValueType.any.article == "any value")
  }
}

@Suite struct ValueTests {
  @Test func literalsMakeValues() {
    let values: [Value] = [1, 0.5, true, "a", [1, 2], nil]
    #expect(values.map(\.typeName) == ["int", "double", "bool", "string", "list", "none"])
    #expect(Value.strings(["a"]).description == "[\"a\"]")
    #expect(Value.ints([1, 2]).description == "[1, 2]")
    #expect(Value.doubles([1, 0.5]).description == "[1.0, 0.5]")
    #expect(List([1, 2]).count == 2)
    #expect(([1, 2] as List)[1].description == "2")
    #expect((["a": 1] as Record)["a"]?.description == "1")
  }

  @Test func recordsKeepTheirOrder() {
    let record = Record([("b", 1), ("a", 2), ("b", 3)])
    #expect(record.keys == ["b", "a"])
    #expect(record["b"]?.description == "3")
    #expect(record.without("b").keys == ["a"])
    #expect(record.with("c", 4).keys == ["b", "a", "c"])
    #expect(record["zz"] == nil)
  }

  @Test func rangesDoNotOverflow() {
    #expect(IntRange(.min, .max).count == .max)
    #expect(IntRange(3, 1).count == 0)
    #expect(IntRange(1, 4).range == 1..<4)
  }

  @Test func valuesStaySmall() { #expect(MemoryLayout<Value>.size <= 17) }

  // Digests computed by Python: hashlib.sha256(b"i" + struct.pack("<q", 1)) and so on.
  @Test(arguments: [
    (Value.none, "1b16b1df538ba12dc3f97edbb85caa7050d46c148134290feba80f8236c83db9"),
    (.bool(true), "e3b98a4da31a127d4bde6e43033f66ba274cab0eb7eb1c70ec41402bf6273dd8"),
    (.int(1), "d219cc776a7dc926c6d6f5e5c12c3df8b3c85a66164cc6e9e5f5244faf42d2b9"),
  ])
  func digestsAreThoseOfTheBytes(_ value: Value, _ digest: String) {
    #expect(value.digest == digest)
  }

  @Test func nanIsOneAndZeroHasASign() {
    #expect(
      Value.double(.nan).digest == Value.double(Double(bitPattern: 0xfff8_0000_0000_0001)).digest)
    #expect(Value.double(0.0).digest != Value.double(-0.0).digest)
    let quiet = Tensor(shape: [1], values: [.nan])
    let other = Tensor(shape: [1], values: [Float(bitPattern: 0xffc0_0001)])
    #expect(Value.tensor(quiet).digest == Value.tensor(other).digest)
    #expect(
      Value.tensor(Tensor(shape: [1], values: [0])).digest
        != Value.tensor(Tensor(shape: [1], values: [-0.0])).digest)
  }

  @Test func digestsTellKindsAndShapesApart() {
    let values: [Value] = [
      1, 1.0, "1", .member("1"), [1], .range(IntRange(1, 2)), .record(["a": 1]), nil, false,
      .tensor(Tensor(zeros: [4])), .tensor(Tensor(zeros: [2, 2])), .tensor(Tensor(zeros: [])),
      [[1], 2], [[1, 2]], [], .record([:]), .object(Point(x: 1, y: 2)), .object(Pack(items: [1])),
      .function(Function(CoreBuiltins.all[0])), "", .tensor(Tensor(zeros: [5000])),
    ]
    #expect(Set(values.map(\.digest)).count == values.count)
  }

  @Test(arguments: [
    (0.1, 4, "0.1"), (123456, 4, "123500"), (0.00012345, 3, "0.000123"), (1e-7, 4, "1e-07"),
    (1e22, 4, "1e+22"), (-2.71828, 3, "-2.72"), (0, 4, "0"), (.infinity, 4, "inf"),
    (-.infinity, 4, "-inf"), (.nan, 4, "nan"), (9.9996, 4, "10"), (1e15, 2, "1000000000000000"),
    (.leastNonzeroMagnitude, 4, "5e-324"), (0.5, 0, "0.5"), (1.25, 2, "1.3"), (1e100, 17, "1e+100"),
    (100, 1, "100"), (0.00001, 4, "0.00001"),
  ])
  func numbersAreRoundedToDigits(_ number: Double, _ digits: Int, _ text: String) {
    #expect(formatted(number, significant: digits) == text)
  }

  @Test(arguments: [
    (1.0, 2, "1.00"), (0.005, 2, "0.01"), (0.004, 2, "0.00"), (99.995, 2, "100.00"),
    (123.456, 0, "123"), (-1.5, 0, "-2"), (1e20, 1, "100000000000000000000.0"), (0.5, 0, "1"),
    (0.05, 0, "0"), (.nan, 2, "nan"), (1234.5678, 3, "1234.568"),
  ])
  func numbersAreRoundedToDecimals(_ number: Double, _ decimals: Int, _ text: String) {
    #expect(formatted(number, decimals: decimals) == text)
  }

  @Test func longTextsAreCut() {
    let long = Value.list((0..<100).map { Value.int($0) })
    #expect(long.echo == "list of 100: [0, 1, 2, 3, 4, 5, 6, 7, …]")
    #expect(Value.string(String(repeating: "a", count: 500)).echo.count <= 102)
    #expect(Value.list([[[[1]]]]).echo == "list of 1: [[[…]]]")
  }
}
