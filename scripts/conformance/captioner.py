"""Goldens of Tests/DiffusionTests/CaptionerTests.swift: BLIP by transformers, LPIPS's formula by torch.

The built-in model's captioner and perceptual encoder on given pictures: logits after a fixed text, the
captions of `generate`, and the distances of neighbours.
"""
import pathlib
import sys

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import BlipForConditionalGeneration, BlipImageProcessor, BertTokenizerFast

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEMO = ROOT / "Sources/Diffusion/Resources/demo"
sys.path.insert(0, str(ROOT / "scripts/demo-model"))
NAMES = ["1.png", "2.png", "3.png"]


@torch.no_grad()
def main(folder):
    pictures = [Image.open(ROOT / "examples/concepts/coral-star/given" / n).convert("RGB") for n in NAMES]
    blip = BlipForConditionalGeneration.from_pretrained(DEMO / "captioner", attn_implementation="eager").float().eval()
    seen = BlipImageProcessor.from_pretrained(DEMO / "captioner")(pictures, return_tensors="pt").pixel_values
    words = BertTokenizerFast.from_pretrained(DEMO / "captioner")
    captions = words.batch_decode(blip.generate(pixel_values=seen, max_new_tokens=20, do_sample=False), skip_special_tokens=True)
    ids = torch.tensor([[5, 43, 20, 11, 60, 9]] * len(NAMES))
    states = blip.vision_model(pixel_values=seen).last_hidden_state
    logits = blip.text_decoder(input_ids=ids, encoder_hidden_states=states).logits

    import perceptual
    encoder = perceptual.Perceptual()
    encoder.load_state_dict({k: v.float() for k, v in load_file(DEMO / "perceptual/model.safetensors").items()})
    x = torch.stack([torch.from_numpy(np.array(p)).permute(2, 0, 1).float() / 127.5 - 1 for p in pictures])
    distances = encoder(x, x.roll(-1, 0))

    save_file({"ids": ids.float(), "logits": logits.contiguous(), "distances": distances},
              folder / "captioner.safetensors", {"captions": "\n".join(captions)})
    print(captions, distances)


main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "Tests/DiffusionTests/Goldens"))
