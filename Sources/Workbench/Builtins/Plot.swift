import Inversion
import Language
import Pictures
import Tensors

/// `plot`: the chart that a value calls for.
enum PlotBuiltin {
  static let plot = Builtin(
    "plot", topic: Topic.see,
    summary:
      "Draws a value: a search's progress, a spectrum, token lengths, curves or a histogram",
    parameters: [
      Parameter(
        "value",
        .object(SearchValue.typeName) | .object(DescentValue.typeName)
          | .object(SubspaceValue.typeName) | .object(CurveValue.typeName)
          | .object(ModelValue.typeName) | .tensor | .list | .record,
        "a search or descent, a subspace, a sensitivity curve, a model, a list or tensor of numbers, or a record of such curves"
      ),
      Parameter(
        label: "as", .member, default: .member("curve"),
        choices: ["curve", "bars", "histogram", "population"],
        "how numbers are drawn; `.population` is a search's candidates in the plane"),
      Parameter(label: "title", .string, default: "", "above the chart"),
      Parameter(label: "x", .string, default: "", "what the horizontal axis shows"),
      Parameter(label: "y", .string, default: "", "what the vertical axis shows"),
      Parameter(
        label: "scale", .member, default: .member("linear"),
        choices: Chart.Axis.Scale.allCases.map(\.rawValue), "the vertical axis"),
      Parameter(
        label: "bins", .int, default: 40, unit: "bins", "of a histogram"),
    ],
    returns: .object(PlotValue.typeName),
    example: "plot(es)"
  ) { arguments, _ in
    var chart: Chart
    switch arguments["value"] {
    case .object(let search as SearchValue): chart = try searched(search.run, arguments)
    case .object(let descent as DescentValue): chart = try progress(descent.run, arguments)
    case .object(let curve as CurveValue): chart = sensitivity(curve.curve)
    case .object(let subspace as SubspaceValue): chart = try spectrum(subspace, arguments)
    case .object(let model as ModelValue): chart = lengths(model)
    default: chart = try numbers(arguments)
    }
    let title = try arguments.string("title")
    if !title.isEmpty { chart.title = title }
    let (x, y) = try (arguments.string("x"), arguments.string("y"))
    if !x.isEmpty { chart.x.label = x }
    if !y.isEmpty { chart.y.label = y }
    return .object(try PlotValue(chart))
  }

  private static func searched(_ run: EvolutionRun, _ arguments: Arguments) throws -> Chart {
    guard !run.history.isEmpty else {
      throw arguments.error(
        "value", .value, "this search has no generations to plot yet",
        hint: "es = evolve(es, loss, generations: 10)")
    }
    return try arguments.member("as") == "population"
      ? PopulationCharts(run).still : Chart(progressOf: run)
  }

  /// Losses by step, and those of the held-out set.
  private static func progress(_ run: DescentRun, _ arguments: Arguments) throws -> Chart {
    guard !run.history.isEmpty, let start = run.start else {
      throw arguments.error(
        "value", .value, "this descent has no steps to plot yet",
        hint: "ad = descend(ad, loss, steps: 100)")
    }
    let measured = run.history.filter { $0.heldOut != nil }
    return Chart(
      title: "descent", x: .init("step"), y: .init("denoising loss"),
      series: [
        .line(
          "this step's draws", x: run.history.map { Double($0.step) },
          y: run.history.map(\.loss), markers: false),
        .line(
          "held-out", x: [0] + measured.map { Double($0.step) },
          y: [start.loss] + measured.map { $0.heldOut ?? .nan }),
      ])
  }

  /// g(t) with standard errors.
  private static func sensitivity(_ curve: SensitivityCurve) -> Chart {
    let x = curve.timesteps.map(Double.init)
    return Chart(
      title: "sensitivity to the text", x: .init("timestep"), y: .init("g(t)"),
      series: [
        .band(
          "standard error", x: x, lower: zip(curve.values, curve.errors).map { $0 - $1 },
          upper: zip(curve.values, curve.errors).map { $0 + $1 }),
        .line("g(t)", x: x, y: curve.values),
      ])
  }

  private static func spectrum(_ value: SubspaceValue, _ arguments: Arguments) throws -> Chart {
    let spectrum = value.subspace.spectrum
    guard !spectrum.isEmpty else {
      throw arguments.error(
        "value", .value, "a \(value.subspace.kind.rawValue) subspace has no spectrum",
        hint: "subspace(m, by: .pca) has one")
    }
    let numbers = (1...spectrum.count).map(Double.init)
    // What rounding left of components that the table does not have would take all of the axis.
    let least = (spectrum.first ?? 0) * 1e-9
    return Chart(
      title: "spectrum of the token table", x: .init("component"),
      y: .init("variance", scale: .logarithmic),
      series: [
        .line("variance", x: numbers, y: spectrum.map { $0 > least ? $0 : .nan }, markers: false),
        .level("kept", x: Double(value.subspace.dimension) + 0.5),
      ])
  }

  /// How long the rows of the token table are: an embedding far from them means nothing to the model.
  private static func lengths(_ value: ModelValue) -> Chart {
    let table = value.model.textEncoder.tokenTable
    let lengths = (0..<table.shape[0]).map { row in
      table.row(row).values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }
    return Chart(
      title: "the model's tokens", x: .init("length of a token"), y: .init("tokens"),
      series: [.histogram(values: lengths)])
  }

  private static func numbers(_ arguments: Arguments) throws -> Chart {
    let curves = try curves(arguments)
    let style = try arguments.member("as")
    let scale = Chart.Axis.Scale(rawValue: try arguments.member("scale")) ?? .linear
    let bins = try arguments.int("bins", in: 1...10_000)
    let series: [Chart.Series] = curves.map { name, values in
      switch style {
      case "histogram": .histogram(name, values: values, bins: bins)
      case "bars": .bars(name, heights: values)
      default: .line(name, y: values)
      }
    }
    return Chart(x: .init(), y: .init(scale: scale), series: series)
  }

  /// The numbers to draw, by name.
  private static func curves(_ arguments: Arguments) throws -> [(String, [Double])] {
    if case .record(let record) = arguments["value"] {
      return try record.fields.map { ($0.key, try numbers($0.value, arguments)) }
    }
    if case .tensor(let tensor) = arguments["value"], tensor.rank == 2, tensor.shape[0] <= 12 {
      return (0..<tensor.shape[0]).map { row in
        ("\(row)", tensor.row(row).values.map(Double.init))
      }
    }
    return [("", try numbers(arguments["value"], arguments))]
  }

  private static func numbers(_ value: Value, _ arguments: Arguments) throws -> [Double] {
    switch value {
    case .tensor(let tensor): return tensor.values.map(Double.init)
    case .object(let object):
      if let tensor = object.asTensor { return tensor.values.map(Double.init) }
    case .list(let list):
      return try list.map { element in
        switch element {
        case .int(let int): return Double(int)
        case .double(let double): return double
        case .none: return .nan
        default: throw arguments.error("value", .type, "a \(element.typeName) cannot be plotted")
        }
      }
    default: break
    }
    throw arguments.error("value", .type, "a \(value.typeName) cannot be plotted")
  }
}
