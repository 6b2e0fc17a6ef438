/// Bounds that keep a script from exhausting the machine. Passing one is an error that points at
/// the expression; none ends the process.
public struct Limits: Sendable {
  /// Loop iterations, calls, elements gone through and blocks of 4096 bytes worked on in one run.
  public var steps: Int
  /// Calls within calls.
  public var callDepth: Int
  /// Lists within lists.
  public var depth: Int
  /// Elements of one list.
  public var elements: Int
  /// Bytes of one string.
  public var stringBytes: Int
  /// Elements of one tensor made by the language's own operations.
  public var tensorElements: Int
  /// Bytes that a run may take in all; more than four fifths of what is available is never taken.
  public var memoryBytes: Int
  /// Bytes that a statement may print.
  public var printedBytes: Int { stringBytes &* 4 }

  /// What `evoke` uses.
  public static let standard = Limits(
    steps: 1_000_000_000, callDepth: 1000, depth: 256, elements: 4_000_000,
    stringBytes: 16_777_216, tensorElements: 1 << 28)

  public init(
    steps: Int, callDepth: Int, depth: Int, elements: Int, stringBytes: Int, tensorElements: Int,
    memoryBytes: Int = .max
  ) {
    self.steps = steps
    self.callDepth = callDepth
    self.depth = depth
    self.elements = elements
    self.stringBytes = stringBytes
    self.tensorElements = tensorElements
    self.memoryBytes = memoryBytes
  }
}
