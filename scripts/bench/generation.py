"""One generation of forward-only inversion at Stable Diffusion 1.5's size, evoke against the released code's computation on PyTorch.

The released code (feizc/Gradient-Free-Textual-Inversion) encodes the pictures anew for every candidate, then the prompts, then calls the UNet once on all
pictures. That is measured for one candidate and multiplied by their number: no candidate shares anything with another. evoke's generation is measured as a
whole, texts and losses included, from the second on; its pictures are encoded once a run, which is reported apart. float32, process CPU seconds, alternating,
medians. The weights are random; the model folder is made on first use (about 2 GB).
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

from process import Process
from real_size import make

GOLDENS = pathlib.Path(__file__).resolve().parents[2] / "Tests/DiffusionTests/Goldens"


def complete(folder, work, size):
    """A whole model for pictures of that size: the folder's parts with a small tokenizer and a schedule."""
    for part in ("unet", "vae", "text_encoder"):
        (work / part).mkdir()
        config = json.loads((folder / part / "config.json").read_text())
        if part == "unet":
            config["sample_size"] = size // 8
        (work / part / "config.json").write_text(json.dumps(config))
        for file in (folder / part).glob("*.safetensors"):
            (work / part / file.name).symlink_to(file.resolve())
    shutil.copytree(GOLDENS / "tokenizer-1.5", work / "tokenizer")
    shutil.copytree(GOLDENS / "samplers/sd15", work / "scheduler")
    (work / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')


def serve(options):
    """Answers each line with the seconds of one candidate."""
    import torch
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel
    torch.set_num_threads(options.threads)
    load = lambda cls, name: cls.from_pretrained(options.folder / name, torch_dtype=torch.float32).eval()  # noqa: E731
    vae, unet, text = load(AutoencoderKL, "vae"), load(UNet2DConditionModel, "unet"), load(CLIPTextModel, "text_encoder")
    n, pixels = options.pictures, torch.rand(options.pictures, 3, options.size, options.size) * 2 - 1
    ids = torch.arange(n * 77).view(n, 77) % 500
    alphas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000).square().neg().add(1).cumprod(0)

    def candidate():
        latents = vae.encode(pixels).latent_dist.sample() * 0.18215
        noise, t = torch.randn_like(latents), torch.randint(0, 1000, (n,))
        a = alphas[t].view(-1, 1, 1, 1)
        predicted = unet(a.sqrt() * latents + (1 - a).sqrt() * noise, t, text(ids)[0]).sample
        return torch.nn.functional.mse_loss(predicted, noise).item()

    with torch.no_grad():
        candidate()
        for _ in sys.stdin:
            start = time.process_time()
            candidate()
            print(time.process_time() - start, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("probe", type=pathlib.Path, help="the built conformance-probe")
    parser.add_argument("folder", type=pathlib.Path, help="where the model is, or shall be made")
    parser.add_argument("--candidates", type=int, default=20)
    parser.add_argument("--pictures", type=int, default=4)
    parser.add_argument("--size", type=int, default=256, help="side of the pictures")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.pop("OPENBLAS_CORETYPE", None)
    os.environ.update(TRANSFORMERS_OFFLINE="1", HF_HUB_OFFLINE="1")
    if options.serve:
        return serve(options)
    make(options.folder)
    with tempfile.TemporaryDirectory() as work:
        complete(options.folder, pathlib.Path(work), options.size)
        evoke = Process(options.probe, "generation", work, options.threads, options.candidates, options.pictures)
        encoding = float(evoke.process.stdout.readline())
        numbers = [x for name in ("pictures", "size", "threads") for x in (f"--{name}", getattr(options, name))]
        torch = Process(sys.executable, __file__, options.probe, options.folder, "--serve", *numbers)
        print(f"evoke encodes the pictures once: {encoding:.1f} s\n| evoke s | the released code's computation s | speed |\n|---|---|---|")
        rounds = []
        evoke("generation")
        for _ in range(options.rounds):
            ours = evoke("generation")[0]
            rounds.append((ours, options.candidates * statistics.mean(torch("candidate")[0] for _ in range(2))))
            print("| {:.1f} | {:.1f} | {:.2f} |".format(*rounds[-1], rounds[-1][1] / ours), flush=True)
        evoke.close()
        torch.close()
    print(f"median speed: {statistics.median(b / a for a, b in rounds):.2f}")


if __name__ == "__main__":
    main()
