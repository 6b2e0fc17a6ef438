"""Animations: evoke's GIF and animated PNG files as Pillow reads them."""
import pathlib
import subprocess

import numpy as np
import safetensors.numpy
from PIL import Image, ImageSequence


def written(probe, frames, target):
    """The frames as Pillow reads them from the file that evoke makes of them, their durations, and how often they repeat."""
    source = target.with_suffix(".safetensors")
    safetensors.numpy.save_file({"frames": frames.astype(np.float32)}, source)
    subprocess.run([probe, "animation", source, target], check=True)
    file = Image.open(target)
    read = [(np.asarray(frame.convert("RGB"), int), frame.info["duration"]) for frame in ImageSequence.Iterator(file)]
    return np.stack([pixels for pixels, _ in read]), [duration for _, duration in read], file.info["loop"]


def rms(a, b):
    return float(np.sqrt(np.mean((a.astype(float) - b) ** 2)))


def photographs(random, count, height=90, width=120):
    """Smooth colour that moves, with some noise: about as many colours as pixels."""
    y, x = np.mgrid[0:height, 0:width]
    waves = random.uniform(5, 30, (3, 3))
    planes = [[128 + 90 * np.sin(x / a + y / b + c + 0.3 * n) for a, b, c in waves] for n in range(count)]
    return np.clip(np.moveaxis(planes, 1, -1) + random.normal(0, 3, (count, height, width, 3)), 0, 255).astype(np.uint8)


def run(probe, seed, work, full=False):
    """(what, difference, tolerance)."""
    random = np.random.default_rng(seed)
    work = pathlib.Path(work)
    for colours in (1, 2, 7, 64, 256):
        palette = random.integers(0, 256, (colours, 3))
        frames = palette[random.integers(0, colours, (4, 90, 170))]
        frames[2], frames[3, 20:50] = frames[1], frames[2, 20:50]
        for ending in ("gif", "png"):
            read, durations, loop = written(probe, frames, work / f"{colours}.{ending}")
            # Pillow joins frames that are alike.
            shown = np.repeat(read, np.round(np.array(durations) / 80).clip(1, 2).astype(int), axis=0) if len(read) < 4 else read
            worst = np.abs(shown - frames).max() if shown.shape == frames.shape else np.inf
            yield f"animation of {colours} colours, .{ending}: largest difference of any frame", float(worst), 0
            yield f"animation of {colours} colours, .{ending}: milliseconds in all, repetitions", abs(sum(durations) - 1740) + loop, 0
    frames = photographs(random, 3)
    read, _, _ = written(probe, frames, work / "many.gif")
    cuts = [np.asarray(Image.fromarray(frame).quantize(256, method=Image.Quantize.MEDIANCUT, dither=0).convert("RGB")) for frame in frames]
    yield "photographs as GIF: rms difference over that of Pillow's median cut", rms(read, frames) / rms(np.stack(cuts), frames), 1
