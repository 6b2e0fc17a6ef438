import Diffusion
import Tensors
import Testing

@testable import Inversion

@Suite struct AttendTests {
  private func norm(_ tensor: Tensor) -> Double {
    tensor.values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
  }

  @Test func startsAmongTheWords() throws {
    let model = try demo.get()
    let start = try attend(model, discs)
    #expect(start.embedding.shape == [model.textEncoder.width])
    #expect(abs(start.weights.reduce(0) { $0 + $1.weight } - 1) < 1e-12)
    #expect(zip(start.weights, start.weights.dropFirst()).allSatisfy { $0.weight >= $1.weight })
    let norms = wordRows(of: model).map { norm(model.textEncoder.tokenTable.row($0)) }.sorted()
    #expect(abs(norm(start.embedding) - norms[norms.count / 2]) < 1e-5)
    #expect(start.weights.allSatisfy { $0.word.count > 2 && $0.word != "photo" })
    #expect(try attend(model, discs) == start)
  }

  @Test func temperatureGoesFromOneWordToAll() throws {
    let model = try demo.get()
    let cold = try attend(model, discs, temperature: 1e-6)
    let hot = try attend(model, discs, temperature: 1e6)
    #expect(cold.weights[0].weight > 0.3)
    let count = Double(hot.weights.count)
    #expect(hot.weights.allSatisfy { abs($0.weight - 1 / count) < 1e-4 })
    let one = try attend(model, discs, words: [cold.nearestWord])
    let word = try wordEmbedding(model, cold.nearestWord)
    let cosine = dot(one.embedding, word) / norm(one.embedding) / norm(word)
    #expect(abs(cosine - 1) < 1e-6)
  }

  @Test func refusals() throws {
    let model = try demo.get()
    #expect(isRefused(.value, "temperature") { _ = try attend(model, discs, temperature: 0) })
    #expect(isRefused(.value, "pictures") { _ = try attend(model, []) })
    #expect(isRefused(.value, "words") { _ = try attend(model, discs, words: []) })
    #expect(isRefused(.name, "single token") { _ = try attend(model, discs, words: ["qwrtzp"]) })
    #expect(isRefused(.name, "single token") { _ = try wordEmbedding(model, "two words") })
  }

  @Test func wordRowsAreDistinct() throws {
    let model = try demo.get()
    let rows = wordRows(of: model)
    #expect(Set(rows).count == rows.count && rows.count > 10)
    #expect(rows.allSatisfy { $0 < model.textEncoder.tokenTable.shape[0] })
  }

  @Test func alignment() throws {
    let model = try demo.get()
    let same = try align(model, [discs[0]], with: [discs[0]])
    #expect(abs(same - 1) < 1e-5)
    let all = try align(model, discs, with: discs)
    #expect(all > 0.3 && all <= 1 + 1e-6)
    let text = try align(model, discs, withText: "a photo of a red circle")
    #expect(text >= -1 && text <= 1)
    #expect(isRefused(.value, "both sides") { _ = try align(model, [], with: discs) })
    #expect(isRefused(.value, "both sides") { _ = try align(model, [], withText: "a star") })
  }
}
