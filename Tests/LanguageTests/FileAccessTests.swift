import Foundation
import Tensors
import Testing

@testable import Language

@Suite struct FileAccessTests {
  /// A folder with `scripts/a.txt`, `other/b.txt`, and a link `scripts/out` to `other`.
  private func makeFolder() throws -> URL {
    let root = FileManager.default.temporaryDirectory
      .appendingPathComponent("evoke-\(UUID().uuidString)")
    let manager = FileManager.default
    for name in ["scripts", "other"] {
      try manager.createDirectory(
        at: root.appendingPathComponent(name), withIntermediateDirectories: true)
    }
    try Data("a".utf8).write(to: root.appendingPathComponent("scripts/a.txt"))
    try Data("b".utf8).write(to: root.appendingPathComponent("other/b.txt"))
    try manager.createSymbolicLink(
      at: root.appendingPathComponent("scripts/out"),
      withDestinationURL: root.appendingPathComponent("other"))
    return root
  }

  @Test func scriptsStayInTheirFolder() throws {
    let root = try makeFolder()
    defer { try? FileManager.default.removeItem(at: root) }
    let access = FileAccess(folder: root.appendingPathComponent("scripts"))
    #expect(try String(contentsOf: access.readURL("a.txt"), encoding: .utf8) == "a")
    #expect(try access.readURL("sub/../a.txt").lastPathComponent == "a.txt")
    #expect(try access.readURL("missing.txt").lastPathComponent == "missing.txt")
    #expect(try access.writeURL("new/file.png").path.hasSuffix("/scripts/new/file.png"))
    for path in ["../other/b.txt", "out/b.txt", "out/../../other/b.txt", "/etc/passwd", "..", ""] {
      #expect(throws: EvokeError.self) { try access.readURL(path) }
      #expect(throws: EvokeError.self) { try access.writeURL(path) }
    }
    #expect(throws: EvokeError.self) { try access.readURL("a\0b") }
  }

  @Test func commandLinePathsMayBeReadOnly() throws {
    let root = try makeFolder()
    defer { try? FileManager.default.removeItem(at: root) }
    let access = FileAccess(
      folder: root.appendingPathComponent("scripts"), commandLinePaths: ["other"],
      workingFolder: root)
    #expect(try access.readURL("other").path.hasSuffix("/other"))
    #expect(try access.readURL("../other/b.txt").lastPathComponent == "b.txt")
    #expect(throws: EvokeError.self) { try access.writeURL("../other/c.txt") }
  }

  @Test func moreCanBeAllowed() throws {
    let root = try makeFolder()
    defer { try? FileManager.default.removeItem(at: root) }
    let access = FileAccess(
      folder: root.appendingPathComponent("scripts"),
      allowed: [root.appendingPathComponent("other")])
    #expect(try access.readURL("out/b.txt").lastPathComponent == "b.txt")
    #expect(try access.writeURL("../other/c.txt").path.hasSuffix("/other/c.txt"))
  }

  @Test func replaysWriteElsewhere() throws {
    let root = try makeFolder()
    defer { try? FileManager.default.removeItem(at: root) }
    let temporary = root.appendingPathComponent("temporary")
    let access = FileAccess(
      folder: root.appendingPathComponent("scripts"), writesTo: temporary)
    let target = try access.writeURL("made/star.bin")
    #expect(target.path.hasSuffix("/temporary/made/star.bin"))
    try Data("new".utf8).write(to: target)
    #expect(try String(contentsOf: access.readURL("made/star.bin"), encoding: .utf8) == "new")
    #expect(try String(contentsOf: access.readURL("a.txt"), encoding: .utf8) == "a")
    #expect(throws: EvokeError.self) { try access.writeURL("../other/b.txt") }
  }

  @Test func theSilentHostHasNoFiles() {
    let host = SilentHost()
    #expect(throws: EvokeError.self) { try host.readURL("a") }
    #expect(throws: EvokeError.self) { try host.writeURL("a") }
    #expect(!host.isCancelled)
    host.note("")
    host.printed("")
    host.progress(ProgressUpdate("x", completed: 1))
    host.display(.none)
  }
}
