import Foundation

/// What is known about the terminal, and the two streams.
enum Terminal {
  /// Whether standard error is a terminal that can move its cursor.
  static let errorsAreShown = isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb"

  /// Whether errors may be coloured (https://no-color.org).
  static let errorsInColor = errorsAreShown && (environment("NO_COLOR") ?? "").isEmpty

  /// Whether standard output is a terminal that can move its cursor.
  static let outputIsShown = isatty(STDOUT_FILENO) == 1 && environment("TERM") != "dumb"

  /// Whether what is shown there may be coloured.
  static let outputInColor = outputIsShown && (environment("NO_COLOR") ?? "").isEmpty

  /// The width of standard output's terminal, 80 if it is none.
  static var outputWidth: Int { size(STDOUT_FILENO)?.columns ?? 80 }

  /// The height of standard output's terminal, 24 if it is none.
  static var height: Int { size(STDOUT_FILENO)?.rows ?? 24 }

  /// The width of standard error's terminal, 80 if it is none.
  static var width: Int { size(STDERR_FILENO)?.columns ?? 80 }

  /// The width and height of a letter on standard output's terminal in pixels; 10 × 20 if it does not
  /// tell.
  static var cell: (width: Int, height: Int) {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0,
      size.ws_xpixel >= size.ws_col, size.ws_ypixel >= size.ws_row
    else { return (10, 20) }
    return (Int(size.ws_xpixel / size.ws_col), Int(size.ws_ypixel / size.ws_row))
  }

  private static func size(_ file: Int32) -> (columns: Int, rows: Int)? {
    var size = winsize()
    guard ioctl(file, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
      return nil
    }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  /// A line on standard error.
  static func standardError(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }

  /// Text on standard error as it is, without a newline.
  static func standardErrorRaw(_ text: String) {
    FileHandle.standardError.write(Data(text.utf8))
  }

  /// A line on standard output.
  static func standardOutput(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }

  private static func environment(_ name: String) -> String? {
    ProcessInfo.processInfo.environment[name]
  }
}
