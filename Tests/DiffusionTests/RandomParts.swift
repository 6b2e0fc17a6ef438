import Checkpoints
import Foundation
import Tensors

@testable import Diffusion

/// A part of a model with sizes and weights drawn from a seed: what diffusers' configuration says, and
/// the tensors that it stores.
struct RandomPart {
  private(set) var config: [(String, JSONValue)] = []
  private var tensors: [(String, Tensor)] = []
  private(set) var random: Philox

  private init(_ random: Philox) { self.random = random }

  /// The configuration and the weights, stored in one of three types.
  func opened(_ execution: Execution) throws -> (config: Config, weights: Weights) {
    var random = self.random.derived("stored")
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("evoke-\(UUID().uuidString).safetensors")
    defer { try? FileManager.default.removeItem(at: file) }
    try Safetensors.write(
      tensors, to: file, as: random.one(of: Array(Safetensors.StoredType.allCases)))
    var weights = try Weights(file: file)
    weights.execution = execution
    return (try Config(.fields(config), source: "a random configuration"), weights)
  }

  // MARK: Layers

  /// Normal weights [outputs, inputs, …] that keep the size of what goes through.
  private mutating func weight(_ name: String, _ shape: [Int]) {
    let inputs = shape.dropFirst().reduce(1, *)
    let drawn = random.normals(shape: shape).scaled(by: 1.2 / Float(inputs).squareRoot())
    tensors.append((name + ".weight", drawn))
  }

  private mutating func bias(_ name: String, _ count: Int) {
    tensors.append((name + ".bias", random.normals(shape: [count]).scaled(by: 0.2)))
  }

  private mutating func norm(_ name: String, _ channels: Int) {
    let drawn = random.normals(shape: [channels]).scaled(by: 0.2)
    let ones = Tensor(shape: [channels], values: Array(repeating: 1, count: channels))
    tensors.append((name + ".weight", drawn.plus(ones)))
    bias(name, channels)
  }

  private mutating func linear(
    _ name: String, _ inputs: Int, _ outputs: Int, bias hasBias: Bool = true, window: Bool = false
  ) {
    weight(name, [outputs, inputs] + (window ? [1, 1] : []))
    if hasBias { bias(name, outputs) }
  }

  private mutating func convolution(_ name: String, _ inputs: Int, _ outputs: Int) {
    weight(name, [outputs, inputs, 3, 3])
    bias(name, outputs)
  }

  private mutating func resnet(_ name: String, _ inputs: Int, _ outputs: Int, time: Int? = nil) {
    norm("\(name).norm1", inputs)
    convolution("\(name).conv1", inputs, outputs)
    if let time { linear("\(name).time_emb_proj", time, outputs) }
    norm("\(name).norm2", outputs)
    convolution("\(name).conv2", outputs, outputs)
    if inputs != outputs { linear("\(name).conv_shortcut", inputs, outputs, window: true) }
  }

  // MARK: What the parts share

  private mutating func integer(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + random.integer(below: range.count)
  }

  /// Channels of some levels, all divisible by the groups that are noted in the configuration.
  private mutating func levels(_ count: ClosedRange<Int>) -> [Int] {
    let groups = random.one(of: [1, 2, 4, 5])
    let channels = (0..<integer(count)).map { _ in groups * 2 * integer(2...30 / groups) }
    config.append(("norm_num_groups", .int(groups)))
    config.append(("block_out_channels", .array(channels.map { .int($0) })))
    return channels
  }

  private mutating func heads(_ channels: Int) -> Int {
    random.one(of: [1, 2, 3, 4, 8].filter { channels % $0 == 0 })
  }
}

extension RandomPart {
  // MARK: UNet

