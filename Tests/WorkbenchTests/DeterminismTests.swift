import Foundation
import Language
import Tensors
import Testing

@testable import Workbench

/// The contract of docs/architecture.md, on a whole small inversion: the same bytes whatever the
/// circumstances. Serialised, because the circumstances are the process's.
@Suite(.serialized) struct DeterminismTests {
  static let inversion = """
    m = model("demo")
    photos = images("PHOTOS")
    start = attend(m, photos)
    space = subspace(m, dim: 6, around: start)
    loss = denoising(m, photos, draws: 3, heldout_draws: 4)
    es = evolve(cma(space, population: 5), loss, generations: 2)
    g = sensitivity(m, photos, at: [500], draws: 2)
    ad = descend(adam(start, batch: 3), loss, steps: 2)
    star = token("<star>", es.best)
    drawn = generate(m, "a photo of a <star>", with: star, count: 2, steps: 2)
    near = align(m, drawn, photos)
    """
  static let names = ["start", "space", "loss", "es", "drawn", "near", "g", "ad"]

  private func digests(_ source: String = inversion) throws -> [String] {
    let outcome = try Script().run(source)
    return Self.names.map { outcome.digest($0) }
  }

  @Test("Threads, batches and instruction sets change no byte")
  func circumstances() throws {
    let threads = Compute.threads
    let set = Compute.instructionSet
    defer {
      Compute.threads = threads
      try? Compute.setInstructionSet(set)
      WorkbenchSettings.batch = nil
    }
    let reference = try digests()
    for (count, batch) in [(1, 1), (2, 4), (4, 20)] {
      Compute.threads = count
      WorkbenchSettings.batch = batch
      #expect(try digests() == reference, "\(count) threads, batches of \(batch)")
    }
    for other in Compute.supported where other != set && other != .scalar {
      try Compute.setInstructionSet(other)
      #expect(try digests() == reference, "\(other)")
    }
  }

  @Test("Plain C gives the bytes of the vector instructions: every part of the model once")
  func scalar() throws {
    let set = Compute.instructionSet
    defer { try? Compute.setInstructionSet(set) }
    let source = """
      m = model("demo")
      photo = images("PHOTOS", limit: 1)
      z = latents(m, photo)
      n = noise(m, z, at: 400)
      noised = n.noised
      e = predict(m, noised, at: 400, text: encode(m, "a star"))
      f = features(m, photo)
      """
    let names = ["z", "n", "e", "f"]
    let fast = try Script().run(source)
    try Compute.setInstructionSet(.scalar)
    let plain = try Script().run(source)
    for name in names { #expect(fast.digest(name) == plain.digest(name), "\(name)") }
  }

  @Test("An inserted statement that draws moves the draws of no other")
  func insertion() throws {
    let inserted = Self.inversion.replacingOccurrences(
      of: "space = ", with: "extra = noise(m, latents(m, photos), at: 10)\nspace = ")
    #expect(try digests(inserted) == digests())
  }

  @Test("Evolving in two goes is evolving in one")
  func continuation() throws {
    let twice = Self.inversion.replacingOccurrences(
      of: "es = evolve(cma(space, population: 5), loss, generations: 2)",
      with: """
        es = cma(space, population: 5)
        es = evolve(es, loss, generations: 1)
        es = evolve(es, loss, generations: 1)
        """
    )
    .replacingOccurrences(
      of: "ad = descend(adam(start, batch: 3), loss, steps: 2)",
      with: """
        ad = descend(adam(start, batch: 3), loss, steps: 1)
        ad = descend(ad, loss, steps: 1)
        """)
    let once = Self.inversion.replacingOccurrences(
      of: "es = evolve(cma(space, population: 5), loss, generations: 2)",
      with: """
        es = cma(space, population: 5)
        es = evolve(es, loss, generations: 2)
        """)
    #expect(try digests(twice) == digests(once))
  }

  @Test("Another seed gives other draws")
  func seeds() throws {
    let (a, b) = try (digests("seed(1)\n" + Self.inversion), digests("seed(2)\n" + Self.inversion))
    #expect(a[0] == b[0], "attend draws nothing")
    #expect(a[3] != b[3])
  }
}
