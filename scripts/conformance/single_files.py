"""Single files in the original key layout: written here from diffusers models, checked by reading them with diffusers, compared with what evoke reads."""
import argparse
import json
import pathlib
import shutil
import subprocess

import torch
from diffusers import (AutoencoderKL, DDIMScheduler, EulerDiscreteScheduler, PNDMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline,
                       UNet2DConditionModel)
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from probe import call, relative
from random_models import randomise

GOLDENS = pathlib.Path(__file__).resolve().parents[2] / "Tests/DiffusionTests/Goldens"
DOWN, UP = ["CrossAttnDownBlock2D", "DownBlock2D"], ["UpBlock2D", "CrossAttnUpBlock2D"]
WIDE_DOWN, WIDE_UP = ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"], ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3


def sizes(kind, channels, groups, text, hidden_layers, vae_channels, full):
    """Configurations of UNet, autoencoder and text encoder of one kind."""
    second = kind == "sd21"
    heads = ([c // 64 for c in channels] if full else 2) if second else (8 if full else 2)
    unet = dict(block_out_channels=channels, norm_num_groups=groups, cross_attention_dim=text, attention_head_dim=heads, use_linear_projection=second,
                layers_per_block=2 if full else 1, sample_size=(96 if second else 64) if full else 8,
                down_block_types=WIDE_DOWN if full else DOWN, up_block_types=WIDE_UP if full else UP)
    vae = dict(block_out_channels=vae_channels, norm_num_groups=groups, layers_per_block=2 if full else 1, latent_channels=4, sample_size=512 if full else 16,
               down_block_types=["DownEncoderBlock2D"] * len(vae_channels), up_block_types=["UpDecoderBlock2D"] * len(vae_channels))
    encoder = dict(hidden_size=text, num_hidden_layers=hidden_layers, num_attention_heads=text // 64 if full else 2, intermediate_size=4 * text,
                   hidden_act="gelu" if second else "quick_gelu", vocab_size=49408 if full else 913, bos_token_id=0, eos_token_id=2)
    return unet, vae, encoder


SMALL = {kind: sizes(kind, [8, 12], 4, 12, 2, [8, 12], False) for kind in ("sd15", "sd21")}
FULL = {"sd15": sizes("sd15", [320, 640, 1280, 1280], 32, 768, 12, [128, 256, 512, 512], True),
        "sd21": sizes("sd21", [320, 640, 1280, 1280], 32, 1024, 23, [128, 256, 512, 512], True)}


def thinned(configs):
    """The full width with one layer a block: what memory and time allow."""
    def thin(config):
        fewer = {k: 1 for k in ("layers_per_block",) if k in config} | {k: 2 for k in ("num_hidden_layers",) if k in config}
        if isinstance(config.get("transformer_layers_per_block"), list):
            fewer["transformer_layers_per_block"] = [1, 1, 2]
        return config | fewer
    return tuple(thin(c) for c in configs)


def pipeline(kind, configs, tokenizer, seed):
    unet, vae, encoder = configs[kind]
    tokenizer = CLIPTokenizer.from_pretrained(tokenizer)
    encoder = CLIPTextConfig(**{**encoder, "vocab_size": max(encoder["vocab_size"], len(tokenizer))})
    parts = dict(unet=UNet2DConditionModel(**unet), vae=AutoencoderKL(**vae), text_encoder=CLIPTextModel(encoder))
    for model in parts.values():
        randomise(model, seed)
    betas = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, steps_offset=1, clip_sample=False, set_alpha_to_one=False)
    scheduler = DDIMScheduler(**betas, prediction_type="v_prediction") if kind == "sd21" else PNDMScheduler(
        **{k: v for k, v in betas.items() if k != "clip_sample"}, skip_prk_steps=True)
    return StableDiffusionPipeline(**parts, tokenizer=tokenizer, scheduler=scheduler, safety_checker=None, feature_extractor=None, requires_safety_checker=False)


def xl_configs(full):
    """Stable Diffusion XL base: two text encoders, deeper transformers, micro-conditioning."""
    unet, vae, first = sizes("sd15", [320, 640, 1280] if full else [8, 8], 32 if full else 4, 768 if full else 12, 12 if full else 2,
                             [128, 256, 512, 512] if full else [8, 8], full)
    down = ["DownBlock2D"] + ["CrossAttnDownBlock2D"] * (2 if full else 1)
    second = dict(first, hidden_size=1280 if full else 16, num_hidden_layers=32 if full else 3, num_attention_heads=20 if full else 2,
                  intermediate_size=5120 if full else 32, hidden_act="gelu", projection_dim=1280 if full else 16)
    size = 256 if full else 8
    unet |= dict(down_block_types=down, up_block_types=["CrossAttnUpBlock2D"] * (len(down) - 1) + ["UpBlock2D"], use_linear_projection=True,
                 attention_head_dim=[5, 10, 20] if full else 2, transformer_layers_per_block=[1, 2, 10] if full else [1, 2],
                 cross_attention_dim=2048 if full else 28, addition_embed_type="text_time", addition_time_embed_dim=size,
                 projection_class_embeddings_input_dim=second["projection_dim"] + 6 * size, sample_size=128 if full else 8)
    return unet, dict(vae, scaling_factor=0.13025, sample_size=1024 if full else 16), first, second


def xl_pipeline(tokenizer, seed, configs=None):
    unet, vae, first, second = configs or xl_configs(False)
    tokenizers = [CLIPTokenizer.from_pretrained(tokenizer), CLIPTokenizer.from_pretrained(tokenizer, pad_token="!")]
    parts = dict(unet=UNet2DConditionModel(**unet), vae=AutoencoderKL(**vae), text_encoder=CLIPTextModel(CLIPTextConfig(**first)),
                 text_encoder_2=CLIPTextModelWithProjection(CLIPTextConfig(**second)))
    for model in parts.values():
        randomise(model, seed)
    scheduler = EulerDiscreteScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, steps_offset=1, timestep_spacing="leading")
    return StableDiffusionXLPipeline(**parts, tokenizer=tokenizers[0], tokenizer_2=tokenizers[1], scheduler=scheduler, add_watermarker=False)


