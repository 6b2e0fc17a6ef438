import ArgumentParser
import Foundation
import Notebook
import Tensors

/// `evoke store`: what was kept of sessions, and how much room it takes.
struct StoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "store", abstract: "List, show and delete the sessions that were kept.",
    subcommands: [List.self, Show.self, Delete.self, Compact.self],
    defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the sessions, the latest first, and what the store takes.")

    func run() throws {
      let store = try Store(folder: Home.folder)
      let size = try store.size()
      Terminal.standardOutput(
        "\(store.file.path): \(bytes(size.files)), "
          + "of that \(bytes(size.values)) in values of \(size.calls) calls")
      for session in try store.sessions() {
        let what = session.kind == .run ? session.name : "prompt in \(session.folder)"
        let count = "\(session.count) statement\(session.count == 1 ? "" : "s")"
        Terminal.standardOutput(
          [
            padded("\(session.id)", 5, right: true), time(session.touched),
            padded(state(session), 8), padded(count, 14, right: true), what, line(session.last),
          ].joined(separator: "  "))
      }
    }

    private func state(_ session: StoredSession) -> String {
      session.isRunning ? "running" : session.isFinished ? "ended" : "cut off"
    }

    private func line(_ source: String) -> String {
      let first = source.split(separator: "\n").first.map(String.init) ?? ""
      return first.count > 40 ? first.prefix(39) + "…" : first
    }

    private func padded(_ text: String, _ width: Int, right: Bool = false) -> String {
      let gap = String(repeating: " ", count: max(0, width - text.count))
      return right ? gap + text : text + gap
    }

    private func time(_ seconds: Int) -> String {
      var moment = time_t(seconds)
      var parts = tm()
      localtime_r(&moment, &parts)
      var buffer = [CChar](repeating: 0, count: 32)
      let count = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M", &parts)
      return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write a session to standard output, as a script that replays.")

    @Argument(help: "The session's number.")
    var session: Int

    func run() throws {
      let text = try Store(folder: Home.folder).text(of: session)
      FileHandle.standardOutput.write(Data(text.utf8))
    }
  }

  struct Delete: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Delete sessions, and the values that only they used.")

    @Argument(help: "The sessions' numbers.")
    var sessions: [Int] = []

    @Flag(help: "Delete all sessions that are not running.")
    var all = false

    func run() throws {
      let store = try Store(folder: Home.folder)
      guard all || !sessions.isEmpty else {
        throw EvokeError(
          .usage, "which sessions are to be deleted?", hint: "name their numbers, or --all")
      }
      let chosen = all ? try store.sessions().filter { !$0.isRunning }.map(\.id) : sessions
      try store.delete(chosen)
      let noun = chosen.count == 1 ? "session" : "sessions"
      Terminal.standardOutput("deleted \(chosen.count) \(noun)")
    }
  }

  struct Compact: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give the room of what was deleted back to the disk.")

    func run() throws {
      let store = try Store(folder: Home.folder)
      let before = try store.size().files
      try store.compact()
      Terminal.standardOutput("\(bytes(before)) before, \(bytes(try store.size().files)) now")
    }
  }
}

/// A number of bytes for a person.
private func bytes(_ count: Int) -> String {
  let units = ["bytes", "KiB", "MiB", "GiB"]
  var value = Double(count)
  var unit = 0
  while value >= 1024, unit + 1 < units.count {
    value /= 1024
    unit += 1
  }
  return unit == 0 ? "\(count) bytes" : "\((value * 10).rounded() / 10) \(units[unit])"
}
