import Foundation
import Tensors

/// The memory of this process, so that a script is stopped before the system stops everything.
enum Memory {
  /// Bytes that this process holds for itself, mapped files left out; 0 where nobody says.
  static func held() -> Int {
    // resident and shared pages, the second and the third number
    let pages = numbers("/proc/self/statm")
    guard pages.count > 2 else { return 0 }
    return max(0, pages[1] - pages[2]) &* Int(sysconf(Int32(_SC_PAGESIZE)))
  }

  /// Bytes that could be taken without taking them from others; nil where nobody says.
  static func available() -> Int? {
    guard let text = text("/proc/meminfo"), let place = text.range(of: "MemAvailable:") else {
      return nil
    }
    let digits = text[place.upperBound...].drop { $0 == " " }.prefix { $0.isNumber }
    guard let kibibytes = Int(digits) else { return nil }
    var free = kibibytes << 10
    // A container may be allowed less than the machine has.
    let group = "/sys/fs/cgroup/memory."
    if let most = numbers(group + "max").first, let used = numbers(group + "current").first {
      free = min(free, max(0, most - used))
    }
    return free
  }

  /// Gives what was freed back to the system.
  static func trim() {
    // glibc's own, which Swift's module map of it does not show
    typealias Trim = @convention(c) (Int) -> Int32
    if let symbol = dlsym(nil, "malloc_trim") { _ = unsafeBitCast(symbol, to: Trim.self)(0) }
  }

  private static func numbers(_ path: String) -> [Int] {
    (text(path) ?? "").split(whereSeparator: \.isWhitespace).map { Int($0) ?? 0 }
  }

  /// The beginning of a file that the kernel makes up.
  private static func text(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
      let count = read(file, buffer.baseAddress, buffer.count)
      return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
    }
  }
}

/// Watches that a run does not use up the memory.
///
/// The process's memory is looked at again whenever values that may hold a further 16 MiB were
/// made, so that small ones cost nothing.
struct MemoryWatch {
  private static let stride = 16 << 20
  private var unseen = 0
  private var most = Int.max

  /// Begins a run that may take `bytes` more, or most of what there is.
  mutating func begin(_ bytes: Int) {
    unseen = 0
    let share = Memory.available().map { $0 / 10 * 8 } ?? Int.max
    most = Memory.held().addingReportingOverflow(min(bytes, share)).partialValue
    if most < 0 { most = .max }
  }

  /// Notes that values of `bytes` were made.
  ///
  /// - Throws: `EvokeError` (value) if the run holds more than it may.
  mutating func note(_ bytes: Int) throws {
    unseen &+= bytes
    if unseen > Self.stride { try look(adding: 0) }
  }

  /// Notes that `bytes` are about to be taken.
  ///
  /// - Throws: `EvokeError` (value) if they are more than the run may still take.
  mutating func require(_ bytes: Int) throws {
    if bytes > Self.stride { try look(adding: bytes) }
  }

  mutating func look(adding bytes: Int) throws {
    unseen = 0
    if Memory.held() <= most - bytes { return }
    Memory.trim()
    if Memory.held() <= most - bytes { return }
    throw EvokeError(
      .value, "this would need more memory than there is",
      hint: "keep fewer or smaller values, or bind names that are no longer needed to none")
  }
}