def original_xl(pipe):
    first = {k.replace("cond_stage_model.", "conditioner.embedders.0."): v for k, v in original_clip(pipe.text_encoder).items()}
    second = original_open_clip(pipe.text_encoder_2, "conditioner.embedders.1.model.", pipe.text_encoder_2.text_projection.weight, more=0)
    return original_unet(pipe.unet) | original_vae(pipe.vae) | first | second


@torch.no_grad()
def write_xl_golden(seed):
    folder = GOLDENS / "single-sdxl"
    shutil.rmtree(folder, ignore_errors=True)
    pipe = xl_pipeline(GOLDENS / "tokenizer-1.5", seed).to(torch.float16)
    pipe.save_pretrained(folder)
    save_file({k: v.clone() for k, v in original_xl(pipe).items()}, folder / "model.safetensors")
    read = StableDiffusionXLPipeline.from_single_file(str(folder / "model.safetensors"), config=str(folder), local_files_only=True, add_watermarker=False)
    for part in ("unet", "vae", "text_encoder", "text_encoder_2"):
        mine, theirs = getattr(pipe, part).state_dict(), getattr(read, part).state_dict()
        wrong = [k for k in mine if not k.endswith("position_ids") and not torch.equal(mine[k].float(), theirs[k].float())]
        assert not wrong, (part, wrong[:3])
    read = read.to(torch.float32)
    text = "a photo of a star"
    hidden, _, pooled, _ = read.encode_prompt(text, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False)
    g = torch.Generator().manual_seed(seed)
    z = torch.randn(1, 4, 6, 5, generator=g)
    f = 2 ** (len(pipe.vae.config.block_out_channels) - 1)
    sizes = torch.tensor([[48, 40, 0, 0, 48, 40]], dtype=torch.float32)
    output = read.unet(z, 500, hidden, added_cond_kwargs={"text_embeds": pooled, "time_ids": sizes})[0]
    assert f == 2
    save_file({"hidden": hidden, "pooled": pooled, "z": z, "output": output, "picture": read.vae.decode(z)[0]}, folder / "io.safetensors")
    for weights in folder.rglob("*.safetensors"):
        if weights.parent != folder:
            weights.unlink()
    for name in ("tokenizer", "tokenizer_2"):
        (folder / name / "tokenizer.json").unlink(missing_ok=True)
        for file in ("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"):
            shutil.copy(GOLDENS / "tokenizer-1.5" / file, folder / name / file)
    for file in ("tokenizer_config.json", "special_tokens_map.json"):  # OpenCLIP fills up with "!"
        path = folder / "tokenizer_2" / file
        path.write_text(json.dumps(json.loads(path.read_text()) | {"pad_token": "!"}, indent=2) + "\n")
    print("sdxl", sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()))


