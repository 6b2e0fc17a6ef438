/// The top-level names and their slots.
struct GlobalTable: Sendable {
  private(set) var slots: [String: Int] = [:]
  private(set) var names: [String] = []

  init() { _ = slot("ans") }

  /// The slot of `name`, a new one if it has none.
  mutating func slot(_ name: String) -> Int {
    if let slot = slots[name] { return slot }
    slots[name] = names.count
    names.append(name)
    return names.count - 1
  }
}

/// The local variables of a function, or the loop variables of the top level.
final class FunctionScope {
  /// Where a closure gets a captured value from: a slot of the surrounding scope.
  struct Capture {
    let name: String
    let outerSlot: Int
    let slot: Int
  }
  let parent: FunctionScope?
  /// Whether this is the top level, whose assignments go to the globals.
  let isMain: Bool
  private(set) var slots: [String: Int] = [:]
  private(set) var frameSize = 0
  private(set) var captures: [Capture] = []
  /// The function's own name if that is local to the surrounding scope, and its slot once used.
  let ownName: String?
  private(set) var selfSlot: Int?

  init(parent: FunctionScope?, isMain: Bool = false, ownName: String? = nil) {
    self.parent = parent
    self.isMain = isMain
    self.ownName = ownName
  }

  /// A slot without a name.
  func reserve() -> Int {
    frameSize += 1
    return frameSize - 1
  }

  @discardableResult
  func declare(_ name: String) -> Int {
    if let slot = slots[name] { return slot }
    let slot = reserve()
    slots[name] = slot
    return slot
  }

  /// Declares `name` anew, hiding one of the same name; returns what to restore.
  func shadow(_ name: String) -> (slot: Int, outer: Int?) {
    let outer = slots[name]
    slots[name] = reserve()
    return (slots[name] ?? 0, outer)
  }

  func restore(_ name: String, _ outer: Int?) { slots[name] = outer }

  /// The local slot for `name`, captured from around if it is not of this scope; nil if no
  /// function around has it.
  func resolve(_ name: String) -> Int? {
    if let slot = slots[name] { return slot }
    if name == ownName {
      let slot = declare(name)
      selfSlot = slot
      return slot
    }
    guard let outer = parent?.resolve(name) else { return nil }
    let slot = declare(name)
    captures.append(Capture(name: name, outerSlot: outer, slot: slot))
    return slot
  }

  /// All names that can be seen from here, except the globals.
  var visibleNames: [String] { slots.keys.sorted() + (parent?.visibleNames ?? []) }
}
