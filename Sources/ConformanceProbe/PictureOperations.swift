import Checkpoints
import Foundation
import Pictures
import Tensors

/// Files of pictures.
let pictureOperations: [String: Operation] = [
  // IN OUT.gif|png: "frames" [n, H, W, 3] of bytes, each for 80 ms, the last for 1500, for ever
  "animation": { arguments in
    let frames = try SafetensorsFile(arguments.url(0)).tensor("frames")
    let pictures = (0..<frames.shape[0]).map { n in
      Picture(
        width: frames.shape[2], height: frames.shape[1],
        pixels: frames.row(n).values.map { UInt8($0) })
    }
    try Animation(frames: pictures, milliseconds: 80, last: 1500).write(to: arguments.url(1))
  }
]