def renamed(state, pairs):
    for new, old in pairs:
        state = {k.replace(new, old): v for k, v in state.items()}
    return state


RESNET = [("norm1.", "in_layers.0."), ("conv1.", "in_layers.2."), ("time_emb_proj.", "emb_layers.1."), ("norm2.", "out_layers.0."),
          ("conv2.", "out_layers.3."), ("conv_shortcut.", "skip_connection.")]


def original_unet(model):
    """diffusers' keys → CompVis's, block by block in the order of the original constructor."""
    state, places = model.state_dict(), {}
    block = 1
    for i, level in enumerate(model.down_blocks):
        for j in range(len(level.resnets)):
            places[f"down_blocks.{i}.resnets.{j}."] = f"input_blocks.{block}.0."
            places[f"down_blocks.{i}.attentions.{j}."] = f"input_blocks.{block}.1."
            block += 1
        if level.downsamplers:
            places[f"down_blocks.{i}.downsamplers.0.conv."] = f"input_blocks.{block}.0.op."
            block += 1
    block = 0
    for i, level in enumerate(model.up_blocks):
        attends = hasattr(level, "attentions")
        for j in range(len(level.resnets)):
            places[f"up_blocks.{i}.resnets.{j}."] = f"output_blocks.{block}.0."
            places[f"up_blocks.{i}.attentions.{j}."] = f"output_blocks.{block}.1."
            block += 1
        places[f"up_blocks.{i}.upsamplers.0."] = f"output_blocks.{block - 1}.{2 if attends else 1}."
    places |= {"mid_block.resnets.0.": "middle_block.0.", "mid_block.attentions.0.": "middle_block.1.", "mid_block.resnets.1.": "middle_block.2.",
               "time_embedding.linear_1.": "time_embed.0.", "time_embedding.linear_2.": "time_embed.2.", "conv_in.": "input_blocks.0.0.",
               "conv_norm_out.": "out.0.", "conv_out.": "out.2.", "add_embedding.linear_1.": "label_emb.0.0.", "add_embedding.linear_2.": "label_emb.0.2."}
    found = {}
    for key, value in state.items():
        place = next(p for p in sorted(places, key=len, reverse=True) if key.startswith(p))
        rest = key[len(place):]
        if "resnets" in place:
            rest = next(old + rest[len(new):] for new, old in RESNET if rest.startswith(new))
        found["model.diffusion_model." + places[place] + rest] = value
    return found


def original_vae(model):
    n = len(model.config.block_out_channels)
    pairs = [("conv_norm_out", "norm_out"), ("mid_block.resnets.0", "mid.block_1"), ("mid_block.resnets.1", "mid.block_2"),
             ("mid_block.attentions.0.group_norm", "mid.attn_1.norm"), ("mid_block.attentions.0.to_q", "mid.attn_1.q"),
             ("mid_block.attentions.0.to_k", "mid.attn_1.k"), ("mid_block.attentions.0.to_v", "mid.attn_1.v"),
             ("mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out"), ("conv_shortcut", "nin_shortcut")]
    for i in range(n):
        pairs += [(f"down_blocks.{i}.resnets.", f"down.{i}.block."), (f"down_blocks.{i}.downsamplers.0.", f"down.{i}.downsample."),
                  (f"up_blocks.{i}.resnets.", f"up.{n - 1 - i}.block."), (f"up_blocks.{i}.upsamplers.0.", f"up.{n - 1 - i}.upsample.")]
    state = renamed(model.state_dict(), pairs)
    return {"first_stage_model." + k: v[:, :, None, None] if ".attn_1." in k and v.ndim == 2 else v for k, v in state.items()}


