import Language

/// The vocabulary of evoke: every builtin that binds the language to the layers below.
public enum Workbench {
  /// The language's own builtins and evoke's, in the order in which help lists them.
  public static let registry = Registry(
    LoadingBuiltins.all + InsideBuiltins.all + StartBuiltins.all + SubspaceBuiltins.all
      + ObjectiveBuiltins.all + SensitivityBuiltins.all + SearchBuiltins.all + DescentBuiltins.all
      + UseBuiltins.all + WordsBuiltins.all + SeeBuiltins.all + AnimateBuiltins.all
      + FileBuiltins.all + Registry.core.builtins,
    types: [
      ModelValue.self, ImagesValue.self, EmbeddingValue.self, SubspaceValue.self,
      ObjectiveValue.self, SimilarityValue.self, CurveValue.self, SearchValue.self,
      DescentValue.self, TokenValue.self, PlotValue.self, AnimationValue.self,
    ])
}

/// The topics under which help and the reference page list builtins.
enum Topic {
  static let load = "Load"
  static let inside = "Look inside"
  static let start = "Start"
  static let subspace = "Subspace"
  static let objective = "Objective"
  static let search = "Search"
  static let use = "Use"
  static let see = "See"
}

/// Parameters that many builtins share, declared once so that they read the same everywhere.
enum Shared {
  static let model = Parameter("model", .object(ModelValue.typeName), "the model")
  static let photos = Parameter("photos", .object(ImagesValue.typeName), "the given pictures")
  static let seed = Parameter(
    label: "seed", .int, default: .none,
    "the randomness of this call; left out, it follows from the session's seed and this statement")
  static let with = Parameter(
    label: "with", .object(TokenValue.typeName) | .list(.object(TokenValue.typeName)),
    default: .none,
    "the learned word, or a list of them, that prompts may use")
  static let objective = Parameter(
    "objective", .object(ObjectiveValue.typeName) | .object(SimilarityValue.typeName),
    "what candidates are judged by")
  static let patience = Parameter(
    label: "patience", .int, default: .none, unit: "checks",
    "stop when the held-out losses of so many last measurements have levelled off; never if left out"
  )
}
