"""UNets, autoencoders, samplers and whole pictures: seeded random-weight models, evoke's probe against diffusers."""
import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

import random_models as rm
import schedulers

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEMO = ROOT / "Sources/Diffusion/Resources/demo"


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a.double() - b.double()).norm() / b.double().norm()) if a.shape == b.shape else float("inf")


def probe_call(probe, mode: str, folder: pathlib.Path, tensors: dict, work: pathlib.Path, *extra) -> dict:
    """Runs the probe in one mode: tensors in, tensors out."""
    save_file({k: v.contiguous() for k, v in tensors.items()}, work / "in.safetensors")
    subprocess.run([probe, mode, folder, work / "in.safetensors", work / "out.safetensors", *map(str, extra)], check=True)
    return load_file(work / "out.safetensors")


@torch.no_grad()
def unets(probe, seed: int, work: pathlib.Path):
    g = torch.Generator().manual_seed(seed)
    for name, (config, dtype, sizes, tokens) in rm.UNETS.items():
        model = rm.unet(name, seed, work / name)
        for h, w in sizes:
            z = torch.randn(3, model.config.in_channels, h, w, generator=g)
            t = torch.tensor([0.0, 999.0, 1000 * float(torch.rand((), generator=g))])
            text = torch.randn(3, tokens, config["cross_attention_dim"], generator=g)
            got = probe_call(probe, "unet", work / name, {"z": z, "timesteps": t, "text": text}, work)
            yield f"UNet {name} ({dtype}), {h}×{w}", relative(got["output"], model(z, t, text).sample), 2e-4


@torch.no_grad()
def autoencoders(probe, seed: int, work: pathlib.Path):
    g = torch.Generator().manual_seed(seed + 1)
    for name, (_, dtype, sizes) in rm.AUTOENCODERS.items():
        model = rm.autoencoder(name, seed, work / name)
        for h, w in sizes:
            x = torch.rand(2, 3, h, w, generator=g) * 2 - 1
            posterior = model.encode(x).latent_dist
            z = torch.randn(posterior.mean.shape, generator=g)
            got = probe_call(probe, "vae", work / name, {"x": x, "z": z}, work)
            for key, value in {"mean": posterior.mean, "deviation": posterior.std, "picture": model.decode(z).sample}.items():
                yield f"autoencoder {name} ({dtype}), {h}×{w}: {key}", relative(got[key], value), 2e-4


@torch.no_grad()
def samplers(probe, seed: int, work: pathlib.Path):
    """Twenty steps of each sampler, driven by the same random UNet on both sides."""
    g = torch.Generator().manual_seed(seed + 2)
    unet = rm.unet("two-levels", seed, work / "driver")
    shape, steps = (2, 4, 6, 5), 20
    text = torch.randn(2, 9, 18, generator=g)
    for name, config in schedulers.CONFIGS.items():
        folder = work / f"scheduler-{name}"
        folder.mkdir()
        (folder / "scheduler_config.json").write_text(json.dumps(config))
        for kind in schedulers.CLASSES:
            if (name, kind) == ("zero-snr", "pndm"):
                continue  # diffusers ignores the option here; evoke refuses
            start = torch.randn(shape, generator=g)
            noise = [torch.randn(shape, generator=g) for _ in range(steps)]
            reference, _, _ = schedulers.trajectory(
                kind, config, steps, start, text, noise, model=lambda x, t, text: unet(x, t, text).sample)
            if not torch.isfinite(reference).all():
                continue
            got = probe_call(probe, "sampler", work / "driver", {"start": start, "text": text, "noise": torch.stack(noise)}, work,
                             folder, kind, steps)["samples"]
            worst = max(relative(a, b) for a, b in zip(got, reference)) if got.shape == reference.shape else float("inf")
            yield f"sampler {kind}, {name}, worst of {len(reference)} samples", worst, 1e-3


