import Tensors

/// Writes values as text, up to a number of characters.
struct ValueWriter {
  private(set) var text = ""
  private var room: Int
  /// How many elements of a list, fields of a record and levels are written.
  let elements: Int
  let levels: Int
  /// Digits of the numbers inside lists, records and tensors; 17 writes them exactly.
  let significant: Int

  init(characters: Int, elements: Int, levels: Int, significant: Int) {
    room = characters
    self.elements = elements
    self.levels = levels
    self.significant = significant
  }

  private mutating func put(_ part: String) {
    guard room >= 0 else { return }
    let count = part.count
    if count <= room {
      text += part
      room -= count
    } else {
      text += part.prefix(room) + "…"
      room = -1
    }
  }

  mutating func write(_ value: Value, level: Int = 0) {
    switch value {
    case .none: put("none")
    case .bool(let bool): put(bool ? "true" : "false")
    case .int(let int): put(String(int))
    case .double(let double):
      put(
        level == 0 || significant >= 17
          ? plainText(double) : formatted(double, significant: significant))
    case .string(let string): put(quoted(string))
    case .member(let name): put("." + name)
    case .range(let range): put("\(range.lower)..<\(range.upper)")
    case .tensor(let tensor): put(tensor.echo)
    case .function(let function):
      put((function.isAnonymous ? "" : "function ") + function.signature)
    case .object(let object): put(object.echo)
    case .list(let list):
      write(list.elements.lazy.map { (nil, $0) }, "[", "]", count: list.count, level)
    case .record(let record):
      write(
        record.fields.lazy.map { ($0.key, $0.value) }, "{", "}", count: record.count, level)
    }
  }

  private mutating func write(
    _ parts: some Sequence<(String?, Value)>, _ open: String, _ close: String, count: Int,
    _ level: Int
  ) {
    put(open)
    var written = 0
    if level < levels {
      for (key, value) in parts.prefix(elements) where room > 0 {
        if written > 0 { put(", ") }
        if let key { put((isName(key) ? key : quoted(key)) + ": ") }
        write(value, level: level + 1)
        written += 1
      }
    }
    if written < count { put(written > 0 ? ", …" : "…") }
    put(close)
  }
}

/// The text, cut to `count` characters.
func shortened(_ text: String, _ count: Int) -> String {
  let cut = text.prefix(count)
  return cut.endIndex == text.endIndex ? text : cut + "…"
}

/// A string as it is written in a script.
func quoted(_ string: String) -> String {
  var text = "\""
  for scalar in string.unicodeScalars {
    switch scalar {
    case "\n": text += "\\n"
    case "\t": text += "\\t"
    case "\r": text += "\\r"
    case "\"": text += "\\\""
    case "\\": text += "\\\\"
    default:
      if scalar.value < 0x20 || scalar.value == 0x7f {
        text += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
  return text + "\""
}

/// Whether `text` can stand as a name.
func isName(_ text: String) -> Bool {
  let (tokens, errors) = Lexer.run(SourceText(text, name: ""))
  guard errors.isEmpty, tokens.count == 2, case .name(let name) = tokens[0].kind else {
    return false
  }
  return name == text
}

extension Value {
  /// The whole text of an echo line behind the name: type, shape and the numbers that matter, on
  /// one line of bounded length.
  public var echo: String {
    switch self {
    case .list(let list) where list.count > 8 || list.depth > 1:
      "list of \(list.count): " + text(characters: 60, elements: 8, levels: 2, significant: 4)
    default: text(characters: 100, elements: 8, levels: 2, significant: 4)
    }
  }

  /// The value as `print` and interpolation write it: strings bare, everything else as in a
  /// script; cut after 20,000 characters.
  public var description: String {
    if case .string(let string) = self { return string }
    return text(characters: 20_000, elements: 20_000, levels: 256, significant: 17)
  }

  /// A short text for error messages: type and value.
  var briefly: String {
    switch self {
    case .none: "none"
    case .tensor, .object, .function: text(characters: 60, elements: 3, levels: 1, significant: 4)
    default: "the \(typeName) \(text(characters: 40, elements: 3, levels: 1, significant: 4))"
    }
  }

  private func text(characters: Int, elements: Int, levels: Int, significant: Int) -> String {
    var writer = ValueWriter(
      characters: characters, elements: elements, levels: levels, significant: significant)
    writer.write(self)
    return writer.text
  }
}

extension Tensor {
  /// Shape and, of few elements the values, of many mean and standard deviation.
  var echo: String {
    let name = "tensor" + (shape.isEmpty ? "" : " ") + shape.map(String.init).joined(separator: "×")
    if count == 0 { return name + " empty" }
    return withUnsafeValues { values in
      if values.count <= 6 {
        let numbers = values.map { formatted(Double($0)) }.joined(separator: ", ")
        return "\(name) [\(numbers)]"
      }
      var sum = 0.0
      for value in values { sum += Double(value) }
      let mean = sum / Double(values.count)
      var squares = 0.0
      for value in values { squares += (Double(value) - mean) * (Double(value) - mean) }
      let deviation = (squares / Double(values.count)).squareRoot()
      return "\(name), mean \(formatted(mean)), std \(formatted(deviation))"
    }
  }
}
