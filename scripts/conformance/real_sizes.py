"""The real sizes of Stable Diffusion 1.5 and 2.1 with seeded random weights: float64 beside them, and whole pictures."""
import gc
import json
import shutil

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

import image_models
import random_models as rm
import single_files
from probe import ROOT, call, relative

CONFIGS = ROOT / "Tests/DiffusionTests/Goldens/configs"
VAE = rm._vae(128, 256, 512, 512, layers_per_block=2, norm_num_groups=32, sample_size=512)
PRECISIONS = {"float32": 1e-3, "bfloat16": 5e-2}


def unets(probe, seed, work):
    """Each precision against the same network in float64."""
    g = torch.Generator().manual_seed(seed + 3)
    for name, side in (("sd15", 64), ("sd21", 96)):
        folder = work / name
        config = json.loads((CONFIGS / f"{name}-unet.json").read_text())
        model = UNet2DConditionModel.from_config(config)
        rm.randomise(model, seed)
        model = model.half()
        model.save_pretrained(folder)
        inputs = {"z": torch.randn(1, 4, side, side, generator=g), "timesteps": torch.tensor([481.0]),
                  "text": torch.randn(1, 77, config["cross_attention_dim"], generator=g)}
        reference = model.double()(*(x.double() for x in inputs.values())).sample
        del model
        gc.collect()
        for precision, bound in PRECISIONS.items():
            found = call(probe, "unet", folder, inputs, precision)["output"]
            yield f"UNet {name}, {side}×{side}, {precision} against float64", relative(found, reference), bound
        shutil.rmtree(folder)


def autoencoder(probe, seed, work):
    model = AutoencoderKL(**VAE)
    rm.randomise(model, seed)
    model = rm.saved(model, "f16", work / "vae")
    g = torch.Generator().manual_seed(seed + 3)
    yield from image_models.autoencoder_rows(
        probe, "of real size, 512×512", work / "vae", model, torch.rand(1, 3, 512, 512, generator=g) * 2 - 1, g)


def pictures(probe, seed, work):
    """Stable Diffusion 1.5 whole, at half its side: twenty steps with guidance."""
    single_files.pipeline("sd15", single_files.FULL, single_files.GOLDENS / "tokenizer-1.5", seed).to(torch.float16).save_pretrained(work / "15")
    gc.collect()
    pipeline = image_models.loaded_pipeline(work / "15")
    worst = image_models.drawn_difference(
        probe, pipeline, work / "15", "pndm", "a photo of a star, red and small", "blurry", 5.0, (256, 256), [seed], work)
    yield "picture of real size, pndm, guidance 5, 256×256: largest pixel difference", worst, 2


def run(probe, seed, work, full=False):
    """(what, difference, tolerance)."""
    for part in (unets, autoencoder, pictures) if full else ():
        folder = work / part.__name__
        folder.mkdir(parents=True)
        yield from part(probe, seed, folder)
        shutil.rmtree(folder)