  /// A UNet of one to three levels.
  static func unet(_ seed: Int) -> RandomPart {
    var part = RandomPart(Philox(seed: UInt64(seed), stream: "unet"))
    let channels = part.levels(1...3)
    let text = part.integer(3...40)
    let (input, output) = (part.integer(1...5), part.integer(1...5))
    let layers = channels.map { _ in part.integer(1...2) }
    let heads = channels.map { part.heads($0) }
    let (down, up) = (channels.map { _ in part.flip() }, channels.map { _ in part.flip() })
    let depth = part.integer(1...2)
    let isLinear = part.flip()
    part.config += [
      ("in_channels", .int(input)), ("out_channels", .int(output)),
      ("layers_per_block", .array(layers.map { .int($0) })),
      ("attention_head_dim", .array(heads.map { .int($0) })),
      ("cross_attention_dim", .int(text)), ("transformer_layers_per_block", .int(depth)),
      ("use_linear_projection", .bool(isLinear)), ("sample_size", .int(part.integer(2...40))),
      ("downsample_padding", .int(1)), ("flip_sin_to_cos", .bool(part.flip())),
      ("act_fn", .string(part.random.one(of: ["silu", "gelu", "relu"]))),
      (
        "down_block_types",
        .array(down.map { .string($0 ? "CrossAttnDownBlock2D" : "DownBlock2D") })
      ),
      ("up_block_types", .array(up.map { .string($0 ? "CrossAttnUpBlock2D" : "UpBlock2D") })),
    ]
    let (first, last) = (channels[0], channels[channels.count - 1])
    let time = 4 * first
    func transformer(_ name: String, _ width: Int) {
      part.transformer(name, width, text: text, depth: depth, isLinear: isLinear)
    }
    part.linear("time_embedding.linear_1", first, time)
    part.linear("time_embedding.linear_2", time, time)
    part.convolution("conv_in", input, first)
    for (i, width) in channels.enumerated() {
      let block = "down_blocks.\(i)"
      for j in 0..<layers[i] {
        part.resnet(
          "\(block).resnets.\(j)", j == 0 ? channels[max(i - 1, 0)] : width, width, time: time)
        if down[i] { transformer("\(block).attentions.\(j)", width) }
      }
      if i < channels.count - 1 { part.convolution("\(block).downsamplers.0.conv", width, width) }
    }
    part.resnet("mid_block.resnets.0", last, last, time: time)
    transformer("mid_block.attentions.0", last)
    part.resnet("mid_block.resnets.1", last, last, time: time)
    for (step, i) in channels.indices.reversed().enumerated() {
      let (block, width) = ("up_blocks.\(step)", channels[i])
      let (below, above) = (channels[min(i + 1, channels.count - 1)], channels[max(i - 1, 0)])
      for j in 0...layers[i] {
        part.resnet(
          "\(block).resnets.\(j)", (j == 0 ? below : width) + (j == layers[i] ? above : width),
          width, time: time)
        if up[step] { transformer("\(block).attentions.\(j)", width) }
      }
      if i > 0 { part.convolution("\(block).upsamplers.0.conv", width, width) }
    }
    part.norm("conv_norm_out", first)
    part.convolution("conv_out", first, output)
    return part
  }

  private mutating func flip() -> Bool { random.integer(below: 2) == 1 }

  private mutating func transformer(
    _ name: String, _ width: Int, text: Int, depth: Int, isLinear: Bool
  ) {
    norm("\(name).norm", width)
    linear("\(name).proj_in", width, width, window: !isLinear)
    linear("\(name).proj_out", width, width, window: !isLinear)
    for i in 0..<depth {
      let block = "\(name).transformer_blocks.\(i)"
      for n in 1...3 { norm("\(block).norm\(n)", width) }
      for (n, source) in [(1, width), (2, text)] {
        linear("\(block).attn\(n).to_q", width, width, bias: false)
        linear("\(block).attn\(n).to_k", source, width, bias: false)
        linear("\(block).attn\(n).to_v", source, width, bias: false)
        linear("\(block).attn\(n).to_out.0", width, width)
      }
      linear("\(block).ff.net.0.proj", width, 8 * width)
      linear("\(block).ff.net.2", 4 * width, width)
    }
  }

  // MARK: Autoencoder

