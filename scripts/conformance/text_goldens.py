"""Goldens for the tests of tokenizer, text encoder and CLIP: tiny random models, computed by transformers."""
import argparse
import json
import pathlib
import random
import shutil

import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPTokenizer

import text_models
import tokenizer
from texts import FIXED, texts

GOLDENS = pathlib.Path(__file__).resolve().parents[2] / "Tests/DiffusionTests/Goldens"
TEXT = {
    "text-sd15": (text_models.text_sizes(24, 2, 3, "quick_gelu", vocabulary=60, length=16), "f16", 2, 16),
    "text-sd21": (text_models.text_sizes(20, 3, 5, "gelu", vocabulary=60, length=12, eos_token_id=2, pad_token_id=0), "bf16", 3, 9),
}
CLIP = ((text_models.text_sizes(16, 1, 2, "quick_gelu", vocabulary=40, length=8),
         text_models.vision_sizes(20, 2, 4, "gelu", 28, 7), 12), "f32",
        {"resample": 3, "size": {"shortest_edge": 30}}, [(28, 28), (40, 61), (90, 35)])


def fresh(name):
    folder = GOLDENS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def tokenizers(seed):
    vocabulary, pairs = tokenizer.trained_vocabulary(seed, 300)
    given = [t for t in FIXED if len(t) < 400] + random.Random(seed).sample([t for t in texts(1200, seed)[len(FIXED):] if len(t) < 90], 250)
    for style in ("1.5", "2.1", "transformers 5"):
        folder = tokenizer.write_folder(fresh(f"tokenizer-{style}".replace(" ", "-")), vocabulary, pairs, style)
        reference = CLIPTokenizer.from_pretrained(folder)
        cut = dict(truncation=True, max_length=reference.model_max_length)
        cases = {"texts": given, "content": reference(given, add_special_tokens=False).input_ids}
        cases["encoded"] = reference(given, **cut).input_ids if style == "1.5" else []
        cases["padded"] = reference(given[:20], **cut, padding="max_length").input_ids
        cases["decoded"] = [reference.decode(ids, skip_special_tokens=True) for ids in cases["content"]]
        reference.add_tokens(tokenizer.PLACEHOLDERS)
        cases["placeholders"] = tokenizer.PLACEHOLDERS
        cases["added"] = reference(given, add_special_tokens=False).input_ids
        if style != "1.5":
            cases = {k: v for k, v in cases.items() if k in ("padded", "content", "texts")}
        (folder / "cases.json").write_text(json.dumps(cases, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


@torch.no_grad()
def encoders(seed):
    g = torch.Generator().manual_seed(seed)
    for name, (config, dtype, batch, length) in TEXT.items():
        folder = fresh(name)
        model = text_models.text_encoder(config, dtype, seed, folder)
        ids = text_models.prompts(config, batch, length, g)
        save_file({"ids": ids.float(), "hidden": model(ids).last_hidden_state, "pooled": model(ids).pooler_output}, folder / "io.safetensors")


@torch.no_grad()
def clips(seed):
    g = torch.Generator().manual_seed(seed + 1)
    sizes, dtype, preprocessing, shapes = CLIP
    folder = fresh("clip-tiny")
    model, processor = text_models.clip_model(sizes, dtype, preprocessing, seed, folder)
    ids = text_models.prompts(sizes[0], 3, 8, g)
    given = text_models.pictures(shapes, g)
    pixels = processor([Image.fromarray(p.numpy()) for p in given], return_tensors="pt").pixel_values
    unit = lambda x: (x.pooler_output / x.pooler_output.norm(dim=-1, keepdim=True)).contiguous()
    tensors = {"ids": ids.float(), "pixels": pixels, "text": unit(model.get_text_features(input_ids=ids)),
               "image": unit(model.get_image_features(pixel_values=pixels))}
    save_file(tensors | {f"picture {i}": p.float() for i, p in enumerate(given)}, folder / "io.safetensors")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    seed = parser.parse_args().seed
    tokenizers(seed)
    encoders(seed)
    clips(seed)
    for file in GOLDENS.rglob("*.safetensors"):
        file.chmod(0o644)
