"""The denoiser: diffusers' UNet2DConditionModel on 16 × 16 × 4 latents, epsilon prediction, SD's kind of schedule.

The schedule ends at beta .02 instead of SD's .012: with so few latents, plain backgrounds survive the
smaller noise, and the net would read a drawing's background off what should be noise.
"""
import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel

from trainer import DEVICE, autocast

SCHEDULE = dict(num_train_timesteps=1000, beta_schedule="scaled_linear", beta_start=.00085, beta_end=.02,
                clip_sample=False, set_alpha_to_one=False, steps_offset=1, prediction_type="epsilon")
UNCONDITIONAL = .1       # how often a caption is left out
SNR_LIMIT = 5.           # min-SNR weighting: less for nearly clean latents
NOISY_WEIGHT = 3.        # and up to this much more for nearly pure noise, where colours are decided


def make(cross=128):
    return UNet2DConditionModel(
        sample_size=16, in_channels=4, out_channels=4, block_out_channels=(48, 80, 128), layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=cross, attention_head_dim=(2, 2, 4), norm_num_groups=16)


def scheduler():
    return DDIMScheduler(**SCHEDULE)


class Noising:
    """x_t from x_0 and noise, and the weight of each timestep."""

    def __init__(self):
        self.kept = scheduler().alphas_cumprod.to(DEVICE)
        snr = self.kept / (1 - self.kept)
        self.weight = snr.clamp(max=SNR_LIMIT) / snr * (snr ** -.25).clamp(1, NOISY_WEIGHT)

    def mix(self, x, noise, t):
        kept = self.kept[t].view(-1, 1, 1, 1)
        return kept.sqrt() * x + (1 - kept).sqrt() * noise


def spread_timesteps(batch):
    """One timestep from each of `batch` equal intervals, in random order."""
    t = (torch.arange(batch) + torch.rand(batch)) / batch * 1000
    return t.long().clamp(0, 999)[torch.randperm(batch)].to(DEVICE)


def loss(unet, text_model, latents, ids, end, scale):
    """`latents` holds mean and deviation of every picture's latent; `ids` its captions."""
    noising = Noising()

    def one(rng, batch):
        rows = np.sort(rng.integers(0, len(latents), batch))
        tokens = ids[rows, rng.integers(0, ids.shape[1], batch)].astype(np.int64)
        empty = rng.random(batch) < UNCONDITIONAL
        tokens[empty, 1:] = end
        z = torch.from_numpy(latents[rows].astype(np.float32)).to(DEVICE)
        x = (z[:, :4] + z[:, 4:] * torch.randn_like(z[:, 4:])) * scale
        noise, t = torch.randn_like(x), spread_timesteps(batch)
        with autocast():
            with torch.no_grad():
                states = text_model(input_ids=torch.from_numpy(tokens).to(DEVICE)).last_hidden_state
            guess = unet(noising.mix(x, noise, t), t, states).sample
        error = (guess.float() - noise).square().mean((1, 2, 3))
        return (noising.weight[t] * error).mean(), {"mse": float(error.detach().mean())}
    return one


@torch.no_grad()
def fixed_error(unet, text_model, latents, ids, end, scale, count=250):
    """The error on the same pictures, noises and timesteps each time, with and without captions, by quarter of t."""
    noising, generator = Noising(), torch.Generator().manual_seed(5)
    x = torch.from_numpy(latents[:count, :4].astype(np.float32)).to(DEVICE) * scale
    noise = torch.randn(x.shape, generator=generator).to(DEVICE)
    t = (torch.arange(count) * 1000 // count).to(DEVICE)
    tokens = torch.from_numpy(ids[:count, 0].astype(np.int64)).to(DEVICE)
    blank = torch.full_like(tokens, end)
    blank[:, 0] = tokens[:, 0]
    found = {}
    for name, said in (("captioned", tokens), ("blank", blank)):
        guess = unet(noising.mix(x, noise, t), t, text_model(input_ids=said).last_hidden_state).sample
        error = (guess - noise).square().mean((1, 2, 3))
        found[name] = [round(float(e.mean()), 4) for e in (error, *error.chunk(4))]
    return found


@torch.no_grad()
def draw(unet, text_model, tokenizer, decode, captions, guidance=5., steps=30, seed=0, batch=50):
    """Pictures (bytes) of captions by DDIM with classifier-free guidance; `decode` takes unscaled latents."""
    from trainer import as_bytes
    pictures = []
    for start in range(0, len(captions), batch):
        some = captions[start:start + batch]
        ids = tokenizer(some + [""], padding="max_length", truncation=True, return_tensors="pt").input_ids.to(DEVICE)
        with autocast():
            states = text_model(input_ids=ids).last_hidden_state
        both = torch.cat([states[-1:].expand(len(some), -1, -1), states[:-1]])
        x = torch.randn(len(some), 4, 16, 16, generator=torch.Generator().manual_seed(seed + start)).to(DEVICE)
        steps_of = scheduler()
        steps_of.set_timesteps(steps)
        for t in steps_of.timesteps:
            with autocast():
                plain, said = unet(torch.cat([x, x]), t.to(DEVICE), both).sample.float().chunk(2)
            x = steps_of.step(plain + guidance * (said - plain), t, x).prev_sample
        pictures.append(as_bytes(decode(x)))
    return np.concatenate(pictures)
