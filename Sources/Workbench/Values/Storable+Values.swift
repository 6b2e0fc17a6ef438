import Diffusion
import Inversion
import Language
import Pictures
import Tensors

// Values that are dear to compute, as bytes in the store and back. Models, objectives and plots are
// made again from their statements.

extension ImagesValue: Storable {
  public func encode(into encoder: inout ValueEncoder) throws {
    encoder.int(count)
    for (picture, name) in zip(pictures, names) {
      try encoder.string(name)
      encoder.int(picture.width)
      encoder.int(picture.height)
      try encoder.data(picture.pixels)
    }
  }

  public init(from decoder: inout ValueDecoder) throws {
    var pictures: [Picture] = []
    var names: [String] = []
    for _ in 0..<(try decoder.count()) {
      names.append(try decoder.string())
      let (width, height) = (try decoder.int(), try decoder.int())
      let pixels = Array(try decoder.data())
      let limit = Picture.largestPixelCount
      guard (1...limit).contains(width), (1...limit).contains(height),
        pixels.count == width * height * 3
      else { throw ValueDecoder.damage }
      pictures.append(Picture(width: width, height: height, pixels: pixels))
    }
    self.init(pictures, names: names)
  }
}

extension EmbeddingValue: Storable {
  public func encode(into encoder: inout ValueEncoder) throws {
    try encoder.tensor(vector)
    encoder.int(words.count)
    for entry in words {
      try encoder.string(entry.word)
      encoder.double(entry.weight)
    }
  }

  public init(from decoder: inout ValueDecoder) throws {
    let vector = try decoder.tensor()
    let words = try (0..<(try decoder.count())).map { _ in
      (word: try decoder.string(), weight: try decoder.double())
    }
    self.init(vector, words: words)
  }
}

extension TokenValue: Storable {
  public func encode(into encoder: inout ValueEncoder) throws {
    try encoder.string(word.placeholder)
    try encoder.tensor(word.vectors)
    try encoder.codable(word.metadata)
    try encoder.string(modelDigest)
  }

  public init(from decoder: inout ValueDecoder) throws {
    let (name, vectors) = (try decoder.string(), try decoder.tensor())
    let word = try LearnedWord(name, vectors: vectors, metadata: decoder.codable())
    self.init(word, modelDigest: try decoder.string())
  }
}

extension SubspaceValue: Storable {
  public func encode(into encoder: inout ValueEncoder) throws { try encoder.codable(subspace) }
  public init(from decoder: inout ValueDecoder) throws { self.init(try decoder.codable()) }
}

extension SearchValue: Storable {
  public func encode(into encoder: inout ValueEncoder) throws { try encoder.codable(run) }
  public init(from decoder: inout ValueDecoder) throws { self.init(try decoder.codable()) }
}

extension DescentValue: Storable {
  public func encode(into encoder: inout ValueEncoder) throws { try encoder.codable(run) }
  public init(from decoder: inout ValueDecoder) throws { self.init(try decoder.codable()) }
}

extension CurveValue: Storable {
  public func encode(into encoder: inout ValueEncoder) throws { try encoder.codable(curve) }
  public init(from decoder: inout ValueDecoder) throws { self.init(try decoder.codable()) }
}
