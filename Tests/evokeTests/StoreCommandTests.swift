import Foundation
import Testing

@Suite struct StoreCommandTests {
  @Test func listsShowsAndDeletesSessions() throws {
    let place = try Workplace()
    try place.write("x = 1\ny = x + 1\n", to: "a.evk")
    #expect(try place.evoke(["run", "a.evk"]).status == 0)
    #expect(try place.evoke(["prompt"], input: "z = 3\n").status == 0)
    let listing = try place.evoke(["store"])
    #expect(listing.lines.count == 3)
    #expect(listing.lines[1].contains("ended") || listing.lines[2].contains("ended"))
    #expect(listing.output.contains("a.evk"))
    let shown = try place.evoke(["store", "show", "1"])
    #expect(shown.output.contains("y = x + 1\n#> y: 2"))
    #expect(try place.evoke(["store", "show", "9"]).status == 1)
    #expect(try place.evoke(["store", "delete"]).status == 2)
    #expect(try place.evoke(["store", "delete", "1"]).output == "deleted 1 session\n")
    #expect(try place.evoke(["store", "compact"]).output.contains("now"))
    #expect(try place.evoke(["store", "delete", "--all"]).output == "deleted 1 session\n")
    #expect(try place.evoke(["store"]).lines.count == 1)
  }

  @Test func resumesASessionThatEnded() throws {
    let place = try Workplace()
    #expect(try place.evoke(["prompt"], input: "x = normal([3])\ny = 2;\n").status == 0)
    let resumed = try place.evoke(["prompt"], input: ":resume 1\ny + 1\n:undo\n:undo\nx\n")
    #expect(resumed.lines.first == "resumed 2 of 2 statements of session 1")
    #expect(resumed.output.contains("ans: 3 "))
    #expect(resumed.output.contains("undone: y = 2"))
    #expect(try place.evoke(["prompt"], input: ":resume\n").errors.contains("no session"))
    #expect(try place.evoke(["prompt"], input: "a = 1\n:resume 1\n").errors.contains("comes first"))
    #expect(try place.evoke(["prompt"], input: ":resume x\n").errors.contains("takes the number"))
  }

  @Test(arguments: ["damaged", "no folder"])
  func aStoreThatFailsIsDoneWithout(_ how: String) throws {
    let place = try Workplace()
    try place.write(String(repeating: "no database ", count: 100), to: "bad/store.sqlite")
    let home = how == "damaged" ? place.folder.appendingPathComponent("bad").path : "/dev/null/x"
    let prompt = try place.evoke(["prompt"], input: "x = 1\ny = x + 1\n", home: home)
    #expect(prompt.status == 0)
    #expect(prompt.output.contains("y: 2"))
    #expect(prompt.errors.contains("goes on without it"))
    #expect(prompt.errors.split(separator: "\n").count == 2)
    try place.write("x = 1\n", to: "a.evk")
    #expect(try place.evoke(["run", "a.evk"], home: home).output.contains("x: 1"))
    #expect(try place.evoke(["store"], home: home).status == 1)
  }

  @Test func cachedRunsTakeWhatIsKnown() throws {
    let place = try Workplace()
    let script = """
      m = model("demo")
      drawn = generate(m, "a star", seed: 1, steps: 4, count: 4)
      n = 1

      """
    try place.write(script, to: "a.evk")
    let first = try place.evoke(["run", "a.evk"])
    #expect(first.status == 0)
    try place.write(script.replacingOccurrences(of: "n = 1", with: "n = 2"), to: "a.evk")
    let second = try place.evoke(["run", "a.evk", "--cached"])
    #expect(second.lines.dropLast() == first.lines.dropLast())
    #expect(try place.evoke(["store"]).output.contains("of 1 calls"))
  }
}
