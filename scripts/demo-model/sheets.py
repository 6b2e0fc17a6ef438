"""Sheets of pictures to look at."""
import numpy as np
from PIL import Image

import captioner
import denoiser

from drawing import sheet
from trainer import as_bytes, pixels

PROMPTS = [
    "a red star on a white background", "a blue striped heart on a yellow background", "a green circle on the left",
    "a neon pink ring on a black background", "a sketch of a brown cross on a white background",
    "a purple checkered square on a gray background", "an orange crescent on a blue background",
    "an outlined yellow diamond at the top, cyan background", "a dotted cyan triangle on a purple background",
    "a large black flower on an orange background", "a white flower on a green background", "a neon green heart",
    "a red striped diamond on a blue background", "a gray star in the center on a pink background",
    "a pink dotted heart on a white background", "a picture in the style of sketch of a cyan flower",
]


def save(picture, path):
    """A PNG of 256 colours, without dithering: a third of the size, and flat areas stay flat."""
    Image.fromarray(picture).quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def captioned(parts, path):
    """Every prompt of PROMPTS four times, four prompts to a row."""
    texts = [p for p in PROMPTS for _ in range(4)]
    save(sheet(list(denoiser.draw(parts.unet, parts.text, parts.words, parts.decode, texts, seed=1)), 16), path)


def reconstructions(parts, pictures, path):
    """Pictures above what the autoencoder makes of them."""
    some = pictures[:32]
    again = as_bytes(parts.vae.decode(parts.vae.encode(pixels(some)).latent_dist.mode()).sample)
    rows = [np.concatenate(list(rows[i:i + 16]), 1) for i in (0, 16) for rows in (some, again)]
    save(np.concatenate(rows), path)


def read_aloud(parts, pictures, path):
    """Pictures as a sheet; returns what the captioner says of them, in the same order."""
    save(sheet(list(pictures[:16]), 8), path)
    return captioner.write_captions(parts.captioner, parts.captioner_words, pictures[:16])


def inversions(rows, path, each=4):
    """A row a concept: given pictures, what the best word draws, what the learned word draws."""
    gap = np.full((64, 8, 3), 255, np.uint8)
    lines = []
    for r in rows:
        groups = [np.concatenate(list(r[k][:each]), 1) for k in ("given", "word", "learned")]
        lines.append(np.concatenate([groups[0], gap, groups[1], gap, groups[2]], 1))
    save(np.concatenate(lines), path)
