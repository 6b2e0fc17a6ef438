/// The least of an XML reader: elements in order, and whether tags, quotes and entities are right.
struct XMLCheck {
  private(set) var elements: [String] = []
  private(set) var error: String?

  init(_ text: String) {
    var open: [String] = []
    var rest = Substring(text)
    while error == nil, let start = rest.firstIndex(of: "<") {
      checkText(rest[..<start])
      guard let end = rest[start...].firstIndex(of: ">") else {
        error = "a tag does not end"
        return
      }
      let tag = rest[rest.index(after: start)..<end]
      rest = rest[rest.index(after: end)...]
      if tag.hasPrefix("/") {
        if open.popLast() != String(tag.dropFirst()) { error = "\(tag) closes nothing" }
        continue
      }
      let name = String(tag.prefix { $0.isLetter })
      elements.append(name)
      if tag.filter({ $0 == "\"" }).count % 2 != 0 { error = "quotes of \(tag)" }
      if tag.contains("<") { error = "< in \(tag)" }
      checkText(tag)
      if !tag.hasSuffix("/") { open.append(name) }
    }
    if error == nil, !open.isEmpty { error = "\(open) not closed" }
  }

  private mutating func checkText(_ text: Substring) {
    let entities = ["&amp;", "&lt;", "&gt;", "&quot;"]
    for index in text.indices where text[index] == "&" {
      if !entities.contains(where: { text[index...].hasPrefix($0) }) { error = "bare & in \(text)" }
    }
    if text.unicodeScalars.contains(where: { $0.value < 32 && $0 != "\n" }) { error = "control" }
  }
}
