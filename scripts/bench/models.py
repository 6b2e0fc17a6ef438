"""Times of the demo model's parts, evoke against PyTorch eager: process CPU seconds, one thread each, alternating, medians."""
import argparse
import os
import pathlib
import statistics
import time

from process import Evoke

os.environ.pop("OPENBLAS_CORETYPE", None)
import torch  # noqa: E402
from diffusers import AutoencoderKL, UNet2DConditionModel  # noqa: E402
from transformers import CLIPTextModel  # noqa: E402

DEMO = pathlib.Path(__file__).resolve().parents[2] / "Sources/Diffusion/Resources/demo"


class Torch:
    def __init__(self, folder: pathlib.Path, threads: int):
        torch.set_num_threads(threads)
        load = lambda cls, name: cls.from_pretrained(folder / name, torch_dtype=torch.float32).eval()  # noqa: E731
        self.unet, self.vae = load(UNet2DConditionModel, "unet"), load(AutoencoderKL, "vae")
        self.text = load(CLIPTextModel, "text_encoder")

    @torch.no_grad()
    def __call__(self, part: str, side: int, batch: int, repeats: int) -> list[float]:
        side, tokens = side or self.unet.config.sample_size, self.text.config.max_position_embeddings
        factor = 2 ** (len(self.vae.config.block_out_channels) - 1)
        z = torch.randn(batch, 4, side, side)
        run = {
            "unet": lambda h=torch.randn(batch, tokens, self.unet.config.cross_attention_dim), t=torch.arange(batch) * 37 % 1000:
                self.unet(z, t, h),
            "text": lambda ids=torch.arange(batch * tokens).view(batch, tokens) % 500: self.text(ids),
            "encode": lambda x=torch.randn(batch, 3, side * factor, side * factor): self.vae.encode(x),
            "decode": lambda: self.vae.decode(z),
        }[part]
        seconds = []
        for _ in range(repeats):
            start = time.process_time()
            run()
            seconds.append(time.process_time() - start)
        return seconds


CASES = [("unet", 1, 20), ("unet", 20, 4), ("unet", 80, 1), ("text", 1, 20), ("text", 20, 6), ("encode", 1, 20), ("encode", 20, 2),
         ("decode", 1, 20), ("decode", 20, 2)]

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("probe", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path, default=DEMO)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cases", nargs="*", help="PART:BATCH, all by default")
    a = parser.parse_args()
    sides = {"evoke": Evoke(a.probe.resolve(), a.folder, a.threads), "PyTorch": Torch(a.folder, a.threads)}
    print(f"| part | batch | evoke ms | PyTorch {torch.__version__} ms | speed |\n|---|---|---|---|---|")
    for part, batch, repeats in CASES:
        if a.cases and f"{part}:{batch}" not in a.cases:
            continue
        times = {name: [] for name in sides}
        for side in sides.values():
            side(part, 0, batch, 2)
        for _ in range(a.rounds):
            for name, side in sides.items():
                times[name] += side(part, 0, batch, repeats)
        mine, theirs = (1000 * statistics.median(times[name]) for name in ("evoke", "PyTorch"))
        print(f"| {part} | {batch} | {mine:.2f} | {theirs:.2f} | {theirs / mine:.2f}× |", flush=True)
