import Checkpoints
import Diffusion
import Evolution
import Foundation
import Inversion
import Tensors

/// Gradients, for scripts/conformance/gradients.py.
let gradientOperations: [String: Operation] = [
  // FOLDER IN OUT RECOMPUTING: "latents", "noise" [B, C, h, w], "timesteps" [B], token "embeddings"
  // [B, L, d] → the "output", and the gradients of "text" (hidden states) and "embeddings" of the
  // mean squared error
  "gradient": { arguments in
    let folder = try arguments.url(0)
    let unet = try UNet2DCondition(folder: folder.appendingPathComponent("unet"))
    let encoder = try TextEncoder(folder: folder.appendingPathComponent("text_encoder"))
    let schedule = try NoiseSchedule(folder: folder.appendingPathComponent("scheduler"))
    let inputs = try SafetensorsFile(arguments.url(1))
    let timesteps = try inputs.tensor("timesteps").values.map { Int($0) }
    let (latents, noise) = try (inputs.tensor("latents"), inputs.tensor("noise"))
    let target = try schedule.target(latents, noise, at: timesteps)
    let recomputing = try arguments.int(3) == 1
    let (hidden, pullback) = try encoder.recorded(
      inputs.tensor("embeddings"), recomputing: recomputing)
    let found = try unet.textGradient(
      schedule.noised(latents, noise, at: timesteps), timesteps: timesteps.map(Double.init),
      conditions: unet.conditions(hidden), rows: Array(timesteps.indices),
      recomputing: recomputing
    ) { output, samples in
      output.minus(target.rows(samples)).scaled(by: 2 / Float(target.count))
    }
    try Safetensors.write(
      [
        ("output", found.output), ("text", found.text), ("embeddings", pullback(found.text)),
      ], to: arguments.url(2))
  },
  // FOLDER IN OUT RATE: steps of textual inversion on given draws. "start" [1, d], prompts "ids"
  // [P, L] with the table's number of rows for the word; of every step "rows" [S, B] (prompts),
  // "timesteps" [S, B], "latents" and "noise" [S, B, C, h, w] → "path" [S, d], the word after each
  // step, and "losses" [S]
  "textual-inversion": { arguments in
    let model = try DiffusionModel(folder: arguments.url(0))
    let inputs = try SafetensorsFile(arguments.url(1))
    let prompts = try inputs.integerRows("ids")
    let rate = try Double(arguments.string(3)) ?? 0
    let (rows, timesteps) = try (inputs.integerRows("rows"), inputs.integerRows("timesteps"))
    let (latents, noise) = try (inputs.tensor("latents"), inputs.tensor("noise"))
    var optimiser = try AdamW(
      AdamSettings(rate: rate), start: inputs.tensor("start").values.map(Double.init))
    var (path, losses): ([Tensor], [Float]) = ([], [])
    for step in rows.indices {
      let count = rows[step].count
      let batch = try DenoisingBatch(
        prompts: prompts, rows: rows[step], timesteps: timesteps[step],
        noised: model.schedule.noised(latents.row(step), noise.row(step), at: timesteps[step]),
        target: model.schedule.target(latents.row(step), noise.row(step), at: timesteps[step]))
      let word = Tensor(
        shape: [1, optimiser.point.count], values: optimiser.point.map { Float($0) })
      let found = try batch.gradient(
        model, at: word, weights: .init(repeating: 1 / Double(count), count: count))
      losses.append(Float(found.losses.reduce(0, +) / Double(count)))
      optimiser.descend(found.word.values.map(Double.init))
      path.append(
        Tensor(shape: [optimiser.point.count], values: optimiser.point.map { Float($0) }))
    }
    try Safetensors.write(
      [
        ("path", Tensor.stacked(path)),
        ("losses", Tensor(shape: [losses.count], values: losses)),
      ], to: arguments.url(2))
  },
  // FOLDER IN OUT: "condition" [1, L, d], "timesteps" [B], "latents", "noise" → the sensitivities
  // by "gradient" and by "difference", [B]
  "sensitivity": { arguments in
    let model = try DiffusionModel(folder: arguments.url(0))
    let inputs = try SafetensorsFile(arguments.url(1))
    let timesteps = try inputs.tensor("timesteps").values.map { Int($0) }
    let (latents, noise) = try (inputs.tensor("latents"), inputs.tensor("noise"))
    let found = try [
      ("gradient", .gradient), ("difference", .difference(directions: 32, step: 0.05)),
    ].map { (name: String, method: SensitivityMethod) in
      let values = try sensitivities(
        model, condition: inputs.tensor("condition"), timesteps: timesteps,
        noised: model.schedule.noised(latents, noise, at: timesteps),
        target: model.schedule.target(latents, noise, at: timesteps), by: method,
        random: Philox(seed: 1))
      return (name, Tensor(shape: [values.count], values: values.map { Float($0) }))
    }
    try Safetensors.write(found, to: arguments.url(2))
  },
]
