import Tensors

/// Runs `body` over `0..<count` in even ranges of at most `size` and joins the results along axis 0.
///
/// Sound because every operation gives a sample the same bits in any batch. Where there are as many
/// ranges as threads, each thread takes whole ranges: no thread waits for another inside the network.
func inSubBatches(
  _ count: Int, of size: Int, _ body: @Sendable (Range<Int>) -> Tensor
) -> Tensor {
  if count <= size { return body(0..<count) }
  let least = (count + size - 1) / size
  // 2 or a multiple of 4, so that the usual numbers of threads end together.
  let parts = min(count, least <= 2 ? least : (least + 3) / 4 * 4)
  let ranges = (0..<parts).map { $0 * count / parts..<($0 + 1) * count / parts }
  guard parts >= Compute.threads, Compute.threads > 1 else {
    return Tensor.concatenated(ranges.map(body), axis: 0)
  }
  let results = Results(count: parts)
  parallel(parts) { results.set($0, body(ranges[$0])) }
  return Tensor.concatenated(results.all, axis: 0)
}

/// One slot a range; every slot is written once, by one thread, before `all` is read.
private final class Results: @unchecked Sendable {
  private let slots: UnsafeMutableBufferPointer<Tensor?>

  init(count: Int) {
    slots = .allocate(capacity: count)
    slots.initialize(repeating: nil)
  }

  deinit {
    slots.deinitialize()
    slots.deallocate()
  }

  func set(_ place: Int, _ tensor: Tensor) { slots[place] = tensor }

  var all: [Tensor] { slots.compactMap { $0 } }
}
