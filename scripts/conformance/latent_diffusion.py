"""Latent diffusion's text-to-image model with BERT: tiny goldens from diffusers' LDMTextToImagePipeline and transformers' BertTokenizer, and the
same model in the original key layout, which diffusers' own conversion reads back."""
import argparse
import json
import pathlib
import random
import shutil
import types

import torch
from diffusers import AutoencoderKL, DDIMScheduler, LDMTextToImagePipeline, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
from diffusers.pipelines.latent_diffusion.pipeline_latent_diffusion import LDMBertConfig, LDMBertModel
from diffusers.pipelines.stable_diffusion.convert_from_ckpt import convert_ldm_bert_checkpoint
from safetensors.torch import save_file
from transformers import BertTokenizer

from random_models import randomise
from single_files import original_unet, original_vae, renamed
from texts import FIXED, texts

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "Tests/DiffusionTests/Goldens/latent-diffusion"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["a", "photo", "of", "the", "star", "red", "painting", "blue", "cat", "dog", "##s", "##ing", "##ed", "##er", "un", "##able", "in", "style", "and"]


def vocabulary(given):
    """Special tokens, some words and pieces, and the commonest characters of the texts alone and inside words."""
    from tokenizers.normalizers import BertNormalizer
    normaliser = BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True)
    counts = {}
    for text in given:
        for c in normaliser.normalize_str(text):
            if not c.isspace():
                counts[c] = counts.get(c, 0) + 1
    common = sorted(counts, key=lambda c: (-counts[c], c))[:250]
    return list(dict.fromkeys(SPECIAL + WORDS + sorted(common) + ["##" + c for c in sorted(common) if c.isalnum()]))


def pipeline(tokenizer, seed, full=False):
    """Tiny, or at the full width with few layers."""
    torch.manual_seed(seed)
    width = 1280 if full else 12
    bert = LDMBertModel(LDMBertConfig(vocab_size=len(tokenizer), max_position_embeddings=77, d_model=width, encoder_layers=2,
                                      encoder_ffn_dim=5120 if full else 20, encoder_attention_heads=8 if full else 2, head_dim=64 if full else 8))
    unet = UNet2DConditionModel(block_out_channels=[320, 640, 1280, 1280] if full else [8, 8], norm_num_groups=32 if full else 4, cross_attention_dim=width,
                                attention_head_dim=8 if full else 2, layers_per_block=1, sample_size=32 if full else 8,
                                down_block_types=["CrossAttnDownBlock2D"] * (3 if full else 1) + ["DownBlock2D"],
                                up_block_types=["UpBlock2D"] + ["CrossAttnUpBlock2D"] * (3 if full else 1))
    levels = 4 if full else 2
    vae = AutoencoderKL(block_out_channels=[128, 256, 512, 512] if full else [8, 8], norm_num_groups=32 if full else 4, layers_per_block=1, latent_channels=4,
                        sample_size=256 if full else 16, down_block_types=["DownEncoderBlock2D"] * levels, up_block_types=["UpDecoderBlock2D"] * levels)
    for model in (bert, unet, vae):
        randomise(model, seed)
        model.half()
    scheduler = DDIMScheduler(beta_schedule="scaled_linear", beta_start=0.0015, beta_end=0.0195, clip_sample=False)
    return LDMTextToImagePipeline(vqvae=vae, bert=bert, tokenizer=tokenizer, unet=unet, scheduler=scheduler)


def original_bert(model):
    """x-transformers' keys: attention and perceptron are layers of their own, each with its norm in front."""
    pairs = [("model.embed_tokens", "token_emb"), ("model.embed_positions", "pos_emb.emb"), ("model.layer_norm", "norm")]
    for i in reversed(range(model.config.encoder_layers)):
        layer, place = f"model.layers.{i}.", "attn_layers.layers.{}."
        attention, perceptron = place.format(2 * i), place.format(2 * i + 1)
        pairs += [(layer + "self_attn_layer_norm.", attention + "0."), (layer + "final_layer_norm.", perceptron + "0."),
                  (layer + "fc1.", perceptron + "1.net.0.0."), (layer + "fc2.", perceptron + "1.net.2.")]
        pairs += [(layer + f"self_attn.{part}_proj.", attention + f"1.to_{part}.") for part in ("q", "k", "v", "out")]
    return {"cond_stage_model.transformer." + k: v for k, v in renamed(model.state_dict(), pairs).items()}