def original_clip(model):
    state = {k.removeprefix("text_model."): v for k, v in model.state_dict().items()}
    return {"cond_stage_model.transformer.text_model." + k: v for k, v in state.items()}


def original_open_clip(model, prefix="cond_stage_model.model.", projection=None, more=1):
    """open_clip's keys; `more` layers at the end that diffusers does not use."""
    state = {k.removeprefix("text_model."): v for k, v in model.state_dict().items()}
    ends = [("embeddings.token_embedding.weight", "token_embedding.weight"), ("embeddings.position_embedding.weight", "positional_embedding"),
            ("final_layer_norm", "ln_final"), ("encoder.layers.", "transformer.resblocks."), ("layer_norm1", "ln_1"), ("layer_norm2", "ln_2"),
            ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj"), ("self_attn.out_proj", "attn.out_proj")]
    found = {k: v for k, v in renamed(state, ends).items() if "self_attn" not in k and "text_projection" not in k and "position_ids" not in k}
    layers = model.config.num_hidden_layers
    for i in range(layers):
        for kind in ("weight", "bias"):
            found[f"transformer.resblocks.{i}.attn.in_proj_{kind}"] = torch.cat(
                [state[f"encoder.layers.{i}.self_attn.{part}_proj.{kind}"] for part in "qkv"])
    last = {k: v for k, v in found.items() if k.startswith(f"transformer.resblocks.{layers - 1}.")}
    for extra in range(layers, layers + more):
        found |= {k.replace(f"resblocks.{layers - 1}.", f"resblocks.{extra}."): v.clone() for k, v in last.items()}
    width = model.config.hidden_size
    found["text_projection"] = torch.eye(width, dtype=found["ln_final.weight"].dtype) if projection is None else projection.T
    return {prefix + k: v.contiguous() for k, v in found.items()}


def original(pipe, kind):
    text = original_open_clip(pipe.text_encoder) if kind == "sd21" else original_clip(pipe.text_encoder)
    return original_unet(pipe.unet) | original_vae(pipe.vae) | text


def check_with_diffusers(file, folder, pipe):
    """diffusers reads the file as the pipeline that it was made from."""
    read = StableDiffusionPipeline.from_single_file(str(file), config=str(folder), local_files_only=True, safety_checker=None)
    for part in ("unet", "vae", "text_encoder"):
        mine, theirs = getattr(pipe, part).state_dict(), getattr(read, part).state_dict()
        wrong = [k for k in mine if not k.endswith("position_ids") and not torch.equal(mine[k].float(), theirs[k].float())]
        assert not wrong, (part, wrong[:3])
    return read


@torch.no_grad()
def write_goldens(seed):
    for kind, dtype in (("sd15", torch.float16), ("sd21", torch.float16)):
        folder = GOLDENS / f"single-{kind}"
        shutil.rmtree(folder, ignore_errors=True)
        pipe = pipeline(kind, SMALL, GOLDENS / "tokenizer-1.5", seed).to(dtype)
        pipe.save_pretrained(folder)
        state = {k: v.clone() for k, v in original(pipe, kind).items()}
        if kind == "sd15":  # as trainers save it
            file = folder / "model.ckpt"
            torch.save({"epoch": 1, "global_step": 470000, "pytorch-lightning_version": "1.4.2", "state_dict": state}, file)
        else:
            file = folder / "model.safetensors"
            save_file(state, file)
        read = check_with_diffusers(file, folder, pipe).to(torch.float32)
        ids = torch.randint(1, 500, (1, 77), generator=torch.Generator().manual_seed(seed))
        hidden = read.text_encoder(ids)[0]
        g = torch.Generator().manual_seed(seed)
        z = torch.randn(1, 4, 6, 5, generator=g)
        save_file({"ids": ids.float(), "hidden": hidden, "z": z, "output": read.unet(z, 500, hidden)[0], "picture": read.vae.decode(z)[0]},
                  folder / "io.safetensors")
        for name in ("unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"):
            (folder / name).unlink()
        for name in ("tokenizer/tokenizer.json",):
            (folder / name).unlink(missing_ok=True)
        for name in ("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"):
            shutil.copy(GOLDENS / "tokenizer-1.5" / name, folder / "tokenizer" / name)
        print(kind, sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    write_goldens(options.seed)
    write_xl_golden(options.seed)
