import Tensors

/// Runs `body` over `0..<count` in even ranges of at most `size` and joins the results along axis 0.
///
/// Sound because every operation gives a sample the same bits in any batch. Where there are as many
/// ranges as threads, each thread takes whole ranges: no thread waits for another inside the network.
func inSubBatches(
  _ count: Int, of size: Int, _ body: @Sendable (Range<Int>) -> Tensor
) -> Tensor {
  let parts: [Tensor] = inSubBatches(count, of: size, body)
  return parts.count == 1 ? parts[0] : Tensor.concatenated(parts, axis: 0)
}

/// The results of the ranges, in order.
func inSubBatches<Part: Sendable>(
  _ count: Int, of size: Int, _ body: @Sendable (Range<Int>) -> Part
) -> [Part] {
  if count <= size { return [body(0..<count)] }
  let least = (count + size - 1) / size
  // 2 or a multiple of 4, so that the usual numbers of threads end together.
  let parts = min(count, least <= 2 ? least : (least + 3) / 4 * 4)
  let ranges = (0..<parts).map { $0 * count / parts..<($0 + 1) * count / parts }
  guard parts >= Compute.threads, Compute.threads > 1 else { return ranges.map(body) }
  let results = Results<Part>(count: parts)
  parallel(parts) { results.set($0, body(ranges[$0])) }
  return results.all
}

/// One slot a range; every slot is written once, by one thread, before `all` is read.
private final class Results<Part>: @unchecked Sendable {
  private let slots: UnsafeMutableBufferPointer<Part?>

  init(count: Int) {
    slots = .allocate(capacity: count)
    slots.initialize(repeating: nil)
  }

  deinit {
    slots.deinitialize()
    slots.deallocate()
  }

  func set(_ place: Int, _ part: Part) { slots[place] = part }

  var all: [Part] { slots.compactMap { $0 } }
}
