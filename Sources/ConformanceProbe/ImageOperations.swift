import Checkpoints
import Diffusion
import Foundation
import Pictures
import Tensors

/// UNet, autoencoder, samplers, whole pictures, and timings.
let imageOperations: [String: Operation] = [
  // UNET THREADS: seconds and processor seconds from opening to the end of the first forward, and of
  // a later forward
  "load": { arguments in
    Compute.threads = try arguments.int(1)
    func timed(_ work: () throws -> Void) rethrows -> (Double, Double) {
      let (wall, cpu) = (Bench.seconds(CLOCK_MONOTONIC), Bench.seconds(CLOCK_PROCESS_CPUTIME_ID))
      try work()
      return (
        Bench.seconds(CLOCK_MONOTONIC) - wall, Bench.seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu
      )
    }
    var random = Philox(seed: 1)
    let z = random.normals(shape: [1, 4, 8, 8])
    let text = random.normals(shape: [1, 77, 768])
    var unet: UNet2DCondition?
    let first = try timed {
      unet = try UNet2DCondition(folder: arguments.url(0))
      _ = try unet?(z, timesteps: [500], text: text)
    }
    let later = try (0..<4).map { _ in try timed { _ = try unet?(z, timesteps: [500], text: text) }
    }
    print(
      first.0, first.1, later.map(\.0).min() ?? 0, later.map(\.1).min() ?? 0)
  },
  // MODEL [CONFIGURATION]: opens a folder or a single file and says what it is
  "open": { arguments in
    let model = try opened(arguments)
    print("\(model.name): width \(model.textEncoder.width), pictures \(model.pictureSize)")
  },
  // MODEL CONFIGURATION|- IN OUT PROMPT: "z" [1, C, h, w] → "hidden", "output" at timestep 500 and
  // "picture"
  "parts": { arguments in
    let single = try arguments.string(1) != "-"
    let model =
      try single
      ? DiffusionModel(file: arguments.url(0), configuration: arguments.url(1))
      : DiffusionModel(folder: arguments.url(0))
    let z = try SafetensorsFile(arguments.url(2)).tensor("z")
    let hidden = try model.encode(prompts: [arguments.string(4)])
    let output = try model.unet(z, timesteps: [500], text: hidden)
    let picture = try model.autoencoder.decode(z)
    try Safetensors.write(
      [("hidden", hidden), ("output", output), ("picture", picture)], to: arguments.url(3))
  },
  // FOLDER IN OUT [PRECISION]: "z" [B, C, h, w], "timesteps" [B], "text" [B, L, d] → "output"
  "unet": { arguments in
    let precision = arguments.rest(3).first.flatMap(Precision.init(rawValue:)) ?? .float32
    let unet = try UNet2DCondition(
      folder: arguments.url(0), execution: Execution(precision: precision))
    let inputs = try SafetensorsFile(arguments.url(1))
    let output = try unet(
      inputs.tensor("z"), timesteps: inputs.tensor("timesteps").values.map(Double.init),
      text: inputs.tensor("text"))
    try Safetensors.write([("output", output)], to: arguments.url(2))
  },
  // FOLDER IN OUT: pictures "x" and latents "z" → "mean", "deviation" and "picture"
  "autoencoder": { arguments in
    let autoencoder = try AutoencoderKL(folder: arguments.url(0))
    let inputs = try SafetensorsFile(arguments.url(1))
    let (mean, deviation) = try autoencoder.encode(inputs.tensor("x"))
    let picture = try autoencoder.decode(inputs.tensor("z"))
    try Safetensors.write(
      [("mean", mean), ("deviation", deviation), ("picture", picture)], to: arguments.url(2))
  },
  // UNET IN OUT SCHEDULER KIND STEPS: "start", "text" and the "noise" of every step → "samples",
  // the scaled start first
  "sampler": { arguments in
    let unet = try UNet2DCondition(folder: arguments.url(0))
    let inputs = try SafetensorsFile(arguments.url(1))
    let schedule = try NoiseSchedule(folder: arguments.url(3))
    var sampler = try kind(arguments.string(4)).sampler(schedule, steps: arguments.int(5))
    let (text, noise) = try (inputs.tensor("text"), inputs.tensor("noise"))
    var x = try inputs.tensor("start").scaled(by: Float(sampler.initialNoiseScale))
    var samples = [x]
    for (i, timestep) in sampler.timesteps.enumerated() {
      let output = try unet(sampler.scaledInput(x, at: i), timesteps: [timestep], text: text)
      x = sampler.step(output, at: i, sample: x, noise: sampler.drawsNoise ? noise.row(i) : nil)
      samples.append(x)
    }
    try Safetensors.write([("samples", Tensor.stacked(samples))], to: arguments.url(2))
  },
  // FOLDER REQUEST.json OUT: a prompt drawn once a seed with torch's noise → "pictures"
  // [n, H, W, 3] of bytes
  "generate": { arguments in
    let model = try DiffusionModel(folder: arguments.url(0))
    let config = try Config(arguments.url(1))
    var request = GenerationRequest(
      prompts: [try config.string("prompt")],
      seeds: try config.ints("seeds").map { UInt64($0) })
    request.negative = try config.string("negative")
    request.steps = try config.int("steps")
    request.guidance = Float(try config.double("guidance"))
    request.sampler = try kind(config.string("sampler"))
    request.size = (try config.int("height"), try config.int("width"))
    request.source = .torch
    let drawn = try model.generate(request).map { picture in
      Tensor(shape: [picture.height, picture.width, 3], values: picture.pixels.map { Float($0) })
    }
    try Safetensors.write([("pictures", Tensor.stacked(drawn))], to: arguments.url(2))
  },
  // FOLDER THREADS PRECISION MEMORY: timings on demand, see Bench
  "bench": { arguments in
    let execution = Execution(
      precision: Precision(rawValue: try arguments.string(2)) ?? .float32,
      memory: MemoryUse(rawValue: try arguments.string(3)) ?? .fast)
    try Bench(folder: arguments.url(0), execution: execution).run(threads: arguments.int(1))
  },
  // UNET THREADS MEMORY SIDE: the process's peak memory in MiB after three forwards of one sample
  "forward-memory": { arguments in
    Compute.threads = try arguments.int(1)
    let execution = Execution(memory: MemoryUse(rawValue: try arguments.string(2)) ?? .fast)
    let unet = try UNet2DCondition(folder: arguments.url(0), execution: execution)
    let forward = Workload.unet(unet, promptLength: 77, batch: 1, side: try arguments.int(3))
    for _ in 0..<3 { try forward() }
    print(Bench.peakMemory())
  },
  // FOLDER PART BATCH: memory before gradient steps and at their peak
  "gradient-memory": { arguments in
    try Bench(folder: arguments.url(0), execution: Execution()).memory(
      part: arguments.string(1), batch: arguments.int(2))
  },
]

private func kind(_ name: String) throws -> SamplerKind {
  guard let kind = SamplerKind(rawValue: name) else {
    throw EvokeError(.name, "there is no sampler \"\(name)\"")
  }
  return kind
}

/// The model that a folder or a single file is.
func opened(_ arguments: Arguments) throws -> DiffusionModel {
  let url = try arguments.url(0)
  guard TorchFile.isOne(url) || url.pathExtension == "safetensors" else {
    return try DiffusionModel(folder: url)
  }
  let configuration = arguments.rest(1).first.map { URL(fileURLWithPath: $0) }
  return try DiffusionModel(file: url, configuration: configuration)
}
