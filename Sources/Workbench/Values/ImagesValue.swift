import Language
import Pictures
import Tensors

/// Some pictures with their names, in order.
public struct ImagesValue: SequenceObject {
  public static let typeName = "Images"
  public static let memberNames = ["count", "names", "width", "height", "tensor"]

  public let pictures: [Picture]
  /// One name a picture: a file's name, a prompt, or empty.
  public let names: [String]

  /// `pictures` under `names`; as many names as pictures.
  public init(_ pictures: [Picture], names: [String]) {
    precondition(pictures.count == names.count, "one name a picture")
    self.pictures = pictures
    self.names = names
  }

  public var count: Int { pictures.count }

  public var summary: String { "" }

  public var echo: String {
    let sizes = Set(pictures.map { [$0.width, $0.height] })
    let noun = count == 1 ? "1 image" : "\(count) images"
    guard let first = pictures.first else { return "no images" }
    return sizes.count == 1
      ? "\(noun) \(first.width)×\(first.height)" : "\(noun) of \(sizes.count) sizes"
  }

  public func hash(into digest: inout Digest) {
    digest.int(count)
    for picture in pictures {
      digest.int(picture.width)
      digest.int(picture.height)
      digest.bytes(picture.pixels)
    }
  }

  public func element(_ index: Int) throws -> Value {
    .object(ImagesValue([pictures[index]], names: [names[index]]))
  }

  public func elements(_ range: Range<Int>) throws -> Value {
    .object(ImagesValue(Array(pictures[range]), names: Array(names[range])))
  }

  public func member(_ name: String) throws -> Value? {
    switch name {
    case "count": return .int(count)
    case "names": return .strings(names)
    case "width": return pictures.first.map { .int($0.width) } ?? Value.none
    case "height": return pictures.first.map { .int($0.height) } ?? Value.none
    case "tensor":
      guard let first = pictures.first else { return Value.none }
      guard pictures.allSatisfy({ $0.width == first.width && $0.height == first.height }) else {
        throw EvokeError(
          .shape, "the images have different sizes, so they do not stack into one tensor",
          hint: "take one of them, as in photos[0].tensor")
      }
      return .tensor(Tensor.stacked(pictures.map { $0.tensor() }))
    default: return nil
    }
  }
}
