"""From a folder of float16 weights to the first finished UNet forward in float32, evoke against diffusers, at Stable Diffusion 1.5's size.

Both are asked in fresh processes, in turn; a side's time is that of opening and its first forward less that of a later forward. Needs 2 GB of disk.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

THEIRS = """
import os, sys, time
os.environ.pop("OPENBLAS_CORETYPE", None)
import torch
from diffusers import UNet2DConditionModel
torch.set_num_threads(int(sys.argv[2]))
def timed(work):
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - cpu
with torch.no_grad():
    z, text = torch.randn(1, 4, 8, 8), torch.randn(1, 77, 768)
    def first():
        model = UNet2DConditionModel.from_pretrained(sys.argv[1], torch_dtype=torch.float32)
        model(z, 500, text)
        return model
    model, wall, cpu = timed(first)
    later = [timed(lambda: model(z, 500, text))[1:] for _ in range(3)]
    print(wall, cpu, min(w for w, _ in later), min(c for _, c in later))
"""


def folder(root):
    """Stable Diffusion 1.5's UNet with repeated normal weights in float16."""
    import torch
    from diffusers import UNet2DConditionModel
    with torch.device("meta"):
        model = UNet2DConditionModel(cross_attention_dim=768, attention_head_dim=8, sample_size=64).half()
    model = model.to_empty(device="cpu")
    g = torch.Generator().manual_seed(7)
    values = torch.randn(1 << 21, generator=g).half()
    with torch.no_grad():
        for name, p in model.named_parameters():
            scale = 0.1 if p.ndim == 1 else p[0].numel() ** -0.5
            p.copy_(values.repeat(p.numel() // values.numel() + 1)[: p.numel()].view(p.shape) * scale)
            if p.ndim == 1 and "norm" in name and name.endswith("weight"):
                p.add_(1)
    model.save_pretrained(root)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("probe", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path, help="a unet folder in place of a made one")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    a = parser.parse_args()
    os.environ.pop("OPENBLAS_CORETYPE", None)
    with tempfile.TemporaryDirectory() as work:
        if not a.folder:
            a.folder = pathlib.Path(work, "unet")
            subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r}); import loading; "
                            f"loading.folder({str(a.folder)!r})"], check=True, stderr=subprocess.DEVNULL)
        commands = {"evoke": [a.probe.resolve(), "load", a.folder, str(a.threads)], "diffusers": [sys.executable, "-c", THEIRS, a.folder, str(a.threads)]}
        times = {name: [] for name in commands}
        for _ in range(a.rounds):
            for name, command in commands.items():
                out = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
                wall, cpu, later_wall, later_cpu = map(float, out.split())
                times[name].append((wall - later_wall, cpu - later_cpu))
    print("| | seconds | processor seconds |\n|---|---|---|")
    medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in times.items()}
    for name, (wall, cpu) in medians.items():
        print(f"| {name} | {wall:.2f} | {cpu:.2f} |")
    mine, theirs = medians["evoke"], medians["diffusers"]
    print(f"| ratio | {theirs[0] / mine[0]:.1f} | {theirs[1] / mine[1]:.1f} |")


if __name__ == "__main__":
    main()
