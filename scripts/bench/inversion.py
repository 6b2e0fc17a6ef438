#!/usr/bin/env python3
"""Times a whole inversion against the same computation in PyTorch + pycma.

    python3 scripts/bench/inversion.py --model FOLDER --pictures FOLDER [--threads 2] COMMAND...

COMMAND reads a request on standard input (for example `conformance-probe inversion`, a release
build). Both sides load the model, encode the pictures once, start at the same vector, search the
same principal components of the same words, evaluate the same number of candidates on the same
number of shared draws, measure the same held-out sets, in batches as large as each likes best.
They do not make the same draws. Reported: seconds of the process (load included), seconds of the
search alone, process CPU seconds, and the loss saved on the held-out set.
"""
import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", required=True)
parser.add_argument("--pictures", required=True)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--generations", type=int, default=40)
parser.add_argument("--population", type=int, default=20)
parser.add_argument("--draws", type=int, default=32)
parser.add_argument("--dimension", type=int, default=32)
parser.add_argument("--sigma", type=float, default=1.0)
parser.add_argument("--held-out", type=int, default=96)
parser.add_argument("--check", type=int, default=10)
parser.add_argument("--batch", type=int, default=80, help="UNet samples a call in PyTorch")
parser.add_argument("--reference", action="store_true", help="run the PyTorch side alone, in this process")
parser.add_argument("command", nargs=argparse.REMAINDER)
options = parser.parse_args()


def reference():
    begun = time.perf_counter()
    os.environ.update(TRANSFORMERS_OFFLINE="1", HF_HUB_OFFLINE="1")
    import cma
    import numpy as np
    import torch
    from diffusers import StableDiffusionPipeline
    from PIL import Image

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    pipeline = StableDiffusionPipeline.from_pretrained(options.model, safety_checker=None, torch_dtype=torch.float32)
    text, unet, vae, tokenizer = pipeline.text_encoder, pipeline.unet, pipeline.vae, pipeline.tokenizer
    alphas = pipeline.scheduler.alphas_cumprod
    files = sorted(pathlib.Path(options.pictures).glob("*.png"))
    pictures = torch.stack([torch.from_numpy(np.array(Image.open(f).convert("RGB"))) for f in files])
    with torch.inference_mode():
        latents = vae.encode(pictures.permute(0, 3, 1, 2).float() / 127.5 - 1).latent_dist.mode()
        latents = latents * vae.config.scaling_factor
    table = text.get_input_embeddings().weight.detach()
    words = pathlib.Path(options.model, "words.txt")
    names = words.read_text().split() if words.exists() else []
    vocabulary = tokenizer.get_vocab()
    rows = [vocabulary[w + "</w>"] for w in names if w + "</w>" in vocabulary] or list(range(len(table)))
    centred = table[rows].double() - table[rows].double().mean(0)
    spread, axes = torch.linalg.eigh(centred.T @ centred / (len(rows) - 1))
    axes = (axes * spread.clamp(min=0).sqrt())[:, -options.dimension:].T.float()
    start = table[rows].mean(0)
    templates = ["a photo of a <evoke-word>", "the photo of a <evoke-word>", "a rendition of a <evoke-word>",
                 "a photo of the <evoke-word>"]
    tokenizer.add_tokens(["<evoke-word>"])
    ids = tokenizer(templates, padding="max_length", truncation=True, return_tensors="pt").input_ids
    at = tokenizer.convert_tokens_to_ids("<evoke-word>")

    def hidden(candidates):
        """[candidates × templates, L, d]"""
        repeated = ids.repeat(len(candidates), 1)
        vectors = candidates.repeat_interleave(len(templates), 0)[:, None]
        embedded = torch.where((repeated == at)[..., None], vectors, table[repeated.clamp(max=len(table) - 1)])
        hook = text.get_input_embeddings().register_forward_hook(lambda *_: embedded)
        try:
            return text(input_ids=repeated.clamp(max=len(table) - 1)).last_hidden_state
        finally:
            hook.remove()

    def tasks(count):
        t = ((torch.arange(count) + torch.rand(count)) * 1000 / count).long()
        noise = torch.randn(count, *latents.shape[1:])
        a = alphas[t].view(-1, 1, 1, 1)
        clean = latents[torch.randperm(count) % len(latents)]
        return t, noise, a.sqrt() * clean + (1 - a).sqrt() * noise, torch.randperm(count) % len(templates)

    def losses(candidates, task):
        t, noise, noised, which = task
        states = hidden(candidates)
        pairs = [(c, m) for c in range(len(candidates)) for m in range(len(t))]
        total = torch.zeros(len(candidates))
        for first in range(0, len(pairs), options.batch):
            c, m = (torch.tensor(x) for x in zip(*pairs[first:first + options.batch]))
            out = unet(noised[m], t[m], states[c * len(templates) + which[m]]).sample
            total.index_add_(0, c, (out - noise[m]).square().mean((1, 2, 3)))
        return (total / len(t)).tolist()

    searching = time.perf_counter()
    with torch.inference_mode():
        fixed = tasks(options.held_out)
        before = losses(start[None], fixed)[0]
        best = before
        es = cma.CMAEvolutionStrategy(options.dimension * [0.0], options.sigma,
                                      {"popsize": options.population, "seed": 1, "verbose": -9})
        for generation in range(1, options.generations + 1):
            asked = es.ask()
            e = start + torch.tensor(np.array(asked), dtype=torch.float32) @ axes
            told = losses(e, tasks(options.draws))
            es.tell(asked, told)
            if generation % options.check == 0:
                mean = start + torch.tensor(es.mean, dtype=torch.float32) @ axes
                best = min(best, *losses(torch.stack([mean, e[int(np.argmin(told))]]), fixed))
    done = time.perf_counter()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps(dict(whole=done - begun, search=done - searching, cpu=usage.ru_utime + usage.ru_stime,
                          before=before, after=best)))


def measured(command, request=None):
    begun, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, input=request, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stderr[-2000:]}")
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer["whole"] = time.perf_counter() - begun
    answer["cpu"] = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return answer


if options.reference:
    reference()
    sys.exit()
os.environ.pop("OPENBLAS_CORETYPE", None)
command = options.command or sys.exit(__doc__)
own = [sys.executable, __file__, *[a for a in sys.argv[1:len(sys.argv) - len(command)] if a != "--"], "--reference"]
request = dict(model=options.model, pictures=options.pictures, threads=options.threads, generations=options.generations,
               population=options.population, draws=options.draws, dimension=options.dimension, sigma=options.sigma,
               heldOut=options.held_out, checkEvery=options.check)
results = {"PyTorch + pycma": measured(own), "evoke": measured(command, json.dumps(request))}
print("| | whole s | search s | CPU s | held-out loss before → after |\n|---|---|---|---|---|")
for name, r in results.items():
    print(f"| {name} | {r['whole']:.1f} | {r['search']:.1f} | {r['cpu']:.1f} | {r['before']:.5f} → {r['after']:.5f} |")
a, b = results.values()
print(f"| ratio | {a['whole'] / b['whole']:.2f} | {a['search'] / b['search']:.2f} | {a['cpu'] / b['cpu']:.2f} | |")
