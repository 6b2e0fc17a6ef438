import Tensors
import Testing

@testable import Inversion

@Suite struct PromptsTests {
  @Test func stockSentences() {
    #expect(Prompts.object.all.count == 27 && Prompts.style.all.count == 19)
    for template in Prompts.object.all + Prompts.style.all {
      #expect(template.components(around: "{}") == 2)
    }
  }

  @Test func onlySentencesTheModelUnderstands() throws {
    let model = try demo.get()
    let known = Set(model.words)
    for prompts in [Prompts.object, .style] {
      let templates = try prompts.templates(for: model)
      #expect(!templates.isEmpty)
      #expect(Set(templates).isSubset(of: prompts.all))
      let understood = prompts.all.filter {
        words(of: $0).allSatisfy { $0.count < 3 || known.contains($0) }
      }
      #expect(templates == (understood.isEmpty ? prompts.all : understood))
    }
  }

  @Test func sentencesOfOnesOwn() throws {
    let model = try demo.get()
    #expect(try Prompts.templates(["my {}"]).templates(for: model) == ["my {}"])
    #expect(isRefused(.value, "once") { _ = try Prompts.templates(["a"]).templates(for: model) })
    #expect(
      isRefused(.value, "once") { _ = try Prompts.templates(["{} {}"]).templates(for: model) })
    #expect(isRefused(.value, "empty") { _ = try Prompts.templates([]).templates(for: model) })
    #expect("a {} on b".filled(with: "<x>") == "a <x> on b")
  }
}
