import Tensors

/// A stretch of a source text: byte offsets `start..<end`.
struct Span: Sendable, Hashable {
  let start: Int
  let end: Int

  init(_ start: Int, _ end: Int) {
    self.start = start
    self.end = max(start, end)
  }

  /// The stretch from the start of this one to the end of `other`.
  func to(_ other: Span) -> Span { Span(start, max(end, other.end)) }
}

/// A script's text with its name, and the way from byte offsets to lines and columns.
final class SourceText: Sendable {
  let name: String
  let text: String
  let bytes: [UInt8]
  /// The offset at which each line begins.
  private let lineStarts: [Int]

  init(_ text: String, name: String) {
    self.text = text
    self.name = name
    bytes = Array(text.utf8)
    var starts = [0]
    for (offset, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
      starts.append(offset + 1)
    }
    lineStarts = starts
  }

  /// The line, from 1, that holds the byte at `offset`.
  func line(at offset: Int) -> Int {
    var low = 0
    var high = lineStarts.count
    while low + 1 < high {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return low + 1
  }

  /// The lines, from 1, that `span` touches.
  func lines(of span: Span) -> ClosedRange<Int> {
    let first = line(at: span.start)
    return first...max(first, line(at: max(span.start, span.end - 1)))
  }

  /// The bytes of `span` as text.
  func text(_ span: Span) -> String {
    let start = min(max(0, span.start), bytes.count)
    let end = min(max(start, span.end), bytes.count)
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  /// The longest part of a line that errors show, in bytes.
  private static let shownBytes = 400

  /// The error with its place.
  func diagnostic(_ error: EvokeError, _ span: Span, trail: [String] = []) -> Diagnostic {
    let line = line(at: span.start)
    let start = lineStarts[line - 1]
    var end = line < lineStarts.count ? lineStarts[line] - 1 : bytes.count
    if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    let column = text(Span(start, min(span.start, end))).count + 1
    // Of a line that would fill the screen only the beginning is shown.
    if end - start > Self.shownBytes { end = start + Self.shownBytes }
    let length = text(Span(min(span.start, end), min(span.end, end))).count
    return Diagnostic(
      error, file: name, line: line, column: column, length: max(1, length),
      sourceLine: text(Span(start, end)), trail: trail)
  }
}