  /// An autoencoder of one to three levels.
  static func autoencoder(_ seed: Int) -> RandomPart {
    var part = RandomPart(Philox(seed: UInt64(seed), stream: "autoencoder"))
    let channels = part.levels(1...3)
    let (layers, latent) = (part.integer(1...2), part.integer(1...6))
    let (attends, quantises) = (part.flip(), part.flip())
    part.config += [
      ("layers_per_block", .int(layers)), ("latent_channels", .int(latent)),
      ("mid_block_add_attention", .bool(attends)), ("use_quant_conv", .bool(quantises)),
      ("use_post_quant_conv", .bool(quantises)),
      (
        "down_block_types",
        .array(channels.map { _ in .string("DownEncoderBlock2D") })
      ),
      ("up_block_types", .array(channels.map { _ in .string("UpDecoderBlock2D") })),
    ]
    part.half(
      "encoder", channels, 3, 2 * latent, layers: layers, "down_blocks", "downsamplers", attends)
    part.half(
      "decoder", channels.reversed(), latent, 3, layers: layers + 1, "up_blocks", "upsamplers",
      attends)
    if quantises {
      part.linear("quant_conv", 2 * latent, 2 * latent, window: true)
      part.linear("post_quant_conv", latent, latent, window: true)
    }
    return part
  }

  /// The encoder or the decoder, whose deepest level is the widest or not.
  private mutating func half(
    _ name: String, _ channels: [Int], _ input: Int, _ output: Int, layers: Int,
    _ blocks: String, _ resampling: String, _ attends: Bool
  ) {
    let isEncoder = name == "encoder"
    let (first, last) = (channels[0], channels[channels.count - 1])
    let middle = isEncoder ? last : first
    convolution("\(name).conv_in", input, first)
    for (i, width) in channels.enumerated() {
      let block = "\(name).\(blocks).\(i)"
      for j in 0..<layers {
        resnet("\(block).resnets.\(j)", j == 0 ? channels[max(i - 1, 0)] : width, width)
      }
      if i < channels.count - 1 { convolution("\(block).\(resampling).0.conv", width, width) }
    }
    for j in 0...1 { resnet("\(name).mid_block.resnets.\(j)", middle, middle) }
    if attends {
      norm("\(name).mid_block.attentions.0.group_norm", middle)
      for layer in ["to_q", "to_k", "to_v", "to_out.0"] {
        linear("\(name).mid_block.attentions.0.\(layer)", middle, middle)
      }
    }
    norm("\(name).conv_norm_out", last)
    convolution("\(name).conv_out", last, output)
  }

  // MARK: Text encoder

  /// A CLIP text encoder of one to three layers.
  static func textEncoder(_ seed: Int) -> RandomPart {
    var part = RandomPart(Philox(seed: UInt64(seed), stream: "text"))
    let heads = part.integer(1...4)
    let width = heads * part.integer(1...24)
    let (hidden, layers) = (part.integer(1...150), part.integer(1...3))
    let (vocabulary, length) = (part.integer(2...90), part.integer(1...90))
    let activations = ["quick_gelu", "gelu", "gelu_new"]
    part.config = [
      ("hidden_size", .int(width)), ("num_hidden_layers", .int(layers)),
      ("num_attention_heads", .int(heads)), ("intermediate_size", .int(hidden)),
      ("vocab_size", .int(vocabulary)), ("max_position_embeddings", .int(length)),
      ("hidden_act", .string(part.random.one(of: activations))),
    ]
    part.weight("embeddings.token_embedding", [vocabulary, width])
    part.weight("embeddings.position_embedding", [length, width])
    for i in 0..<layers {
      let block = "encoder.layers.\(i)"
      for n in 1...2 { part.norm("\(block).layer_norm\(n)", width) }
      for layer in ["q_proj", "k_proj", "v_proj", "out_proj"] {
        part.linear("\(block).self_attn.\(layer)", width, width)
      }
      part.linear("\(block).mlp.fc1", width, hidden)
      part.linear("\(block).mlp.fc2", hidden, width)
    }
    part.norm("final_layer_norm", width)
    return part
  }
}

extension Philox {
  mutating func one<Element>(of choices: [Element]) -> Element {
    choices[integer(below: choices.count)]
  }
}
