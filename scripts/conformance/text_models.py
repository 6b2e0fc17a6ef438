"""Text encoders, CLIP and learned words: seeded random-weight models, evoke's probe against transformers and diffusers."""
import json
import pathlib
import subprocess

import numpy as np
import safetensors.numpy
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from probe import DEMO, call, relative

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def text_sizes(width, layers, heads, act, vocabulary=1000, length=77, hidden=None, **others):
    return dict(hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, hidden_act=act, vocab_size=vocabulary,
                max_position_embeddings=length, intermediate_size=hidden or 4 * width, bos_token_id=vocabulary - 2,
                **{"eos_token_id": vocabulary - 1, "pad_token_id": vocabulary - 1, **others})


# name: (configuration, stored type, batch, tokens)
TEXT_ENCODERS = {
    "SD1.5-like": (text_sizes(96, 4, 12, "quick_gelu"), "f32", 2, 77),
    "SD1.5-like, wide heads": (text_sizes(128, 2, 2, "quick_gelu"), "f16", 3, 77),
    "SD1.5-like, short": (text_sizes(48, 3, 4, "quick_gelu", length=20, hidden=80), "bf16", 2, 13),
    "SD2.1-like": (text_sizes(64, 5, 16, "gelu", pad_token_id=0), "f32", 2, 77),
    "SD2.1-like, bf16": (text_sizes(160, 2, 10, "gelu", pad_token_id=0), "bf16", 1, 77),
    "SD2.1-like, one head": (text_sizes(40, 3, 1, "gelu", vocabulary=300, length=33), "f16", 4, 33),
    "odd sizes": (text_sizes(54, 2, 9, "gelu", vocabulary=97, length=11, hidden=101), "f32", 5, 7),
    "one token": (text_sizes(32, 1, 8, "quick_gelu", vocabulary=50, length=5), "f32", 2, 1),
}
FULL_TEXT_ENCODERS = {
    "SD1.5": (text_sizes(768, 12, 12, "quick_gelu", vocabulary=49408), "f32", 2, 77),
    "SD2.1": (text_sizes(1024, 23, 16, "gelu", vocabulary=49408), "f32", 2, 77),
}


def vision_sizes(width, layers, heads, act, picture, patch, hidden=None):
    return dict(hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, hidden_act=act, image_size=picture, patch_size=patch,
                intermediate_size=hidden or 4 * width)


# name: (text configuration, vision configuration, projection, stored type, preprocessing, picture sizes h × w)
CLIPS = {
    "ViT-B/32-like": (text_sizes(64, 2, 4, "quick_gelu"), vision_sizes(96, 3, 6, "quick_gelu", 64, 32), 48, "f32", {},
                      [(64, 64), (100, 75), (33, 190)]),
    "ViT-L/14-like": (text_sizes(48, 2, 4, "quick_gelu"), vision_sizes(64, 2, 4, "quick_gelu", 70, 14), 40, "f16", {}, [(71, 200), (512, 400)]),
    "gelu, 23×23 patches": (text_sizes(40, 2, 5, "gelu", eos_token_id=2), vision_sizes(40, 2, 5, "gelu", 69, 3), 24, "bf16",
                            {"resample": 2}, [(50, 60)]),
    "patches that do not cover": (text_sizes(32, 1, 2, "gelu"), vision_sizes(32, 2, 2, "gelu", 50, 16, hidden=70), 16, "f32",
                                  {"resample": 1, "crop_size": {"height": 50, "width": 50}, "size": {"shortest_edge": 40}}, [(80, 41), (9, 13)]),
    "size given as both sides": (text_sizes(32, 1, 2, "gelu"), vision_sizes(36, 1, 3, "quick_gelu", 32, 8), 20, "f32",
                                 {"size": {"height": 32, "width": 32}, "do_center_crop": False, "image_mean": [0.5, 0.4, 0.3],
                                  "image_std": [0.5, 0.25, 0.2]}, [(31, 77), (300, 200)]),
}
FULL_CLIPS = {"ViT-L/14": (text_sizes(768, 12, 12, "quick_gelu", vocabulary=49408), vision_sizes(1024, 24, 16, "quick_gelu", 224, 14), 768, "f32", {},
                           [(480, 640)])}