def random_pipeline(seed: int, width: int, prediction: str, folder: pathlib.Path) -> StableDiffusionPipeline:
    """A whole Stable-Diffusion-like folder with random weights and the demo model's tokenizer."""
    tokenizer = CLIPTokenizer.from_pretrained(DEMO / "tokenizer")
    torch.manual_seed(seed)
    text = CLIPTextModel(CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=2 * width, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=tokenizer.model_max_length, hidden_act="quick_gelu" if prediction == "epsilon" else "gelu",
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id)).eval()
    unet = rm.UNet2DConditionModel(sample_size=8, block_out_channels=[16, 32], attention_head_dim=[2, 4], norm_num_groups=8,
                                   cross_attention_dim=width, use_linear_projection=prediction != "epsilon", **rm.TWO)
    vae = rm.AutoencoderKL(**rm._vae(16, 24, 32), sample_size=32)
    rm.randomise(unet, seed)
    rm.randomise(vae, seed)
    scheduler = schedulers.make("pndm", dict(schedulers.SD, prediction_type=prediction))
    pipeline = StableDiffusionPipeline(
        vae=vae.eval(), text_encoder=text, tokenizer=tokenizer, unet=unet.eval(), scheduler=scheduler, safety_checker=None,
        feature_extractor=None, requires_safety_checker=False)
    pipeline.save_pretrained(folder)
    return loaded_pipeline(folder)


def loaded_pipeline(folder: pathlib.Path) -> StableDiffusionPipeline:
    pipeline = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@torch.no_grad()
def pictures(probe, seed: int, work: pathlib.Path):
    """The same prompt and torch seed drawn by both: the largest difference of any pixel, of 255."""
    prompts = [("a red circle on a blue background", "blurry", 5.0, (32, 32)), ("stars", "", 1.0, (40, 24))]
    models = [("random SD1.5-like", random_pipeline(seed, 32, "epsilon", work / "pipeline-15"), work / "pipeline-15"),
              ("random SD2.1-like", random_pipeline(seed + 1, 48, "v_prediction", work / "pipeline-21"), work / "pipeline-21")]
    models.append(("demo", loaded_pipeline(DEMO), DEMO))
    for model, pipeline, folder in models:
        own = dict(pipeline.scheduler.config)
        for kind, cls in schedulers.CLASSES.items():
            pipeline.scheduler = cls.from_config(own)
            for prompt, negative, guidance, (h, w) in prompts:
                if model == "demo":
                    h, w = 64, 64
                request = {"prompt": prompt, "negative": negative, "guidance": guidance, "steps": 20, "sampler": kind,
                           "seeds": [seed, seed + 5], "height": h, "width": w}
                (work / "request.json").write_text(json.dumps(request))
                subprocess.run([probe, "generate", folder, work / "request.json", work / "drawn"], check=True)
                worst = 0
                for i, s in enumerate(request["seeds"]):
                    image = pipeline(prompt, height=h, width=w, num_inference_steps=20, guidance_scale=guidance, negative_prompt=negative,
                                     generator=torch.Generator().manual_seed(s)).images[0]
                    mine = np.asarray(Image.open(work / f"drawn-{i}.png").convert("RGB"), int)
                    worst = max(worst, int(np.abs(mine - np.asarray(image, int)).max()))
                yield f"picture, {model}, {kind}, guidance {guidance:g}, {h}×{w}", worst, 2


PARTS = {"unets": unets, "autoencoders": autoencoders, "samplers": samplers, "pictures": pictures}


def run(probe: pathlib.Path, seed: int, work: pathlib.Path, parts=tuple(PARTS)) -> list[tuple[str, float, float]]:
    """(what, measured, tolerance) of every comparison."""
    rows = []
    for part in parts:
        folder = work / part
        folder.mkdir(parents=True, exist_ok=True)
        rows += PARTS[part](probe, seed, folder)
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("probe", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--parts", nargs="*", default=list(PARTS), choices=list(PARTS))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        results = run(arguments.probe.resolve(), arguments.seed, pathlib.Path(work), arguments.parts)
    for what, measured, tolerance in results:
        print(f"{'ok  ' if measured <= tolerance else 'FAIL'} {measured:9.2g} ≤ {tolerance:g}  {what}")
    raise SystemExit(any(not measured <= tolerance for _, measured, tolerance in results))
