import Foundation
import Synchronization

/// A global, because a signal handler can capture nothing.
private let wished = Atomic<Bool>(false)

/// The wish to stop: Ctrl-C sets it, and work looks at it at its next safe point.
enum Interruption {
  static var isWished: Bool { wished.load(ordering: .relaxed) }

  /// Makes Ctrl-C a wish; a second one, for work that finds no safe point, ends the process.
  static func listen() {
    _ = wished.load(ordering: .relaxed)
    signal(SIGINT) { _ in
      if wished.exchange(true, ordering: .relaxed) { _exit(Status.interrupted.rawValue) }
    }
  }

  /// Forgets a wish that was granted.
  static func clear() { wished.store(false, ordering: .relaxed) }
}
