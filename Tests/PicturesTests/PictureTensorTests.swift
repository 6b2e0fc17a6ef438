import Tensors
import Testing

@testable import Pictures

@Suite struct PictureTensorTests {
  @Test func valuesAreThoseOfDiffusers() throws {
    let picture = try goldenPicture("tensor/pixels.ppm")
    let tensor = picture.tensor()
    #expect(tensor.shape == [3, 16, 16])
    #expect(tensor.values == (try goldenFloats("tensor/values.f32")))
    #expect(try Picture(tensor: tensor) == picture)
  }

  @Test func picturesAreThoseOfDiffusers() throws {
    let noise = Tensor(shape: [3, 12, 9], values: try goldenFloats("tensor/noise.f32"))
    #expect(try Picture(tensor: noise) == goldenPicture("tensor/noise.ppm"))
  }

  @Test func valuesThatAreNoNumbersGiveAPictureAllTheSame() throws {
    let odd = Tensor(shape: [3, 1, 1], values: [.nan, .infinity, -.infinity])
    #expect(try Picture(tensor: odd).pixels == [0, 255, 0])
  }

  @Test func batches() throws {
    let pictures = [testPicture(width: 3, height: 2), testPicture(width: 3, height: 2)]
    let batch = try tensor(of: pictures)
    #expect(batch.shape == [2, 3, 2, 3])
    #expect(try Picture.pictures(of: batch) == pictures)
  }

  @Test func wrongShapesAreErrors() throws {
    let flat = Tensor(shape: [4], values: [0, 0, 0, 0])
    #expect(try thrownError { _ = try Picture(tensor: flat) }.kind == .shape)
    #expect(try thrownError { _ = try Picture.pictures(of: flat) }.kind == .shape)
    #expect(try thrownError { _ = try tensor(of: []) }.kind == .value)
    let sizes = [testPicture(width: 3, height: 2), testPicture(width: 2, height: 3)]
    let error = try thrownError { _ = try tensor(of: sizes) }
    #expect(error.message.contains("3×2") && error.message.contains("2×3"))
  }
}
