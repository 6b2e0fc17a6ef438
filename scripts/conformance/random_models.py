"""Small diffusers models with seeded random weights, in the block layouts of Stable Diffusion 1.5 and 2.1."""
import pathlib

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

SD15_DOWN = ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"]
SD15_UP = ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3
TWO = dict(down_block_types=["CrossAttnDownBlock2D", "DownBlock2D"], up_block_types=["UpBlock2D", "CrossAttnUpBlock2D"])

# name: (UNet configuration, stored type, latent sizes, number of text tokens)
UNETS = {
    "sd15-small": (dict(block_out_channels=[16, 32, 48, 48], attention_head_dim=2, norm_num_groups=8, cross_attention_dim=24,
                        down_block_types=SD15_DOWN, up_block_types=SD15_UP), "f32", [(16, 24), (9, 7)], 12),
    "sd15-fp16": (dict(block_out_channels=[24, 48, 48, 48], attention_head_dim=8, norm_num_groups=8, cross_attention_dim=40,
                       down_block_types=SD15_DOWN, up_block_types=SD15_UP), "f16", [(10, 14), (8, 8)], 77),
    "sd21-small": (dict(block_out_channels=[16, 32, 64, 64], attention_head_dim=[1, 2, 4, 4], norm_num_groups=16, cross_attention_dim=56,
                        use_linear_projection=True, down_block_types=SD15_DOWN, up_block_types=SD15_UP), "f32", [(10, 14), (16, 16)], 77),
    "sd21-bf16": (dict(block_out_channels=[20, 40, 40, 60], attention_head_dim=[5, 10, 20, 20], norm_num_groups=20, cross_attention_dim=32,
                       use_linear_projection=True, upcast_attention=True, down_block_types=SD15_DOWN, up_block_types=SD15_UP),
                  "bf16", [(9, 7), (24, 16)], 20),
    "two-levels": (dict(block_out_channels=[12, 20], attention_head_dim=[3, 5], norm_num_groups=4, cross_attention_dim=18,
                        layers_per_block=[1, 3], transformer_layers_per_block=[2, 1], **TWO), "f32", [(5, 5), (7, 4)], 9),
    "inpainting": (dict(block_out_channels=[16, 32], attention_head_dim=4, norm_num_groups=8, cross_attention_dim=24, in_channels=9,
                        layers_per_block=1, freq_shift=1, flip_sin_to_cos=False, act_fn="gelu", norm_eps=1e-6, **TWO),
                   "f32", [(6, 10), (3, 5)], 5),
    "demo-like": (dict(block_out_channels=[48, 80, 128], attention_head_dim=[2, 2, 4], norm_num_groups=16, cross_attention_dim=128,
                       layers_per_block=1, down_block_types=["DownBlock2D"] + ["CrossAttnDownBlock2D"] * 2,
                       up_block_types=["CrossAttnUpBlock2D"] * 2 + ["UpBlock2D"]), "f16", [(16, 16), (11, 13)], 32),
    "wide-heads": (dict(block_out_channels=[64, 160], attention_head_dim=[1, 1], norm_num_groups=32, cross_attention_dim=64, layers_per_block=1,
                        transformer_layers_per_block=1, downsample_padding=0, conv_in_kernel=5, conv_out_kernel=1, **TWO),
                   "f32", [(8, 12), (2, 3)], 16),
    "all-attention": (dict(block_out_channels=[32, 32, 64], attention_head_dim=[4, 2, 8], norm_num_groups=32, cross_attention_dim=48,
                           layers_per_block=2, time_embedding_dim=100, down_block_types=["CrossAttnDownBlock2D"] * 3,
                           up_block_types=["CrossAttnUpBlock2D"] * 3), "bf16", [(12, 20), (7, 9)], 11),
}

# name: (autoencoder configuration, stored type, picture sizes)
def _vae(*channels, **others):
    n = len(channels)
    return dict(block_out_channels=list(channels), down_block_types=["DownEncoderBlock2D"] * n, up_block_types=["UpDecoderBlock2D"] * n,
                **{"norm_num_groups": 8, "layers_per_block": 1, **others})


AUTOENCODERS = {
    "sd-small": (_vae(16, 32, 48, 48, layers_per_block=2), "f32", [(64, 48), (40, 56)]),
    "sd-fp16": (_vae(32, 64, norm_num_groups=32), "f16", [(16, 24), (18, 14)]),
    "no-attention": (_vae(16, 32, 64, mid_block_add_attention=False, scaling_factor=0.44), "bf16", [(64, 64), (24, 20)]),
    "no-quant": (_vae(24, 40, use_quant_conv=False, use_post_quant_conv=False, latent_channels=6), "f32", [(9, 7), (20, 32)]),
}

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def randomise(model: torch.nn.Module, seed: int) -> None:
    """Default weights leave norms at 1 and biases at 0, which would hide a mistake there."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            noise = torch.randn(p.shape, generator=g)
            if p.ndim == 1:
                p.copy_(0.2 * noise + (1.0 if "norm" in name and name.endswith("weight") else 0.0))
            else:
                p.copy_(noise * (1.2 / p[0].numel()) ** 0.5)


def saved(model, dtype: str, folder: pathlib.Path):
    """Saves with the stored type and returns the model as float32 of exactly those values."""
    model.to(DTYPES[dtype]).save_pretrained(folder)
    return model.float().eval()


def unet(name: str, seed: int, folder: pathlib.Path) -> UNet2DConditionModel:
    config, dtype, _, _ = UNETS[name]
    model = UNet2DConditionModel(**config)
    randomise(model, seed)
    return saved(model, dtype, folder)


def autoencoder(name: str, seed: int, folder: pathlib.Path) -> AutoencoderKL:
    config, dtype, _ = AUTOENCODERS[name]
    model = AutoencoderKL(**config)
    randomise(model, seed)
    return saved(model, dtype, folder)
