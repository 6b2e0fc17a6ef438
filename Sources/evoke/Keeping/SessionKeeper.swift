import Foundation
import Language
import Notebook
import Tensors
import Workbench

/// The store's side of a session that runs: its journal, and the memory of its calls.
///
/// Without a store that works, the session goes on all the same, after one remark.
final class SessionKeeper {
  let store: Store?
  let journal: Journal?
  private let memory: StoreMemory?
  private let name: String
  private let folder: String
  private let remarks = Remarks()

  /// - Parameters:
  ///   - name: the script with what was given for its names; empty at the prompt.
  ///   - folder: where the session's relative paths begin.
  ///   - recalls: whether values of earlier runs are used.
  init(
    _ kind: StoredSession.Kind, name: String = "", folder: URL, interpreter: Interpreter,
    recalls: Bool = false
  ) {
    self.name = name
    self.folder = folder.standardizedFileURL.path
    let remarks = remarks
    do {
      let store = try Store(folder: Home.folder)
      let journal = Journal(store, kind, name: name, folder: self.folder, trouble: remarks.tell)
      memory = StoreMemory(
        store, registry: interpreter.registry, circumstances: Self.circumstances,
        recalls: recalls, session: { journal.session }, trouble: remarks.tell)
      self.store = store
      self.journal = journal
    } catch {
      (store, journal, memory) = (nil, nil, nil)
      remarks.tell(error as? EvokeError ?? EvokeError(.file, "the store fails: \(error)"))
    }
    interpreter.memory = memory
  }

  /// What values depend on besides their calls: version, build and arithmetic.
  private static var circumstances: String {
    let path = Bundle.main.executablePath ?? CommandLine.arguments.first ?? ""
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    let size = (attributes?[.size] as? Int) ?? 0
    let changed = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
    let machine = Fingerprint.machine.map { "\($0.key) \($0.value)" }.joined(separator: "   ")
    return "evoke \(Version.text)   build \(size) \(changed)   \(machine)"
  }

  /// Bytes of values that the store keeps beyond a session; those used longest ago go first.
  private static let mostBytes = 2 << 30

  /// Notes that the session came to its end.
  func close() {
    journal?.close()
    if journal?.session != nil { try? store?.trim(to: Self.mostBytes) }
  }

  /// The latest run of this script, with the same values for its names, that was cut off.
  var interruptedRun: StoredSession? {
    get throws { try store?.interrupted(.run, name: name, folder: folder) }
  }

  // MARK: At the prompt

  /// The latest session in this folder that was cut off.
  var interrupted: StoredSession? { try? store?.interrupted(.prompt, folder: folder) }

  /// Brings a session back: the one of that number, or the latest that was cut off.
  ///
  /// What it wrote is not written again.
  ///
  /// - Throws: `EvokeError` if there is none, or it is not one for this place; a `Diagnostic` of
  ///   kind `interrupted` if the user stopped it.
  func resume(_ id: Int?, in interpreter: Interpreter, host: TerminalHost) throws -> Resumed {
    let session = try resumable(id)
    let statements = try store?.statements(of: session.id) ?? []
    let scratch = FileManager.default.temporaryDirectory
      .appendingPathComponent("evoke-resume-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: scratch) }
    memory?.recalls = true
    defer { memory?.recalls = false }
    let resumption = try Resumption(
      statements, in: interpreter, host: host.silent(writingTo: scratch))
    if resumption.obstacle == nil { journal?.adopt(session.id, count: resumption.results.count) }
    return Resumed(session: session, resumption: resumption)
  }

  /// Runs the statement that was cut off with what it had reached.
  func recalling(_ body: () -> Void) {
    memory?.recalls = true
    defer { memory?.recalls = false }
    body()
  }

  struct Resumed {
    let session: StoredSession
    let resumption: Resumption
  }

  private func resumable(_ id: Int?) throws -> StoredSession {
    guard let store else {
      throw EvokeError(.file, "there is no store to resume from")
    }
    let found: StoredSession? =
      if let id { try store.session(id) } else { try store.interrupted(.prompt, folder: folder) }
    guard let session = found else {
      throw EvokeError(
        .usage, "no session in this folder was cut off",
        hint: "`evoke store` lists all of them; :resume NUMBER goes on with any")
    }
    guard session.kind == .prompt else {
      throw EvokeError(
        .usage, "session \(session.id) is a run of \(session.name)",
        hint: "evoke run FILE --resume goes on with it")
    }
    guard !session.isRunning else {
      throw EvokeError(.usage, "session \(session.id) is still running in another process")
    }
    guard session.folder == folder else {
      throw EvokeError(
        .usage, "session \(session.id) began in \(session.folder)", hint: "start evoke there")
    }
    return session
  }
}

/// Tells the user once that the store fails.
private final class Remarks {
  private var wasTold = false

  func tell(_ error: EvokeError) {
    guard !wasTold else { return }
    wasTold = true
    Terminal.standardError("warning: \(error.message); the session goes on without it")
    if let hint = error.hint { Terminal.standardError("  \(hint)") }
  }
}

extension TerminalHost {
  /// The same surroundings, but silent, and with writes going elsewhere.
  func silent(writingTo scratch: URL) -> TerminalHost {
    var host = self
    host.files = FileAccess(
      folder: files.folder, commandLinePaths: files.commandLinePaths,
      workingFolder: files.workingFolder, allowed: files.allowed, writesTo: scratch)
    host.isTalkative = false
    host.showsOutput = false
    return host
  }
}