def randomise(model, seed):
    """Transformers starts norms at 1 and biases at 0, which would hide a mistake there."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            if p.dim() <= 1:
                p.add_(0.2 * torch.randn(p.shape, generator=g))
            elif "embedding" in name:
                p.copy_(0.3 * torch.randn(p.shape, generator=g))
            else:
                p.copy_(torch.randn(p.shape, generator=g) / (p[0].numel() ** 0.5))


def text_encoder(config, dtype, seed, folder):
    """The model as the folder stores it, computed in float32."""
    torch.manual_seed(seed)
    model = CLIPTextModel(CLIPTextConfig(**config))
    randomise(model, seed)
    model.to(DTYPES[dtype]).save_pretrained(folder)
    return CLIPTextModel.from_pretrained(folder, dtype=torch.float32).eval()


def clip_model(sizes, dtype, preprocessing, seed, folder):
    text, vision, projection = sizes
    torch.manual_seed(seed)
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=projection))
    randomise(model, seed)
    model.to(DTYPES[dtype]).save_pretrained(folder)
    side = vision["image_size"]
    processor = CLIPImageProcessorPil(**{"size": {"shortest_edge": side}, "crop_size": {"height": side, "width": side}, **preprocessing})
    processor.save_pretrained(folder)
    return CLIPModel.from_pretrained(folder, dtype=torch.float32).eval(), processor


def prompts(config, batch, length, g):
    """Random ids with an end token somewhere, as a tokenizer would give them."""
    top = config["vocab_size"] - 1
    ids = torch.randint(1, max(config["vocab_size"] - 2, 2), (batch, length), generator=g)
    for row in ids:
        end = int(torch.randint(length, (), generator=g))
        row[end], row[end + 1:] = top, config["pad_token_id"]
    return ids


def pictures(sizes, g):
    """Noise over slow colour gradients, bytes [h, w, 3]."""
    found = []
    for h, w in sizes:
        ramp = torch.linspace(0, 255, h)[:, None, None] * torch.linspace(0, 1, w)[None, :, None] * torch.rand(3, generator=g)
        found.append((ramp + 60 * torch.rand(h, w, 3, generator=g)).clamp(0, 255).to(torch.uint8))
    return found


@torch.no_grad()
def run(probe, seed, work, full=False):
    """(what, relative difference, tolerance)."""
    g = torch.Generator().manual_seed(seed)
    for name, (config, dtype, batch, length) in (TEXT_ENCODERS | (FULL_TEXT_ENCODERS if full else {})).items():
        folder = work / f"text {name}".replace("/", "-")
        model = text_encoder(config, dtype, seed, folder)
        ids = prompts(config, batch, length, g)
        found = call(probe, "text", folder, {"ids": ids})["hidden"]
        yield f"text encoder {name} ({dtype}), {batch}×{length} tokens", relative(found, model(ids).last_hidden_state), 2e-4
        rows = 0.3 * torch.randn(3, config["hidden_size"], generator=g)
        grown = CLIPTextModel.from_pretrained(folder, dtype=torch.float32).eval()
        grown.resize_token_embeddings(config["vocab_size"] + 3, mean_resizing=False)
        grown.get_input_embeddings().weight[-3:] = rows
        ids[:, 0] = torch.randint(config["vocab_size"], config["vocab_size"] + 3, (batch,), generator=g)
        found = call(probe, "text", folder, {"ids": ids, "extra": rows})["hidden"]
        yield f"text encoder {name} ({dtype}), with learned words", relative(found, grown(ids).last_hidden_state), 2e-4
    for name, (text, vision, projection, dtype, preprocessing, sizes) in (CLIPS | (FULL_CLIPS if full else {})).items():
        folder = work / f"clip {name}".replace("/", "-")
        model, processor = clip_model((text, vision, projection), dtype, preprocessing, seed, folder)
        yield from clip_rows(probe, f"{name} ({dtype})", folder, model, processor, prompts(text, 3, text["max_position_embeddings"], g), pictures(sizes, g))
    demo = CLIPModel.from_pretrained(DEMO / "clip", dtype=torch.float32).eval()
    ids = CLIPTokenizer.from_pretrained(DEMO / "tokenizer")(["a red star", "two green circles", ""], padding="max_length", return_tensors="pt").input_ids
    yield from clip_rows(probe, "demo", DEMO / "clip", demo, CLIPImageProcessorPil.from_pretrained(DEMO / "clip"), ids,
                         pictures([(64, 64), (48, 80), (300, 200)], g))
    yield from learned_words(probe, work, g)


def clip_rows(probe, name, folder, model, processor, ids, given):
    inputs = {str(i): picture for i, picture in enumerate(given)} | {"ids": ids}
    found = call(probe, "clip", folder, inputs)
    unit = lambda x: x.pooler_output / x.pooler_output.norm(dim=-1, keepdim=True)
    pixels = processor([Image.fromarray(p.numpy()) for p in given], return_tensors="pt").pixel_values
    yield f"CLIP {name}: text features", relative(found["text"], unit(model.get_text_features(input_ids=ids))), 2e-4
    yield f"CLIP {name}: image features, {len(given)} sizes", relative(found["image"], unit(model.get_image_features(pixel_values=pixels))), 2e-4


def learned_words(probe, work, g):
    """A word of three vectors, through evoke's writer and diffusers' load_textual_inversion, in prompts."""
    pipeline = StableDiffusionPipeline.from_pretrained(DEMO, safety_checker=None, torch_dtype=torch.float32)
    width = pipeline.text_encoder.config.hidden_size
    vectors = 0.3 * torch.randn(3, width, generator=g)
    safetensors.numpy.save_file({"<star>": vectors.numpy()}, work / "given.safetensors")
    subprocess.run([probe, "rewrite", work / "given.safetensors", work / "word.safetensors"], check=True)
    pipeline.load_textual_inversion(str(work / "word.safetensors"))
    texts = ["a photo of a <star>", "<star>", "<star>, a red circle", "x<star>y, striped " * 9]
    (work / "prompts.json").write_text(json.dumps({"texts": texts}))
    subprocess.run([probe, "learned", DEMO, work / "prompts.json", work / "word.safetensors", work / "out.safetensors"], check=True)
    found = safetensors.numpy.load_file(work / "out.safetensors")["hidden"]
    for i, text in enumerate(texts):
        reference = pipeline.encode_prompt(text, "cpu", 1, False)[0]
        yield f"prompt with a word of 3 vectors: {text[:24]!r}", relative(found[i:i + 1], reference), 2e-4
