import Foundation
import Tensors

@testable import Language

/// A domain value for tests: a point with members.
struct Point: Object {
  static let typeName = "Point"
  static let memberNames = ["x", "y", "shifted"]
  let x: Double
  let y: Double
  var summary: String { "(\(formatted(x)), \(formatted(y)))" }
  func hash(into digest: inout Digest) { digest.doubles([x, y]) }
  func member(_ name: String) throws -> Value? {
    switch name {
    case "x": .double(x)
    case "y": .double(y)
    case "shifted":
      .function(
        Function(
          Builtin(
            "shifted", topic: "Test", summary: "", parameters: [Parameter("by", .number, "")],
            returns: .object("Point"), example: ""
          ) { [x, y] arguments, _ in
            let by = try arguments.double("by")
            return .object(Point(x: x + by, y: y + by))
          }))
    default: nil
    }
  }
}

/// A domain value with elements that says what it is in its own words.
struct Pack: SequenceObject {
  static let typeName = "Pack"
  let items: [Int]
  var summary: String { "of \(items.count)" }
  var echo: String { "\(items.count) things" }
  var count: Int { items.count }
  func element(_ index: Int) throws -> Value { .int(items[index]) }
  func elements(_ range: Range<Int>) throws -> Value { .object(Pack(items: Array(items[range]))) }
  func hash(into digest: inout Digest) {
    digest.int(items.count)
    for item in items { digest.int(item) }
  }
}

/// A domain value that stands for a tensor.
struct Vector: Object {
  static let typeName = "Vector"
  let tensor: Tensor
  var summary: String { "\(tensor.count)-d" }
  var asTensor: Tensor? { tensor }
  func hash(into digest: inout Digest) { digest.tensor(tensor) }
}

