import Foundation
import Testing

@testable import Pictures

@Suite struct FolderTests {
  private let picture = testPicture(width: 6, height: 4)

  private func make(_ names: [String], in folder: URL) throws {
    for name in names {
      let file = folder.appendingPathComponent(name)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try (name.hasSuffix(".jpg") ? picture.jpegData() : picture.pngData()).write(to: file)
    }
  }

  @Test func picturesComeInTheOrderOfTheirNames() throws {
    try withFolder { folder in
      try make(["b.png", "a.jpg", "Z.PNG", "without-extension", ".hidden.png"], in: folder)
      try Data("a star".utf8).write(to: folder.appendingPathComponent("captions.txt"))
      try make(["more/inner.png"], in: folder)
      let loaded = try loadPictures(at: folder)
      #expect(loaded.map(\.name) == ["Z.PNG", "a.jpg", "b.png", "without-extension"])
      #expect(loaded[0].picture == picture)
    }
  }

  @Test func oneFileIsAlsoTaken() throws {
    try withFolder { folder in
      try make(["a.png"], in: folder)
      let loaded = try loadPictures(at: folder.appendingPathComponent("a.png"))
      #expect(loaded.map(\.name) == ["a.png"])
    }
  }

  @Test func aMissingFolderNamesItsLikes() throws {
    try withFolder { folder in
      try make(["coral-star/1.png", "night-sky/1.png"], in: folder)
      let typo = try thrownError {
        _ = try loadPictures(at: folder.appendingPathComponent("coral-stra"))
      }
      #expect(typo.kind == .file)
      #expect(typo.hint == "did you mean “coral-star”?")
      let inner = try thrownError {
        _ = try loadPictures(at: folder.appendingPathComponent("coral-stra/deep/1.png"))
      }
      #expect(inner.message.contains("“coral-stra” is missing"), "\(inner)")
      let other = try thrownError {
        _ = try loadPictures(at: folder.appendingPathComponent("xyzzy-123"))
      }
      #expect(other.hint?.contains("“coral-star”, “night-sky”") == true, "\(other)")
    }
  }

  @Test func foldersWithoutPictures() throws {
    try withFolder { folder in
      #expect(try thrownError { _ = try loadPictures(at: folder) }.message.contains("is empty"))
      try Data("hello".utf8).write(to: folder.appendingPathComponent("notes.txt"))
      let notes = try thrownError { _ = try loadPictures(at: folder) }
      #expect(notes.message.contains("“notes.txt”"))
      try make(["inner/a.png"], in: folder)
      let nested = try thrownError { _ = try loadPictures(at: folder) }
      #expect(nested.hint?.contains("inner") == true)
    }
  }

  @Test func oneBadPictureFailsTheFolder() throws {
    try withFolder { folder in
      try make(["a.png"], in: folder)
      try Data("not a picture".utf8).write(to: folder.appendingPathComponent("b.jpg"))
      let error = try thrownError { _ = try loadPictures(at: folder) }
      #expect(error.message.contains("b.jpg"))
      #expect(error.message.contains("text (“not a picture”)"))
    }
  }

  @Test func whatIsNoOrdinaryFile() throws {
    try withFolder { folder in
      #expect(try thrownError { _ = try Picture.load(folder) }.message.contains("is a folder"))
      let pipe = folder.appendingPathComponent("pipe.png")
      #expect(mkfifo(pipe.path, 0o600) == 0)
      let error = try thrownError { _ = try Picture.load(pipe) }
      #expect(error.message.contains("not an ordinary file"))
    }
  }
}
