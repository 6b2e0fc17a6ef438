"""Whole checkpoints: SD1.5, SD2.1-v, SDXL and latent diffusion, from folders and from single files, evoke's probe against diffusers."""
import filecmp
import subprocess

import safetensors.numpy
import torch
from safetensors.torch import save_file
from transformers import BertTokenizer

import latent_diffusion
import single_files
from probe import relative

PROMPT = "a photo of a star, red and small"
TOKENIZER = single_files.GOLDENS / "tokenizer-1.5"


def cases(seed, full):
    """(name, pipeline, original keys)"""
    for kind, name in (("sd15", "SD1.5"), ("sd21", "SD2.1-v")):
        configs = {kind: single_files.thinned(single_files.FULL[kind])} if full else single_files.SMALL
        pipe = single_files.pipeline(kind, configs, TOKENIZER, seed).to(torch.float16)
        yield name, pipe, lambda pipe=pipe, kind=kind: single_files.original(pipe, kind)
    pipe = single_files.xl_pipeline(TOKENIZER, seed, single_files.thinned(single_files.xl_configs(True)) if full else None).to(torch.float16)
    yield "SDXL", pipe, lambda pipe=pipe: single_files.original_xl(pipe)
    vocabulary = latent_diffusion.FOLDER / "tokenizer"
    pipe = latent_diffusion.pipeline(BertTokenizer.from_pretrained(vocabulary), seed, full)
    yield "LDM", pipe, lambda pipe=pipe: latent_diffusion.original(pipe)


def reference(name, pipe, z):
    """Hidden states, the UNet's answer at timestep 500 and the picture, in float32."""
    if name == "LDM":
        ids = pipe.tokenizer([PROMPT], padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
        hidden = pipe.bert.float().eval()(ids)[0]
        return hidden, pipe.unet.float()(z, 500, hidden)[0], pipe.vqvae.float().decode(z)[0]
    pipe = pipe.to(torch.float32)
    if name != "SDXL":
        hidden = pipe.encode_prompt(PROMPT, "cpu", 1, False)[0]
        return hidden, pipe.unet(z, 500, hidden)[0], pipe.vae.decode(z)[0]
    hidden, _, pooled, _ = pipe.encode_prompt(PROMPT, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False)
    h, w = 8 * z.shape[2], 8 * z.shape[3]
    added = {"text_embeds": pooled, "time_ids": torch.tensor([[h, w, 0, 0, h, w]], dtype=torch.float32)}
    return hidden, pipe.unet(z, 500, hidden, added_cond_kwargs=added)[0], pipe.vae.decode(z)[0]


@torch.no_grad()
def run(probe, seed, work, full=False):
    """(what, relative difference, tolerance)."""
    for wide in (False, True) if full else (False,):
        for name, pipe, original in cases(seed, wide):
            folder = work / f"{name} {wide}"
            pipe.save_pretrained(folder)
            z = torch.randn(1, 4, 16, 12, generator=torch.Generator().manual_seed(seed))
            save_file({"z": z}, work / "in.safetensors")
            subprocess.run([probe, "parts", folder, "-", work / "in.safetensors", work / "out.safetensors", PROMPT], check=True)
            found = safetensors.numpy.load_file(work / "out.safetensors")
            save_file({k: v.clone() for k, v in original().items()}, work / "single.safetensors")
            subprocess.run([probe, "parts", work / "single.safetensors", folder, work / "in.safetensors", work / "single-out.safetensors", PROMPT], check=True)
            same = filecmp.cmp(work / "out.safetensors", work / "single-out.safetensors", shallow=False)
            yield f"{name}{' at full width' if wide else ''}: single file against folder, differing results", float(not same), 0
            hidden, output, picture = reference(name, pipe, z)
            label = f"{name}{' at full width, one layer a block' if wide else ''}"
            yield f"{label}: hidden states", relative(found["hidden"][:, :hidden.shape[1]], hidden), 2e-4
            yield f"{label}: UNet", relative(found["output"], output), 2e-4
            yield f"{label}: decoded picture", relative(found["picture"], picture), 2e-4