/// The vocabulary that the cases use besides the core one.
let testRegistry = Registry(
  Registry.core.builtins + [
    Builtin(
      "point", topic: "Test", summary: "A point",
      parameters: [
        Parameter("x", .number, "to the right"),
        Parameter("y", .number, default: 0, "upwards"),
        Parameter(
          label: "unit", .member, default: .member("metre"), choices: ["metre", "foot", "yard"],
          "the unit"),
        Parameter(label: "scale", .number, default: 1, unit: "metres", "a factor"),
      ], returns: .object("Point"), example: "point(1, 2)", source: "Euclid, Elements I.1"
    ) { arguments, _ in
      let scale = try arguments.double("scale", in: 0...100)
      let x = try arguments.double("x")
      return .object(Point(x: x * scale, y: try arguments.double("y") * scale))
    },
    Builtin(
      "distance", topic: "Test", summary: "The distance of two points",
      parameters: [
        Parameter("a", .object("Point"), "one"),
        Parameter(label: "to", .object("Point"), "another"),
      ], returns: .number, example: "distance(a, to: b)"
    ) { arguments, _ in
      let (a, b): (Point, Point) = (try arguments.object("a"), try arguments.object("to"))
      return .double(((a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y)).squareRoot())
    },
    Builtin(
      "pack", topic: "Test", summary: "A pack of things",
      parameters: [Parameter("n", .int | .range, "how many")], returns: .object("Pack"),
      example: "pack(3)"
    ) { arguments, _ in
      if case .range = arguments["n"] {
        return .object(Pack(items: try arguments.ints("n")))
      }
      return .object(Pack(items: Array(0..<(try arguments.int("n", in: 0...1000)))))
    },
    Builtin(
      "vector", topic: "Test", summary: "A vector", parameters: [Parameter("n", .int, "")],
      returns: .object("Vector"), example: "vector(3)"
    ) { arguments, _ in
      let n = try arguments.int("n", in: 0...100)
      return .object(Vector(tensor: Tensor(shape: [n], values: (0..<n).map(Float.init))))
    },
    Builtin(
      "evolve", topic: "Test", summary: "Takes long, and stops when asked",
      parameters: [
        Parameter("search", .int, "where to begin"),
        Parameter(label: "generations", .int, default: 10, "how many"),
      ], returns: .int, example: "evolve(0, generations: 5)"
    ) { arguments, context in
      let start = try arguments.int("search")
      let generations = try arguments.int("generations")
      for generation in 0..<generations {
        if context.isCancelled {
          if generation == 0 { try context.checkCancellation() }
          context.recordInterrupted("generations", as: .int(generation))
          return .int(start + generation)
        }
        context.progress(
          ProgressUpdate("evolve", completed: generation + 1, total: generations))
      }
      return .int(start + generations)
    },
    Builtin(
      "load", topic: "Test", summary: "A model", parameters: [Parameter("name", .string, "")],
      returns: .record, example: "load(\"demo\")"
    ) { arguments, context in
      let name = try arguments.string("name")
      context.fingerprint("model", "\(name) sha256:0123")
      context.note("loaded \(name)")
      context.display(.string(name))
      return .record(
        Record([("name", .string(name)), ("url", .string(try context.readURL(name).path))]))
    },
    Builtin(
      "fail", topic: "Test", summary: "Fails in a way nobody foresaw", parameters: [],
      returns: .none, example: "fail()"
    ) { _, _ in throw CocoaError(.fileNoSuchFile) },
    Builtin(
      "echoed", topic: "Test", summary: "Every way to read an argument",
      parameters: [
        Parameter(label: "ints", .any, default: .none, ""),
        Parameter(label: "doubles", .any, default: .none, ""),
        Parameter(label: "strings", .any, default: .none, ""),
        Parameter(label: "range", .any, default: .none, ""),
        Parameter(label: "points", .any, default: .none, ""),
        Parameter(label: "record", .any, default: .none, ""),
        Parameter(label: "bool", .any, default: .none, ""),
        Parameter(label: "string", .any, default: .none, ""),
        Parameter(label: "member", .any, default: .none, ""),
        Parameter(label: "tensor", .any, default: .none, ""),
        Parameter(label: "function", .any, default: .none, ""),
        Parameter(label: "point", .any, default: .none, ""),
        Parameter(label: "int", .any, default: .none, ""),
        Parameter(label: "double", .any, default: .none, ""),
      ], returns: .record, example: "echoed(ints: 3)"
    ) { arguments, _ in
      var fields: [(String, Value)] = []
      if arguments.has("ints") { fields.append(("ints", .ints(try arguments.ints("ints")))) }
      if arguments.has("doubles") {
        fields.append(("doubles", .doubles(try arguments.doubles("doubles"))))
      }
      if arguments.has("strings") {
        fields.append(("strings", .strings(try arguments.strings("strings"))))
      }
      if arguments.has("range") {
        let range = try arguments.range("range")
        fields.append(("range", .range(IntRange(range.lowerBound, range.upperBound))))
      }
      if arguments.has("points") {
        let points = try arguments.objects("points", as: Point.self)
        fields.append(("points", .int(points.count)))
      }
      if arguments.has("record") {
        fields.append(("record", .int(try arguments.record("record").count)))
      }
      if arguments.has("bool") { fields.append(("bool", .bool(try arguments.bool("bool")))) }
      if let text = try arguments.string(ifGiven: "string") {
        fields.append(("string", .string(text)))
      }
      if let name = try arguments.member(ifGiven: "member") {
        fields.append(("member", .member(name)))
      }
      if let tensor = try arguments.tensor(ifGiven: "tensor") {
        fields.append(("tensor", .tensor(tensor)))
      }
      if arguments.has("function") {
        fields.append(("function", .string(try arguments.function("function").name)))
      }
      if let point = try arguments.object(ifGiven: "point", as: Point.self) {
        fields.append(("point", .double(point.x)))
      }
      if let int = try arguments.int(ifGiven: "int") { fields.append(("int", .int(int))) }
      if let double = try arguments.double(ifGiven: "double") {
        fields.append(("double", .double(double)))
      }
      return .record(Record(fields))
    },
  ], types: [Point.self, Pack.self, Vector.self])
