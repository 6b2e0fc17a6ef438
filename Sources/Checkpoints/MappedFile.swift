import Foundation
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file mapped read-only into memory for as long as this object lives; the mapping never moves.
final class MappedFile: StoredBytes, @unchecked Sendable {
  let url: URL
  let bytes: UnsafeRawBufferPointer

  /// Maps a regular file; throws `EvokeError(.file)` when it is missing, unreadable, or no file.
  init(_ url: URL) throws {
    self.url = url
    let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.failure(url) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Self.failure(url) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw EvokeError(.file, "\(url.path) is not a file")
    }
    guard status.st_size > 0 else {  // mmap refuses a length of 0
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    let size = Int(status.st_size)
    guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
    else { throw Self.failure(url) }
    bytes = UnsafeRawBufferPointer(start: base, count: size)
  }

  deinit {
    if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
  }

  /// Takes a part's pages off this process's account; they stay in the system's cache.
  func release(_ part: UnsafeRawBufferPointer) {
    guard let start = part.baseAddress, let base = bytes.baseAddress else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let first = (start - base + page - 1) / page * page
    let last = (start - base + part.count) / page * page
    guard first < last else { return }
    madvise(UnsafeMutableRawPointer(mutating: base + first), last - first, MADV_DONTNEED)
  }

  private static func failure(_ url: URL) -> EvokeError {
    EvokeError(.file, "cannot read \(url.path): \(String(cString: strerror(errno)))")
  }
}
