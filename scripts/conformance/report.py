"""Runs the comparisons and writes docs/conformance.md from what they found."""
import argparse
import importlib
import importlib.metadata
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

import diffusers.utils.logging
import torch
import transformers.utils.logging

from probe import ROOT

# Module → (title, what stands above its table).
MODULES = {
    "tokenizer": ("Tokenizer", "Texts whose token ids differ from those of transformers' `CLIPTokenizer`: prompts, every script by itself, emoji, "
                  "combining marks, right-to-left text, control characters, texts far over the limit, and mixtures of all. No vocabulary of a real "
                  "checkpoint can be shipped, so beside the demo model's one of several thousand merges is trained on made-up text."),
    "text_models": ("Text encoders, CLIP, learned words", "‖a − b‖ / ‖b‖ of evoke's result a and that of transformers or diffusers, b, in float32 on the "
                    "same file. Weights are random, biases and norms included. Prompts with a learned word go through evoke's file and diffusers' "
                    "`load_textual_inversion`."),
    "image_models": ("UNet, autoencoder, samplers, pictures", "The same measure for the parts; for whole pictures the largest difference of any pixel, "
                     "of 255."),
    "checkpoint_models": ("Whole checkpoints", "Models of the families of Stable Diffusion 1.5, 2.1 (v-prediction), XL and of latent diffusion with BERT, random "
                          "weights in float16, from diffusers' folders against diffusers; and single files in the original key layout, which diffusers' "
                          "`from_single_file` reads back, against the folders: not one bit may differ."),
    "real_sizes": ("Real sizes", "Random weights of the whole Stable Diffusion 1.5 and 2.1, in float16. UNets against the same network in float64, in both of "
                   "evoke's precisions; the autoencoder against diffusers in float32; pictures of twenty steps as above."),
    "animations": ("Animations", "GIF and animated PNG files as Pillow reads them: differences of pixels, of 255, and of durations."),
    "gradients": ("Gradients", "‖a − b‖ / ‖b‖ of the gradients of the denoising loss with respect to hidden states and token embeddings, against torch's "
                  "autograd through transformers' text encoder and diffusers' UNet, weights frozen."),
}
SEARCH = ("Evolution strategy", "CMA-ES against pycma, `search.py`: thirty generations on the same normal draws, largest absolute differences (allowed: 1e-6), "
          "and evaluations to 1e-8 (allowed: 1.1 of pycma's median).")
PACKAGES = ["cma", "torch", "diffusers", "transformers", "tokenizers", "safetensors", "numpy", "pillow"]


def measured(name, options, work):
    """The rows of one module, printed as they come."""
    rows = []
    for what, value, bound in importlib.import_module(name).run(options.probe.resolve(), options.seed, work, **extra(name, options)):
        rows.append((what, value, bound))
        print(f"{'ok  ' if value <= bound else 'FAIL'} {shown(value):>8} ≤ {shown(bound)}  {what}", flush=True)
    return rows


def searches(options):
    """The tables that search.py prints, and whether it was content."""
    done = subprocess.run([sys.executable, str(pathlib.Path(__file__).with_name("search.py")), "--probe", str(options.probe.resolve()), "search"],
                          stdout=subprocess.PIPE, text=True)
    print(done.stdout, flush=True)
    return done.stdout.strip(), done.returncode == 0


def extra(name, options):
    return {} if name == "tokenizer" else {"full": options.full}


def shown(value):
    return f"{value:g}" if float(value).is_integer() else f"{value:.1e}"


def page(results, search, options):
    versions = ", ".join(f"{p} {importlib.metadata.version(p)}" for p in PACKAGES)
    tables, content = search
    count, failed = sum(len(r) for r in results.values()), sum(v > b for r in results.values() for _, v, b in r)
    lines = ["# Conformance", "",
             "What evoke computes, compared with the libraries that define it. `scripts/conformance/run` makes the models, runs both sides and writes",
             "this page; it fails when a row is over its bound.", "",
             f"{count} comparisons, {failed or 'none'} over its bound. Seed {options.seed}; {'real sizes included' if options.full else 'without the real sizes'};",
             f"{versions}; Python {platform.python_version()}, {platform.machine()}.", ""]
    for name, rows in results.items():
        if not rows:
            continue
        title, text = MODULES[name]
        lines += [f"## {title}", "", text, "", "| what | found | allowed |", "|---|---|---|"]
        lines += [f"| {what} | {shown(value)}{'' if value <= bound else ' **over**'} | {shown(bound)} |" for what, value, bound in rows]
        lines.append("")
    lines += [f"## {SEARCH[0]}", "", SEARCH[1], "", tables, ""] + ([] if content else ["**Over the bounds.**", ""])
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--probe", type=pathlib.Path, required=True, help="the built conformance-probe")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--full", action="store_true", help="real sizes too: an hour, 12 GB of memory, 8 GB of disk")
    parser.add_argument("--only", nargs="+", choices=[*MODULES, "search"], help="some modules; the page is not written")
    options = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    results = {}
    for name in options.only or MODULES:
        if name == "search":
            continue
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as work, torch.no_grad():
            results[name] = measured(name, options, pathlib.Path(work))
        print(f"{name}: {len(results[name])} comparisons in {time.monotonic() - start:.0f} s", file=sys.stderr)
    search = ("", True) if options.only and "search" not in options.only else searches(options)
    if not options.only:
        target = ROOT / "docs/conformance.md"
        target.parent.mkdir(exist_ok=True)
        target.write_text(page(results, search, options), encoding="utf-8")
    return not search[1] or any(not value <= bound for rows in results.values() for _, value, bound in rows)


if __name__ == "__main__":
    raise SystemExit(main())
