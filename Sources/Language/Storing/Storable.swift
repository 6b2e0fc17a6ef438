/// A domain value that can be kept as bytes and read back as the same value.
///
/// What is cheap to make again from its statement (a model, an objective) need not conform: it is
/// made again.
public protocol Storable: Object {
  /// Writes everything that makes up the value, also what its digest leaves out.
  ///
  /// The bytes are a function of the value alone: calls are recognised by them.
  func encode(into encoder: inout ValueEncoder) throws

  /// Reads what ``encode(into:)`` wrote.
  ///
  /// - Throws: `EvokeError` (format) for bytes that it cannot have written.
  init(from decoder: inout ValueDecoder) throws
}
