import Language

/// What a document consists of, in order: prose, and cells of statements.
enum PagePart: Equatable {
  /// Lines of prose: Markdown of a notebook, or a script's comments without their `#`.
  case prose([String])
  case cell([PageUnit])
}

/// Lines of code that stand together, and which statements they hold.
struct PageUnit: Equatable {
  /// From 1.
  let lines: ClosedRange<Int>
  /// None for comments and blank lines inside a cell.
  let statements: Range<Int>
}

/// Cuts a document into parts.
struct PageCutter {
  private let document: SessionDocument
  private let statements: [ClosedRange<Int>]
  private var next = 0
  private var parts: [PagePart] = []
  private var prose: [String] = []
  private var units: [PageUnit] = []

  /// - Parameter statements: The first and last line of every statement, in order.
  static func parts(of document: SessionDocument, statements: [ClosedRange<Int>]) -> [PagePart] {
    var cutter = PageCutter(document, statements)
    if document.kind == .script { cutter.cutScript() } else { cutter.cutMarkdown() }
    cutter.endProse()
    cutter.endCell()
    return cutter.parts
  }

  private init(_ document: SessionDocument, _ statements: [ClosedRange<Int>]) {
    self.document = document
    self.statements = statements
  }

  /// Comments on lines of their own are prose; blank lines end cells.
  private mutating func cutScript() {
    var number = 1
    while number <= document.lines.count {
      defer { number += 1 }
      if document.generated.contains(number) { continue }
      if let unit = unit(from: number) {
        endProse()
        units.append(unit)
        number = unit.lines.upperBound
        continue
      }
      let line = document.lines[number - 1].trimmed()
      endCell()
      if line.hasPrefix("#") {
        let text = line.dropFirst()
        prose.append(String(text.first == " " ? text.dropFirst() : text))
      } else {
        endProse()
      }
    }
  }

  private mutating func cutMarkdown() {
    var number = 1
    while number <= document.lines.count {
      defer { number += 1 }
      if let fence = document.fenceEnds.first(where: { $0.code.lowerBound == number }) {
        endProse()
        cutFence(fence.code.lowerBound + 1..<fence.end)
        endCell()
        number = fence.end
      } else if !document.generated.contains(number) {
        prose.append(document.lines[number - 1])
      }
    }
  }

  private mutating func cutFence(_ lines: Range<Int>) {
    var number = lines.lowerBound
    while number < lines.upperBound {
      let unit = unit(from: number) ?? PageUnit(lines: number...number, statements: next..<next)
      units.append(unit)
      number = unit.lines.upperBound + 1
    }
  }

  /// The statements that begin on a line, with all that share lines with them.
  private mutating func unit(from number: Int) -> PageUnit? {
    guard next < statements.count, statements[next].lowerBound == number else { return nil }
    let first = next
    var end = statements[next].upperBound
    next += 1
    while next < statements.count, statements[next].lowerBound <= end {
      end = max(end, statements[next].upperBound)
      next += 1
    }
    return PageUnit(lines: number...end, statements: first..<next)
  }

  private mutating func endProse() {
    if prose.contains(where: { !$0.trimmed().isEmpty }) { parts.append(.prose(prose)) }
    prose = []
  }

  private mutating func endCell() {
    if !units.isEmpty { parts.append(.cell(units)) }
    units = []
  }
}
