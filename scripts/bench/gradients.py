"""Gradient steps of the demo model, evoke against PyTorch eager, in one run: process CPU seconds, alternating, medians; peak memory.

A step is the mean squared error of the predicted noise at `batch` latents, each with its own prompt, and its gradient with respect to the
token embeddings, through UNet and text encoder, weights frozen on both sides.
"""
import argparse
import pathlib
import resource
import statistics
import subprocess
import time

from models import DEMO
from process import Evoke

import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextModel


class Torch:
    def __init__(self, folder: pathlib.Path, threads: int):
        torch.set_num_threads(threads)
        load = lambda cls, name: cls.from_pretrained(folder / name, torch_dtype=torch.float32).eval().requires_grad_(False)  # noqa: E731
        self.unet, self.text = load(UNet2DConditionModel, "unet"), load(CLIPTextModel, "text_encoder")
        self.embeddings = None
        self.text.get_input_embeddings().register_forward_hook(self.replaced)

    def replaced(self, module, inputs, output):
        self.embeddings = output.requires_grad_()
        return self.embeddings

    def __call__(self, part: str, _: int, batch: int, repeats: int) -> list[float]:
        side, tokens = self.unet.config.sample_size, self.text.config.max_position_embeddings
        z, noise, t = torch.randn(batch, 4, side, side), torch.randn(batch, 4, side, side), torch.arange(batch) * 37 % 1000
        ids = torch.arange(batch * tokens).view(batch, tokens) % 500
        seconds = []
        for _ in range(repeats):
            start = time.process_time()
            loss = torch.nn.functional.mse_loss(self.unet(z, t, self.text(ids).last_hidden_state).sample, noise)
            torch.autograd.grad(loss, self.embeddings)
            seconds.append(time.process_time() - start)
        return seconds


def peaks(probe, folder, batch):
    """Peak resident memory of a process that makes gradient steps, MiB, and what it was before the first."""
    for part in ("gradient", "gradient-recomputed"):
        answer = subprocess.run([probe, "gradient-memory", folder, part, str(batch)], stdout=subprocess.PIPE, text=True, check=True)
        before, peak = (float(x) for x in answer.stdout.split())
        yield part, before, peak


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("probe", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path, default=DEMO)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batches", type=int, nargs="+", default=[4, 16])
    a = parser.parse_args()
    sides = {"evoke": Evoke(a.probe.resolve(), a.folder, a.threads), "PyTorch": Torch(a.folder, a.threads)}
    print(f"| step | batch | evoke ms | PyTorch {torch.__version__} ms | speed |\n|---|---|---|---|---|")
    for batch in a.batches:
        for part in ("gradient", "gradient-recomputed"):
            times = {name: [] for name in sides}
            for side in sides.values():
                side(part, 0, batch, 2)
            for _ in range(a.rounds):
                for name, side in sides.items():
                    times[name] += side(part, 0, batch, 2)
            mine, theirs = (1000 * statistics.median(times[name]) for name in ("evoke", "PyTorch"))
            print(f"| {part} | {batch} | {mine:.1f} | {theirs:.1f} | {theirs / mine:.2f}× |", flush=True)
    print("\n| peak memory, MiB | batch | process before the step | at its peak | the step's own |\n|---|---|---|---|---|")
    for batch in a.batches:
        for part, before, peak in peaks(a.probe.resolve(), a.folder, batch):
            print(f"| {part} | {batch} | {before:.0f} | {peak:.0f} | {peak - before:.0f} |", flush=True)
    print(f"\nPyTorch's process, imports included: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