def original(pipe):
    """The whole model in CompVis's key layout."""
    return original_unet(pipe.unet) | original_vae(pipe.vqvae) | original_bert(pipe.bert)


def tree(state):
    """A state dictionary as the nested objects that diffusers' conversion asks: lists where the names are numbers."""
    parts, found = {}, types.SimpleNamespace()
    for key, value in state.items():
        head, _, rest = key.partition(".")
        parts.setdefault(head, {})[rest] = value
    if all(head.isdigit() for head in parts):
        return {int(head): tree(below) for head, below in parts.items()}
    for head, below in parts.items():
        setattr(found, head, torch.nn.Parameter(below[""]) if "" in below else tree(below))
    return found


class Layers(dict):
    """Numbered modules with the slices that ModuleList has."""

    def __getitem__(self, place):
        return [self[i] for i in range(*place.indices(len(self)))] if isinstance(place, slice) else super().__getitem__(place)


def check_with_diffusers(state, pipe):
    """diffusers converts the keys back to the model that they were made from."""
    bert = tree({k.removeprefix("cond_stage_model."): v for k, v in state.items() if k.startswith("cond_stage_model.")})
    bert.transformer.attn_layers.layers = Layers(bert.transformer.attn_layers.layers)
    read = {"bert": convert_ldm_bert_checkpoint(bert, pipe.bert.config).state_dict(),
            "unet": convert_ldm_unet_checkpoint(dict(state), dict(pipe.unet.config)),
            "vqvae": convert_ldm_vae_checkpoint(dict(state), dict(pipe.vqvae.config))}
    for part, theirs in read.items():
        mine = getattr(pipe, part).state_dict()
        assert mine.keys() == theirs.keys(), (part, mine.keys() ^ theirs.keys())
        assert all(torch.equal(v, theirs[k].reshape(v.shape)) for k, v in mine.items()), part


@torch.no_grad()
def write_goldens(seed):
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "vocabulary").mkdir(parents=True)
    given = [t for t in FIXED if len(t) < 200] + random.Random(seed).sample([t for t in texts(800, seed)[len(FIXED):] if len(t) < 60], 120)
    given += ["A Photo of the STAR, unpaintable cats & dogs.", "Ünïcödé naïve café", "x" * 101, "日本語 star", "[MASK] of a [CLS]", "don't-stop"]
    file = FOLDER / "vocabulary/vocab.txt"
    file.write_text("\n".join(vocabulary(given)) + "\n", encoding="utf-8")
    tokenizer = BertTokenizer(str(file), do_lower_case=True)
    pipe = pipeline(tokenizer, seed)
    bert, unet, vae = pipe.bert, pipe.unet, pipe.vqvae
    pipe.save_pretrained(FOLDER)
    state = {k: v.clone() for k, v in original(pipe).items()}
    check_with_diffusers(state, pipe)
    torch.save({"global_step": 1, "state_dict": state}, FOLDER / "model.ckpt")
    shutil.rmtree(FOLDER / "vocabulary")
    bert, unet, vae = bert.float().eval(), unet.float().eval(), vae.float().eval()
    ids = tokenizer(["A photo of the star, red cats"], padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
    hidden = bert(ids)[0]
    z = torch.randn(1, 4, 6, 5, generator=torch.Generator().manual_seed(seed))
    save_file({"hidden": hidden, "z": z, "output": unet(z, 500, hidden)[0], "picture": vae.decode(z)[0]}, FOLDER / "io.safetensors")
    cases = {"texts": given, "content": tokenizer(given, add_special_tokens=False).input_ids, "padded": ids.tolist()}
    (FOLDER / "cases.json").write_text(json.dumps(cases, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    for f in sorted(FOLDER.rglob("*")):
        if f.is_file():
            print(f.stat().st_size, f.relative_to(FOLDER))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    write_goldens(parser.parse_args().seed)
