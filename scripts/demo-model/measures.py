"""What evaluate measures: a folder's parts, loaded as anyone would, against fresh pictures."""
import logging
import os
import statistics
import types
import warnings

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from diffusers.models.attention_processor import AttnProcessor
from transformers import BertTokenizerFast, BlipForConditionalGeneration, CLIPModel

import autoencoder
import concepts
import denoiser
import judge as judging
import sheets
from captions import full_caption
from dataset import scene_of
from drawing import draw
from inversion import Inverter
from trainer import DEVICE
from world import labels as labels_of

FRESH_SEED = 3


class Complaints(logging.Handler):
    """Collects warnings about missing, unexpected or newly initialised weights."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.found = []

    def emit(self, record):
        text = record.getMessage()
        if any(word in text.lower() for word in ("missing", "unexpected", "newly initialized", "not used")):
            self.found.append(text)


def load(folder):
    """The parts of a folder in float32, and how many complaints loading them gave."""
    listener = Complaints()
    libraries = [logging.getLogger(name) for name in ("diffusers", "transformers")]
    for library in libraries:
        library.addHandler(listener)
    with warnings.catch_warnings(record=True) as raised:
        pipeline = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None, torch_dtype=torch.float32)
        clip, kinds = CLIPModel.from_pretrained(f"{folder}/clip", dtype=torch.float32, output_loading_info=True)
        infos, blip, bert = [kinds], None, None
        if os.path.isdir(f"{folder}/captioner"):
            blip, kinds = BlipForConditionalGeneration.from_pretrained(f"{folder}/captioner", dtype=torch.float32, output_loading_info=True)
            bert = BertTokenizerFast.from_pretrained(f"{folder}/captioner")
            infos.append(kinds)
    complaints = listener.found + [str(w.message) for w in raised if "key" in str(w.message)]
    complaints += [f"{k}: {sorted(v)[:3]}" for kinds in infos for k, v in kinds.items() if v]
    for library in libraries:
        library.removeHandler(listener)
    with open(f"{folder}/words.txt") as file:
        caption_words = file.read().split()
    frozen = lambda m: m and m.to(DEVICE).eval().requires_grad_(False)
    vae = frozen(pipeline.vae)
    pipeline.unet.set_attn_processor(AttnProcessor())
    parts = types.SimpleNamespace(
        pipeline=pipeline, words=pipeline.tokenizer, text=frozen(pipeline.text_encoder), unet=frozen(pipeline.unet), vae=vae,
        clip=frozen(clip), captioner=frozen(blip), captioner_words=bert, caption_words=caption_words,
        decode=lambda z: vae.decode(z / vae.config.scaling_factor).sample)
    parts.same_text = torch.equal(parts.text(input_ids=torch.arange(20)[None].to(DEVICE)).last_hidden_state,
                                  clip.text_model(input_ids=torch.arange(20)[None].to(DEVICE)).last_hidden_state)
    if not parts.same_text:
        complaints.append("the text encoder and CLIP's text tower differ")
    return parts, {"complaints": len(complaints), "texts": complaints}


def size(folder):
    total = sum(os.path.getsize(os.path.join(root, name)) for root, _, names in os.walk(folder) for name in names)
    return {"megabytes": round(total / 1e6, 2)}


def fresh(count):
    """Scenes, pictures and labels of a seed that training does not use."""
    scenes = [scene_of(FRESH_SEED, i)[0] for i in range(count)]
    return scenes, np.stack([draw(s) for s in scenes]), np.array([labels_of(s) for s in scenes])


def psnr(vae, pictures):
    return autoencoder.psnr(vae, pictures)


def drawings(parts, judge, scenes, labels, guidances):
    """The judge's accuracies on pictures drawn from full captions, by guidance."""
    captions, found = [full_caption(s) for s in scenes], {}
    for guidance in guidances:
        pictures = denoiser.draw(parts.unet, parts.text, parts.words, parts.decode, captions, guidance)
        found[guidance] = judging.accuracies(judge, pictures, labels)
    return found


def inversions(parts, folder, sheet, quick=False):
    """How much of the gap between the best word and the real pictures one learned vector closes."""
    inverter, found, rows = Inverter(parts), {}, []
    names = [n for n in concepts.names() if os.path.isdir(f"{folder}/{n}")]
    for name in names[::4] if quick else names:
        found[name], pictures = inverter.concept(f"{folder}/{name}", style=name in concepts.STYLES)
        print(f"{name:14}", found[name], flush=True)
        rows.append(pictures)
    sheets.inversions(rows, sheet)
    closed = [f["closed"] for f in found.values() if f["closed"] is not None]
    return {"median closed": round(statistics.median(closed), 4), "concepts": found}
