import Foundation
import Language
import Synchronization

/// One line on the terminal that says how far a long operation has come: share, the numbers that
/// matter, rate, and the time left. Nothing of it ever enters a transcript.
final class ProgressLine: Sendable {
  private struct State {
    var title = ""
    var started = ContinuousClock.now
    var shown: ContinuousClock.Instant?
    var isVisible = false
  }
  private let state = Mutex(State())
  private let isOn: Bool

  /// - Parameter isOn: Whether there is somebody to look.
  init(isOn: Bool) { self.isOn = isOn }

  func show(_ update: ProgressUpdate) {
    guard isOn else { return }
    state.withLock { state in
      let now = ContinuousClock.now
      if state.title != update.title || update.completed == 0 {
        state = State(title: update.title, started: now)
      }
      let isLast = update.total.map { update.completed >= $0 } ?? false
      if let shown = state.shown, now - shown < .milliseconds(80), !isLast { return }
      state.shown = now
      state.isVisible = true
      let line = Self.line(update, elapsed: (now - state.started).inSeconds)
      Terminal.standardErrorRaw("\r\u{1b}[K" + String(line.prefix(max(20, Terminal.width - 1))))
    }
  }

  /// Removes the line, so that a result can stand in its place.
  func clear() {
    guard isOn else { return }
    state.withLock { state in
      if state.isVisible { Terminal.standardErrorRaw("\r\u{1b}[K") }
      state = State()
    }
  }

  private static func line(_ update: ProgressUpdate, elapsed: Double) -> String {
    var parts: [String] = []
    if let total = update.total, total > 0 {
      let filled = min(16, 16 * update.completed / total)
      let bar = String(repeating: "━", count: filled) + String(repeating: "─", count: 16 - filled)
      parts.append("\(update.title) \(bar) \(update.completed)/\(total)")
    } else {
      parts.append("\(update.title) \(update.completed)")
    }
    if !update.detail.isEmpty { parts.append(update.detail) }
    if update.work > 0, elapsed > 0.2 {
      parts.append("\(Int((Double(update.work) / elapsed).rounded())) forwards/s")
    }
    if let total = update.total, update.completed > 0, update.completed < total, elapsed > 0.5 {
      let left = elapsed / Double(update.completed) * Double(total - update.completed)
      parts.append("\(duration(left)) left")
    }
    return parts.joined(separator: "   ")
  }

  private static func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded(.up))
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}

extension Duration {
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
