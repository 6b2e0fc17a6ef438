"""Goldens for the UNet, autoencoder, schedule and sampler tests: tiny random models, computed by diffusers."""
import argparse
import json
import pathlib
import shutil

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file

import random_models as rm
import schedulers

GOLDENS = pathlib.Path(__file__).resolve().parents[2] / "Tests/DiffusionTests/Goldens"

# Smaller than the models of the conformance run: these lie in the repository.
TINY_UNETS = {
    "unet-sd15": (dict(block_out_channels=[8, 16], attention_head_dim=2, norm_num_groups=4, cross_attention_dim=12, layers_per_block=2,
                       **rm.TWO), "f16", (7, 5)),
    "unet-sd21": (dict(block_out_channels=[8, 12, 12], attention_head_dim=[1, 2, 3], norm_num_groups=4, cross_attention_dim=12,
                       use_linear_projection=True, layers_per_block=1, transformer_layers_per_block=[1, 2, 1],
                       down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
                       up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"]), "bf16", (9, 14)),
}
TINY_AUTOENCODERS = {
    "vae-sd": (rm._vae(8, 12, norm_num_groups=4), "f16", (14, 10)),
    "vae-plain": (rm._vae(8, 8, 16, norm_num_groups=8, mid_block_add_attention=False, use_quant_conv=False, use_post_quant_conv=False),
                  "bf16", (20, 24)),
}


def fresh(name: str) -> pathlib.Path:
    folder = GOLDENS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@torch.no_grad()
def unets(g: torch.Generator, seed: int) -> None:
    for name, (config, dtype, (h, w)) in TINY_UNETS.items():
        folder = fresh(name)
        model = rm.UNet2DConditionModel(**config)
        rm.randomise(model, seed)
        model = rm.saved(model, dtype, folder)
        z = torch.randn(3, model.config.in_channels, h, w, generator=g)
        t = torch.tensor([1.0, 500.5, 981.0])
        text = torch.randn(3, 6, config["cross_attention_dim"], generator=g)
        save_file({"z": z, "timesteps": t, "text": text, "output": model(z, t, text).sample.contiguous()}, folder / "io.safetensors")


@torch.no_grad()
def autoencoders(g: torch.Generator, seed: int) -> None:
    for name, (config, dtype, (h, w)) in TINY_AUTOENCODERS.items():
        folder = fresh(name)
        model = rm.AutoencoderKL(**config)
        rm.randomise(model, seed)
        model = rm.saved(model, dtype, folder)
        x = torch.rand(2, 3, h, w, generator=g) * 2 - 1
        posterior = model.encode(x).latent_dist
        z = torch.randn(posterior.mean.shape, generator=g)
        save_file({"x": x, "mean": posterior.mean.contiguous(), "deviation": posterior.std.contiguous(), "z": z,
                   "picture": model.decode(z).sample.contiguous()}, folder / "io.safetensors")


def samplers(g: torch.Generator) -> None:
    folder = fresh("samplers")
    shape, steps = (2, 4, 3, 5), 20
    start, weight = torch.randn(shape, generator=g), torch.randn(shape, generator=g)
    noise = [torch.randn(shape, generator=g) for _ in range(steps)]
    tensors = {"start": start, "weight": weight, "noise": torch.stack(noise)}
    facts = {}
    for name, config in schedulers.CONFIGS.items():
        (folder / name).mkdir()
        (folder / name / "scheduler_config.json").write_text(json.dumps(config, indent=2) + "\n")
        tensors[f"{name}.alphas"] = schedulers.CLASSES["ddim"].from_config(dict(config)).alphas_cumprod
        for kind in schedulers.CLASSES:
            samples, timesteps, scale = schedulers.trajectory(kind, config, steps, start, weight, noise)
            if not torch.isfinite(samples).all():
                continue
            kept = [1, 2, 3, 7, len(timesteps)]
            tensors[f"{name}.{kind}"] = samples[kept].contiguous()
            facts[f"{name}.{kind}"] = {"timesteps": timesteps, "scale": scale, "kept": kept}
    save_file(tensors, folder / "trajectories.safetensors")
    (folder / "trajectories.json").write_text(json.dumps(facts) + "\n")


@torch.no_grad()
def pipelines(g: torch.Generator) -> None:
    """Latents of diffusers' pipeline, for the UNet of unet-sd15 and the scheduler file samplers/sd15."""
    config = json.loads((GOLDENS / "samplers/sd15/scheduler_config.json").read_text())
    pipeline = StableDiffusionPipeline(
        vae=rm.AutoencoderKL.from_pretrained(GOLDENS / "vae-sd", torch_dtype=torch.float32), text_encoder=None, tokenizer=None,
        unet=rm.UNet2DConditionModel.from_pretrained(GOLDENS / "unet-sd15", torch_dtype=torch.float32),
        scheduler=schedulers.make("pndm", config), safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    own = dict(pipeline.scheduler.config)
    text, negative = torch.randn(1, 6, 12, generator=g), torch.randn(1, 6, 12, generator=g)
    tensors = {"text": text, "negative": negative}
    for kind, cls in schedulers.CLASSES.items():
        for guidance in (1.0, 4.0):
            pipeline.scheduler = cls.from_config(own)
            tensors[f"{kind}.{guidance:g}"] = pipeline(
                prompt_embeds=text, negative_prompt_embeds=negative, height=16, width=24, num_inference_steps=7, guidance_scale=guidance,
                generator=torch.Generator().manual_seed(11), output_type="latent").images.contiguous()
    save_file(tensors, fresh("pipeline") / "latents.safetensors")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    seed = parser.parse_args().seed
    generator = torch.Generator().manual_seed(seed)
    unets(generator, seed)
    autoencoders(generator, seed)
    samplers(generator)
    pipelines(generator)
