"""Peak resident memory of Stable Diffusion 1.5's UNet forward in float32, evoke against PyTorch eager: 64 × 64 latents, one sample, weights in float16 on disk.

evoke's peak (VmHWM) is that of the whole process, loading included. PyTorch's is given twice: of the whole process, and of the forwards alone, the kernel's
mark being reset when the model is loaded and what loading took is given back. The smaller one is what evoke is compared with.
"""
import argparse
import os
import pathlib
import subprocess
import sys

from real_size import make

THEIRS = """
import ctypes, gc, re, sys
import torch
from diffusers import UNet2DConditionModel
torch.set_num_threads(int(sys.argv[2]))
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
unet = UNet2DConditionModel.from_pretrained(sys.argv[1], torch_dtype=torch.float32).eval()
gc.collect()
ctypes.CDLL(None).malloc_trim(0)
loading = peak()
open("/proc/self/clear_refs", "w").write("5")
side = int(sys.argv[3])
with torch.no_grad():
    for _ in range(3):
        unet(torch.randn(1, 4, side, side), 500, torch.randn(1, 77, unet.config.cross_attention_dim))
print(max(loading, peak()), peak())
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("probe", type=pathlib.Path, help="the built conformance-probe")
    parser.add_argument("folder", type=pathlib.Path, help="where the model is, or shall be made")
    parser.add_argument("--side", type=int, default=64, help="of the latents")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    make(options.folder)
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"} | {"TRANSFORMERS_OFFLINE": "1", "HF_HUB_OFFLINE": "1"}
    unet, threads, side = options.folder / "unet", str(options.threads), str(options.side)

    def measured(*command):
        out = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment).stdout
        return [float(x) for x in out.split()]

    whole, forward = measured(sys.executable, "-c", THEIRS, unet, threads, side)
    print("| | peak MiB | share |\n|---|---|---|")
    print(f"| PyTorch, loading included | {whole:.0f} | |\n| PyTorch, forwards alone | {forward:.0f} | 1 |", flush=True)
    for memory in ("fast", "small"):
        peak = measured(options.probe.resolve(), "forward-memory", unet, threads, memory, side)[0]
        print(f"| evoke, `.{memory}` | {peak:.0f} | {peak / forward:.2f} |", flush=True)


if __name__ == "__main__":
    main()
