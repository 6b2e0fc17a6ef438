"""Puts the trained parts together as a folder in diffusers' layout, in half precision.

    python assemble.py --work FOLDER --out FOLDER

Parts that have no checkpoint yet are left out (the pipeline itself needs text, autoencoder, denoiser).
"""
import argparse
import json
import os
import shutil

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file, save_file
from transformers import CLIPImageProcessor, CLIPTextConfig, CLIPTextModel
from transformers.utils import logging

import autoencoder
import captioner
import denoiser
import image
import perceptual
import stages
import text
import tokenizer
import trainer


def have(work, name):
    return os.path.exists(f"{work}/{name}.pt")


def full_clip(work, words):
    """CLIP with the trained text half, and the image half if there is one."""
    clip = text.make(len(words))
    pairing = trainer.load_averaged(work, "text", text.Pairing(text.make(len(words))))
    clip.text_model.load_state_dict(pairing.text_model.state_dict())
    clip.text_projection.load_state_dict(pairing.text_projection.state_dict())
    if have(work, "image"):
        looking = trainer.load_averaged(work, "image", image.Looking(text.make(len(words))))
        clip.vision_model.load_state_dict(looking.vision_model.state_dict())
        clip.visual_projection.load_state_dict(looking.visual_projection.state_dict())
        clip.logit_scale.data.copy_(looking.logit_scale)
    return clip.eval()


def text_tower(clip):
    """CLIP's text half as the pipeline's text encoder."""
    tower = CLIPTextModel(CLIPTextConfig(**clip.config.text_config.to_dict()))
    weights = clip.text_model.state_dict()
    own = tower.state_dict()
    prefix = "" if set(own) == set(weights) else "text_model."
    tower.load_state_dict({prefix + k: v for k, v in weights.items()})
    return tower.eval()


def prefix_keys(path, prefix="text_model."):
    """Gives a text encoder's keys the prefix that Stable Diffusion's files have (newer libraries drop it)."""
    weights = load_file(path)
    if not any(key.startswith(prefix) for key in weights):
        save_file({prefix + key: value for key, value in weights.items()}, path, {"format": "pt"})


def vae(work):
    """The autoencoder, with the decoder of its second stage if there is one."""
    module = autoencoder.make()
    trainer.load_averaged(work, "decoder" if have(work, "decoder") else "autoencoder", module)
    module.register_to_config(scaling_factor=stages.latent_scale(work))
    return module


def assemble(work, out):
    words = tokenizer.load(f"{work}/tokenizer")
    clip = full_clip(work, words)
    unet = trainer.load_averaged(work, "denoiser", denoiser.make())
    pipeline = StableDiffusionPipeline(
        vae=vae(work), text_encoder=text_tower(clip), tokenizer=words, unet=unet, scheduler=denoiser.scheduler(),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    pipeline.to(torch.float16).save_pretrained(out)
    prefix_keys(f"{out}/text_encoder/model.safetensors")
    for name in ("vocab.json", "merges.txt", "special_tokens_map.json", "tokenizer_config.json"):
        shutil.copy(f"{work}/tokenizer/{name}", f"{out}/tokenizer/{name}")
    shutil.copy(f"{work}/tokenizer/words.txt", f"{out}/words.txt")

    clip.half().save_pretrained(f"{out}/clip")
    words.save_pretrained(f"{out}/clip")
    CLIPImageProcessor(size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64},
                       image_mean=[.5] * 3, image_std=[.5] * 3).save_pretrained(f"{out}/clip")
    if have(work, "captioner"):
        bert = captioner.make_tokenizer()
        blip = trainer.load_averaged(work, "captioner", captioner.make(bert, text.make(len(words))))
        blip.half().save_pretrained(f"{out}/captioner")
        processor = captioner.processor(bert)
        processor.save_pretrained(f"{out}/captioner")
        processor.image_processor.save_pretrained(f"{out}/captioner")
        with open(f"{out}/captioner/vocab.txt", "w") as file:
            file.write("".join(word + "\n" for word in sorted(bert.vocab, key=bert.vocab.get)))
    if have(work, "perceptual"):
        encoder = trainer.load_averaged(work, "perceptual", perceptual.Naming()).encoder
        perceptual.weigh_channels(encoder, stages.folder(work, "train").pictures)
        os.makedirs(f"{out}/perceptual", exist_ok=True)
        weights = {k: v.half().contiguous() for k, v in encoder.state_dict().items()}
        save_file(weights, f"{out}/perceptual/model.safetensors", {"format": "pt"})
        with open(f"{out}/perceptual/config.json", "w") as file:
            json.dump({"architecture": "lpips", "net": "alex", "channels": perceptual.CHANNELS}, file, indent=1)
            file.write("\n")


def size(folder):
    """Bytes of all files, and of the weights alone."""
    files = [os.path.join(r, f) for r, _, names in os.walk(folder) for f in names]
    return sum(map(os.path.getsize, files)), sum(os.path.getsize(f) for f in files if f.endswith(".safetensors"))


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--work", required=True)
    options.add_argument("--out", required=True)
    given = options.parse_args()
    logging.set_verbosity_error()
    assemble(given.work, given.out)
    print("{} bytes, {} of them weights".format(*size(given.out)))
