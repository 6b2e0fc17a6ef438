"""UNets, autoencoders, samplers and whole pictures: seeded random-weight models, evoke's probe against diffusers."""
import json
import pathlib
import shutil

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

import random_models as rm
import schedulers
from probe import DEMO, ROOT, Probe, Row, relative


@torch.no_grad()
def unets(seed: int, work: pathlib.Path):
    g, probe, wanted = torch.Generator().manual_seed(seed), Probe(), {}
    for name, (config, dtype, sizes, tokens) in rm.UNETS.items():
        model = rm.unet(name, seed, work / name)
        for h, w in sizes:
            z = torch.randn(3, model.config.in_channels, h, w, generator=g)
            t = torch.tensor([0.0, 999.0, 1000 * float(torch.rand((), generator=g))])
            text = torch.randn(3, tokens, config["cross_attention_dim"], generator=g)
            call = probe.add("unet", {"z": z, "timesteps": t, "text": text}, folder=work / name)
            wanted[call] = f"{name} ({dtype}), {h}×{w}", model(z, t, text).sample
    results = probe.run()
    for call, (case, reference) in wanted.items():
        yield Row("UNet", case, "relative difference", relative(results[call]["output"], reference), 2e-4)


@torch.no_grad()
def autoencoders(seed: int, work: pathlib.Path):
    g, probe, wanted = torch.Generator().manual_seed(seed + 1), Probe(), {}
    for name, (_, dtype, sizes) in rm.AUTOENCODERS.items():
        model = rm.autoencoder(name, seed, work / name)
        for h, w in sizes:
            x = torch.rand(2, 3, h, w, generator=g) * 2 - 1
            posterior = model.encode(x).latent_dist
            z = torch.randn(posterior.mean.shape, generator=g)
            call = probe.add("autoencoder", {"x": x, "z": z}, folder=work / name)
            reference = {"mean": posterior.mean, "deviation": posterior.std, "picture": model.decode(z).sample}
            wanted[call] = f"{name} ({dtype}), {h}×{w}", reference
    results = probe.run()
    for call, (case, reference) in wanted.items():
        for key, value in reference.items():
            yield Row("autoencoder", f"{case}: {key}", "relative difference", relative(results[call][key], value), 2e-4)


@torch.no_grad()
def samplers(seed: int, work: pathlib.Path):
    """Twenty steps of each sampler, driven by the same random UNet on both sides."""
    g, probe, wanted = torch.Generator().manual_seed(seed + 2), Probe(), {}
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
            call = probe.add("sampler", {"start": start, "text": text, "noise": torch.stack(noise)}, folder=work / "driver",
                             scheduler=folder, sampler=kind, steps=steps)
            wanted[call] = f"{kind}, {name}", reference
    results = probe.run()
    for call, (case, reference) in wanted.items():
        worst = max(relative(a, b) for a, b in zip(results[call]["samples"], reference, strict=True))
        yield Row("sampler", case, f"worst relative difference of {len(reference)} samples", worst, 1e-3)


CONFIGS = ROOT / "Tests/DiffusionTests/Goldens/configs"
FULL_VAE = rm._vae(128, 256, 512, 512, layers_per_block=2, norm_num_groups=32, sample_size=512)


@torch.no_grad()
def full_size(seed: int, work: pathlib.Path):
    """The real configurations of Stable Diffusion 1.5 and 2.1 with random weights in float16: about 8 GB of memory, minutes."""
    g = torch.Generator().manual_seed(seed + 3)
    for name, side in (("sd15", 64), ("sd21", 96)):
        config = json.loads((CONFIGS / f"{name}-unet.json").read_text())
        model = rm.UNet2DConditionModel.from_config(config)
        rm.randomise(model, seed)
        model = rm.saved(model, "f16", work / name)
        z, text = torch.randn(1, 4, side, side, generator=g), torch.randn(1, 77, config["cross_attention_dim"], generator=g)
        reference = model(z, 481, text).sample
        del model
        probe = Probe()
        call = probe.add("unet", {"z": z, "timesteps": [481.0], "text": text}, folder=work / name)
        yield Row("UNet", f"real size {name}, {side}×{side}", "relative difference", relative(probe.run()[call]["output"], reference), 2e-4)
        shutil.rmtree(work / name)
    model = rm.AutoencoderKL(**FULL_VAE)
    rm.randomise(model, seed)
    model = rm.saved(model, "f16", work / "vae")
    x, z = torch.rand(1, 3, 512, 512, generator=g) * 2 - 1, torch.randn(1, 4, 64, 64, generator=g)
    posterior = model.encode(x).latent_dist
    reference = {"mean": posterior.mean, "deviation": posterior.std, "picture": model.decode(z).sample}
    del model
    probe = Probe()
    call = probe.add("autoencoder", {"x": x, "z": z}, folder=work / "vae")
    result = probe.run()[call]
    for key, value in reference.items():
        yield Row("autoencoder", f"real size, 512×512: {key}", "relative difference", relative(result[key], value), 2e-4)


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
def pictures(seed: int, work: pathlib.Path):
    """The same prompt and torch seed drawn by both: the largest difference of any pixel, of 255."""
    probe, wanted = Probe(), {}
    prompts = [("a red circle on a blue background", "blurry", 5.0, (32, 32)), ("stars", "", 1.0, (40, 24))]
    models = {"random SD1.5-like": (random_pipeline(seed, 32, "epsilon", work / "15"), work / "15"),
              "random SD2.1-like": (random_pipeline(seed + 1, 48, "v_prediction", work / "21"), work / "21"),
              "demo": (loaded_pipeline(DEMO), DEMO)}
    seeds = [seed, seed + 5]
    for model, (pipeline, folder) in models.items():
        own = dict(pipeline.scheduler.config)
        for kind, cls in schedulers.CLASSES.items():
            pipeline.scheduler = cls.from_config(own)
            for prompt, negative, guidance, (h, w) in prompts:
                h, w = (64, 64) if model == "demo" else (h, w)
                images = [pipeline(prompt, height=h, width=w, num_inference_steps=20, guidance_scale=guidance, negative_prompt=negative,
                                   generator=torch.Generator().manual_seed(s)).images[0] for s in seeds]
                call = probe.add("generate", folder=folder, prompt=prompt, negative=negative, guidance=guidance, steps=20, sampler=kind,
                                 height=h, width=w, seeds=seeds)
                wanted[call] = f"{model}, {kind}, guidance {guidance:g}, {h}×{w}", np.stack([np.asarray(i, float) for i in images])
    results = probe.run()
    for call, (case, reference) in wanted.items():
        yield Row("picture", case, "largest pixel difference", float(np.abs(results[call]["pictures"] - reference).max()), 2)


def rows(seed: int, work: pathlib.Path, parts=(unets, autoencoders, samplers, pictures)):
    """All comparisons; the random models are kept below `work`."""
    for part in parts:
        folder = work / part.__name__
        folder.mkdir(parents=True)
        yield from part(seed, folder)
