"""UNets, autoencoders, samplers and whole pictures: seeded random-weight models, evoke's probe against diffusers."""
import json
import pathlib
import subprocess

import numpy as np
import safetensors.numpy
import torch
from diffusers import StableDiffusionPipeline
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

import random_models as rm
import schedulers
from probe import DEMO, call, relative


def unets(probe, seed, work):
    g = torch.Generator().manual_seed(seed)
    for name, (config, dtype, sizes, tokens) in rm.UNETS.items():
        model = rm.unet(name, seed, work / name)
        for h, w in sizes:
            z = torch.randn(3, model.config.in_channels, h, w, generator=g)
            t = torch.tensor([0.0, 999.0, 1000 * float(torch.rand((), generator=g))])
            text = torch.randn(3, tokens, config["cross_attention_dim"], generator=g)
            found = call(probe, "unet", work / name, {"z": z, "timesteps": t, "text": text})["output"]
            yield f"UNet {name} ({dtype}), {h}×{w}", relative(found, model(z, t, text).sample), 2e-4


def autoencoders(probe, seed, work):
    g = torch.Generator().manual_seed(seed + 1)
    for name, (_, dtype, sizes) in rm.AUTOENCODERS.items():
        model = rm.autoencoder(name, seed, work / name)
        for h, w in sizes:
            x = torch.rand(2, 3, h, w, generator=g) * 2 - 1
            yield from autoencoder_rows(probe, f"{name} ({dtype}), {h}×{w}", work / name, model, x, g)


def autoencoder_rows(probe, case, folder, model, x, g):
    posterior = model.encode(x).latent_dist
    z = torch.randn(posterior.mean.shape, generator=g)
    reference = {"mean": posterior.mean, "deviation": posterior.std, "picture": model.decode(z).sample}
    found = call(probe, "autoencoder", folder, {"x": x, "z": z})
    for key, value in reference.items():
        yield f"autoencoder {case}: {key}", relative(found[key], value), 2e-4


def samplers(probe, seed, work):
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
            found = call(probe, "sampler", work / "driver", {"start": start, "text": text, "noise": torch.stack(noise)}, folder, kind, steps)
            worst = max(relative(a, b) for a, b in zip(found["samples"], reference, strict=True))
            yield f"sampler {kind}, {name}: worst of {len(reference)} samples", worst, 1e-3


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


def pictures(probe, seed, work):
    """The same prompt and torch seed drawn by both: the largest difference of any pixel, of 255."""
    prompts = [("a red circle on a blue background", "blurry", 5.0, (32, 32)), ("stars", "", 1.0, (40, 24))]
    models = {"random SD1.5-like": (random_pipeline(seed, 32, "epsilon", work / "15"), work / "15"),
              "random SD2.1-like": (random_pipeline(seed + 1, 48, "v_prediction", work / "21"), work / "21"),
              "demo": (loaded_pipeline(DEMO), DEMO)}
    for model, (pipeline, folder) in models.items():
        for kind in schedulers.CLASSES:
            for prompt, negative, guidance, size in prompts:
                size = (64, 64) if model == "demo" else size
                worst = drawn_difference(probe, pipeline, folder, kind, prompt, negative, guidance, size, [seed, seed + 5], work)
                yield f"picture, {model}, {kind}, guidance {guidance:g}, {size[0]}×{size[1]}: largest pixel difference", worst, 2


def drawn_difference(probe, pipeline, folder, kind, prompt, negative, guidance, size, seeds, work):
    """Twenty steps on both sides: the largest difference of any pixel, of 255."""
    (h, w), steps = size, 20
    pipeline.scheduler = schedulers.make(kind, json.loads((folder / "scheduler/scheduler_config.json").read_text()))
    request = {"prompt": prompt, "negative": negative, "guidance": guidance, "steps": steps, "sampler": kind, "height": h, "width": w, "seeds": seeds}
    (work / "request.json").write_text(json.dumps(request))
    subprocess.run([probe, "generate", folder, work / "request.json", work / "out.safetensors"], check=True)
    drawn = safetensors.numpy.load_file(work / "out.safetensors")["pictures"]
    images = [pipeline(prompt, height=h, width=w, num_inference_steps=steps, guidance_scale=guidance, negative_prompt=negative,
                       generator=torch.Generator().manual_seed(s)).images[0] for s in seeds]
    expected = np.stack([np.asarray(image, np.float32) for image in images])
    assert expected.std() > 10, "a picture without contrast would hide differences"
    return float(np.abs(drawn - expected).max())


def run(probe, seed, work, full=False):
    """(what, difference, tolerance)."""
    with torch.no_grad():
        for part in (unets, autoencoders, samplers, pictures):
            folder = work / part.__name__
            folder.mkdir(parents=True)
            yield from part(probe, seed, folder)
