"""The autoencoder: 64 × 64 pictures to 16 × 16 × 4 latents and back (diffusers' AutoencoderKL).

Two stages: both halves together, then the decoder alone on the frozen encoder's latents, so that the
denoiser can train on them meanwhile.
"""
import os

import numpy as np
import torch
from diffusers import AutoencoderKL

from trainer import DEVICE, autocast, pixels

KL_WEIGHT = 1e-3
LATENT_NUMBERS = 16 * 16 * 4


def make():
    return AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, sample_size=64, block_out_channels=(16, 32, 64),
        down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3,
        layers_per_block=1, norm_num_groups=8, mid_block_add_attention=False)


def slopes(x):
    return x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]


def reconstruction(error):
    """Absolute and squared error, and the error of the edges."""
    dx, dy = slopes(error)
    return error.abs().mean() + 2 * error.square().mean() + .5 * (dx.abs().mean() + dy.abs().mean())


def loss(autoencoder, data):
    def one(rng, batch):
        x = pixels(data.pictures[np.sort(rng.integers(0, len(data), batch))])
        with autocast():
            posterior = autoencoder.encode(x).latent_dist
            y = autoencoder.decode(posterior.sample()).sample
        error = y.float() - x
        divergence = posterior.kl().mean() / LATENT_NUMBERS
        return reconstruction(error) + KL_WEIGHT * divergence, {"mse": float(error.detach().square().mean()), "kl": float(divergence.detach())}
    return one


def decoder_loss(autoencoder, data):
    """The same for the decoder alone."""
    def one(rng, batch):
        x = pixels(data.pictures[np.sort(rng.integers(0, len(data), batch))])
        with autocast():
            with torch.no_grad():
                z = autoencoder.encode(x).latent_dist.sample()
            y = autoencoder.decode(z).sample
        error = y.float() - x
        return reconstruction(error), {"mse": float(error.detach().square().mean())}
    return one


@torch.no_grad()
def psnr(autoencoder, pictures):
    """Mean PSNR in dB of reconstructed pictures (bytes)."""
    found = []
    for i in range(0, len(pictures), 100):
        x = pixels(pictures[i:i + 100])
        y = autoencoder.decode(autoencoder.encode(x).latent_dist.mode()).sample.clamp(-1, 1)
        found.append(-10 * torch.log10(((x - y) / 2).square().mean((1, 2, 3))))
    return round(float(torch.cat(found).mean()), 2)


@torch.no_grad()
def write_latents(autoencoder, data, path):
    """Mean and deviation of every picture's latent (unscaled), as half-precision numbers: n × 8 × 16 × 16."""
    out = np.lib.format.open_memmap(path + ".part", "w+", np.float16, (len(data), 8, 16, 16))
    for i in range(0, len(data), 200):
        with autocast():
            posterior = autoencoder.encode(pixels(data.pictures[i:i + 200])).latent_dist
        out[i:i + 200] = torch.cat([posterior.mean, posterior.std], 1).half().cpu().numpy()
    out.flush()
    os.replace(path + ".part", path)

