import Foundation
import Tensors

/// What surrounds a running script: files, screen, and the wish to stop.
///
/// Called from the thread that runs the script, and `isCancelled` from any.
public protocol ScriptHost: Sendable {
  /// The file or folder that a script means by `path` when it reads.
  ///
  /// - Throws: `EvokeError` (file) if the script may not read there.
  func readURL(_ path: String) throws -> URL

  /// The file that a script means by `path` when it writes.
  ///
  /// - Throws: `EvokeError` (file) if the script may not write there.
  func writeURL(_ path: String) throws -> URL

  /// How far a long operation has come; never part of a transcript.
  func progress(_ update: ProgressUpdate)

  /// A remark or a warning to the user; never part of a transcript.
  func note(_ text: String)

  /// A line that `print` wrote, at once; the same line is part of the statement's result.
  func printed(_ line: String)

  /// A value that a script asks to see (pictures, plots), where the host can show it.
  func display(_ value: Value)

  /// Whether the user has asked to stop.
  var isCancelled: Bool { get }
}

extension ScriptHost {
  public func progress(_ update: ProgressUpdate) {}
  public func note(_ text: String) {}
  public func printed(_ line: String) {}
  public func display(_ value: Value) {}
  public var isCancelled: Bool { false }
}

/// A stage of a long operation.
public struct ProgressUpdate: Sendable, Equatable {
  /// What is being done, `evolve`.
  public let title: String
  public let completed: Int
  /// The number of units in all; nil if it is not known.
  public let total: Int?
  /// What one unit is, `generation`.
  public let unit: String
  /// The numbers that matter now, `best 0.0871`.
  public let detail: String
  /// Work of the cost unit done so far (forward passes), for a rate; 0 if it does not apply.
  public let work: Int

  public init(
    _ title: String, completed: Int, total: Int? = nil, unit: String = "", detail: String = "",
    work: Int = 0
  ) {
    self.title = title
    self.completed = completed
    self.total = total
    self.unit = unit
    self.detail = detail
    self.work = work
  }
}

/// A host without a screen: reads and writes nothing, shows nothing, never stops.
public struct SilentHost: ScriptHost {
  public init() {}

  public func readURL(_ path: String) throws -> URL {
    throw EvokeError(.file, "there are no files here to read “\(path)” from")
  }

  public func writeURL(_ path: String) throws -> URL {
    throw EvokeError(.file, "there are no files here to write “\(path)” to")
  }
}
