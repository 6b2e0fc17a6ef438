import Foundation

/// Pictures as escape sequences that carry a PNG file. The terminal scales it to a number of columns, so
/// that proportions are right whatever its letters measure.
enum InlinePictures {
  /// kitty's graphics protocol (https://sw.kovidgoyal.net/kitty/graphics-protocol): base64 in pieces of
  /// at most 4096 characters; no answer is wanted.
  static func kitty(_ png: Data, columns: Int) -> String {
    let text = Array(png.base64EncodedString().utf8)
    let starts = stride(from: 0, to: text.count, by: 4096)
    return starts.map { start in
      let piece = text[start..<min(start + 4096, text.count)]
      let first = start == 0 ? "a=T,f=100,q=2,c=\(columns)," : ""
      let isMore = piece.endIndex < text.count ? 1 : 0
      return "\u{1b}_G\(first)m=\(isMore);" + String(decoding: piece, as: UTF8.self) + "\u{1b}\\"
    }.joined()
  }

  /// iTerm2's inline images (https://iterm2.com/documentation-images.html).
  static func iTerm(_ png: Data, columns: Int) -> String {
    "\u{1b}]1337;File=inline=1;size=\(png.count);width=\(columns);height=auto"
      + ";preserveAspectRatio=1:\(png.base64EncodedString())\u{7}"
  }
}
