import Foundation
import Language
import Tensors
import Testing

@testable import Workbench

/// The shapes that scripts of others rely on.
@Suite struct InsideTests {
  @Test("encode, latents, noise, predict, decode and features have the promised shapes")
  func shapes() throws {
    let outcome = try Script().run(
      """
      m = model("demo")
      photos = images("PHOTOS")
      h = encode(m, "a star")
      z = latents(m, photos)
      n = noise(m, z, at: 500)
      noised = n.noised
      e = predict(m, noised, at: 500, text: h)
      back = decode(m, z)
      f = features(m, photos)
      t = features(m, "a star")
      ids = tokenize(m, "a star")
      s = schedule(m).alphas
      """)
    guard case .object(let object) = outcome["m"], let model = (object as? ModelValue)?.model else {
      return #expect(Bool(false), "m is a model")
    }
    let (length, width) = (model.tokenizer.maxLength, model.textEncoder.width)
    #expect(try outcome.tensor("h").shape == [1, length, width])
    #expect(try outcome.tensor("z").shape == [5] + model.latentShape)
    #expect(try outcome.tensor("e").shape == [5] + model.latentShape)
    #expect(try outcome.tensor("s").shape == [model.schedule.trainingSteps])
    let features = try outcome.tensor("f")
    #expect(features.shape[0] == 5)
    for row in 0..<5 {
      let norm = features.row(row).values.reduce(0) { $0 + $1 * $1 }
      #expect(abs(norm - 1) < 1e-4)
    }
    #expect(try outcome.tensor("t").shape == [1, features.shape[1]])
    guard case .list(let ids) = outcome["ids"] else { return #expect(Bool(false), "ids is a list") }
    #expect(ids.count == 4)
    #expect(outcome["back"].echo == "5 images \(model.pictureSize)×\(model.pictureSize)")
  }

  @Test("Pictures survive the autoencoder")
  func reconstruction() throws {
    let outcome = try Script().run(
      """
      m = model("demo")
      photos = images("PHOTOS")
      d = decode(m, latents(m, photos)).tensor - photos.tensor
      error = mean(d * d)
      """)
    // −1…1: 25 dB is a mean squared error of 0.0126.
    #expect(try outcome.double("error") < 0.0126)
  }

  @Test("noise is √ᾱ z + √(1−ᾱ) ε")
  func noising() throws {
    let outcome = try Script().run(
      """
      m = model("demo")
      z = latents(m, images("PHOTOS"))
      n = noise(m, z, at: 300)
      a = schedule(m).alphas[300]
      """)
    guard case .record(let record) = outcome["n"], case .tensor(let noised)? = record["noised"],
      case .tensor(let noise)? = record["noise"]
    else { return #expect(Bool(false), "n is a record of tensors") }
    let (z, alpha) = try (outcome.tensor("z"), outcome.double("a"))
    for i in [0, 17, 1000] {
      let expected =
        alpha.squareRoot() * Double(z.values[i])
        + (1 - alpha).squareRoot() * Double(noise.values[i])
      #expect(abs(Double(noised.values[i]) - expected) < 1e-5)
    }
  }
}

@Suite struct WordsTests {
  @Test("Captions, classes, sentences and perceptual distances of the given pictures")
  func words() throws {
    let outcome = try Script().run(
      """
      m = model("demo")
      photos = images("PHOTOS")
      captions = caption(m, photos)
      classes = classify(m, photos, words: ["star", "circle", "house"])
      total = sum(map(classify(m, photos, count: 10000), c => c.probability))
      rows = sentence(m, "a red star")
      same = rows[2] == word(m, "star").vector
      itself = lpips(m, photos[0], photos[0])
      others = lpips(m, photos[0], photos[1...])
      drawn = encode(m, "a <it>", with: token("<it>", rows))
      """)
    guard case .list(let captions) = outcome["captions"],
      case .list(let classes) = outcome["classes"]
    else { return #expect(Bool(false), "lists") }
    #expect(captions.count == 5)
    #expect(classes.first?.description.contains("star") == true)
    #expect(abs(try outcome.double("total") - 1) < 1e-9)
    #expect(try outcome.tensor("rows").shape == [3, 128])
    #expect(outcome["same"].description == "true")
    #expect(try outcome.double("itself") == 0)
    #expect(try outcome.double("others") > 0.1)
  }

  @Test(
    "What they refuse",
    arguments: [
      ("c = classify(m, p, prompt: \"a star\")", "no {}"),
      ("c = classify(m, p, words: [])", "1 to 10000"),
      ("s = sentence(m, \" \")", "no word"), ("c = caption(m, p, limit: 0)", "`limit`"),
    ])
  func refusals(statement: String, word: String) throws {
    let message = try Script().failure(
      "m = model(\"demo\")\np = images(\"PHOTOS\", limit: 1)\n" + statement)
    #expect(message.contains(word), "\(message)")
  }
}
