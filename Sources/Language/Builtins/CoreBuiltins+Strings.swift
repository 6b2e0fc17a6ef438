import Foundation
import Tensors

extension CoreBuiltins {
  private static let text = Parameter("text", .string, "the text")

  static let strings = [
    Builtin(
      "string", topic: "Strings", summary: "A value as text, as `print` writes it",
      parameters: [Parameter("value", .any, "any value")], returns: .string,
      example: "string(0.5)"
    ) { arguments, _ in .string(arguments["value"].description) },
    Builtin(
      "split", topic: "Strings", summary: "The parts of a text between separators",
      parameters: [text, Parameter("separator", .string, default: " ", "what stands between")],
      returns: .list(.string), example: "split(\"a, b\", \", \")"
    ) { arguments, context in
      let separator = try arguments.string("separator")
      guard !separator.isEmpty else {
        throw arguments.error("separator", .value, "the separator is empty")
      }
      var parts: [Value] = []
      let text = Array(try arguments.string("text").utf8)
      let search = ByteSearch(separator)
      var start = 0
      while let range = search.first(in: text, from: start) {
        parts.append(.string(String(decoding: text[start..<range.lowerBound], as: UTF8.self)))
        start = range.upperBound
        if parts.count >= context.limits.elements { throw Operators.tooLong(context.limits) }
      }
      parts.append(.string(String(decoding: text[start...], as: UTF8.self)))
      return .list(List(parts))
    },
    Builtin(
      "join", topic: "Strings", summary: "Values as one text, with a separator between",
      parameters: [
        Parameter("list", .list, "the values"),
        Parameter("separator", .string, default: "", "what to put between"),
      ], returns: .string, example: "join([\"a\", \"b\"], \" and \")"
    ) { arguments, context in
      let separator = try arguments.string("separator")
      var text = ""
      for (index, value) in try arguments.list("list").enumerated() {
        text += (index > 0 ? separator : "") + value.description
        if text.utf8.count > context.limits.stringBytes { throw Operators.tooLong(context.limits) }
      }
      return .string(text)
    },
    Builtin(
      "replace", topic: "Strings", summary: "The text with every occurrence of a part replaced",
      parameters: [
        text, Parameter("part", .string, "what to replace"),
        Parameter("by", .string, "what to put in its place"),
      ], returns: .string, example: "replace(\"a * on sand\", \"*\", \"<star>\")"
    ) { arguments, context in
      let part = try arguments.string("part")
      guard !part.isEmpty else { throw arguments.error("part", .value, "the part is empty") }
      let by = Array(try arguments.string("by").utf8)
      let text = Array(try arguments.string("text").utf8)
      let search = ByteSearch(part)
      var result: [UInt8] = []
      var start = 0
      while let range = search.first(in: text, from: start) {
        result += text[start..<range.lowerBound]
        result += by
        start = range.upperBound
        if result.count > context.limits.stringBytes { throw Operators.tooLong(context.limits) }
      }
      result += text[start...]
      if result.count > context.limits.stringBytes { throw Operators.tooLong(context.limits) }
      return .string(String(decoding: result, as: UTF8.self))
    },
    Builtin(
      "lower", topic: "Strings", summary: "The text in lower-case letters", parameters: [text],
      returns: .string, example: "lower(\"A Photo\")"
    ) { arguments, _ in .string(try arguments.string("text").lowercased()) },
    Builtin(
      "upper", topic: "Strings", summary: "The text in upper-case letters", parameters: [text],
      returns: .string, example: "upper(\"a photo\")"
    ) { arguments, _ in .string(try arguments.string("text").uppercased()) },
    Builtin(
      "trim", topic: "Strings", summary: "The text without white space at its ends",
      parameters: [text], returns: .string, example: "trim(\"  a photo \")"
    ) { arguments, _ in
      .string(try arguments.string("text").trimmingCharacters(in: .whitespacesAndNewlines))
    },
  ]

  static let records = [
    Builtin(
      "keys", topic: "Records", summary: "The keys of a record in order",
      parameters: [Parameter("record", .record, "the record")], returns: .list(.string),
      example: "keys({a: 1, b: 2})"
    ) { arguments, _ in .strings(try arguments.record("record").keys) },
    Builtin(
      "values", topic: "Records", summary: "The values of a record in order",
      parameters: [Parameter("record", .record, "the record")], returns: .list,
      example: "values({a: 1, b: 2})"
    ) { arguments, _ in .list(List(try arguments.record("record").values)) },
    Builtin(
      "with", topic: "Records", summary: "The record with a value at a key, replaced or added",
      parameters: [
        Parameter("record", .record, "the record"), Parameter("key", .string, "the key"),
        Parameter("value", .any, "the value"),
      ], returns: .record, example: "with({a: 1}, \"b\", 2)"
    ) { arguments, context in
      let record = try arguments.record("record")
      try context.step(record.count)
      return .record(record.with(try arguments.string("key"), arguments["value"]))
    },
    Builtin(
      "without", topic: "Records", summary: "The record without a key",
      parameters: [
        Parameter("record", .record, "the record"), Parameter("key", .string, "the key"),
      ], returns: .record, example: "without({a: 1, b: 2}, \"b\")"
    ) { arguments, _ in
      let key = try arguments.string("key")
      let record = try arguments.record("record")
      guard record[key] != nil else {
        let near = closest(to: key, among: record.keys)
        throw arguments.error(
          "key", .name, "the record has no key \(quoted(key))",
          hint: near.map { "did you mean \(quoted($0))?" })
      }
      return .record(record.without(key))
    },
    Builtin(
      "record", topic: "Records", summary: "A record of pairs of key and value",
      parameters: [Parameter("pairs", .list, "a list of lists [key, value]")], returns: .record,
      example: "record([[\"a\", 1], [\"b\", 2]])"
    ) { arguments, _ in
      let pairs = try arguments.list("pairs").map { pair -> (String, Value) in
        guard case .list(let parts) = pair, parts.count == 2, case .string(let key) = parts[0]
        else {
          throw arguments.error(
            "pairs", .type, "\(pair.briefly) is no pair of a string and a value")
        }
        return (key, parts[1])
      }
      return .record(Record(pairs))
    },
  ]
}
