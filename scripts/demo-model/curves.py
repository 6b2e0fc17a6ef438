"""The curves of a training: `python curves.py WORK OUT.png`."""
import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

# stage: (the figure, its axis' name), logarithmic or not
PANELS = {"judge": ("loss", True), "autoencoder": ("mse", True), "text": ("contrast", True),
          "denoiser": ("mse", True), "image": ("single", True), "captioner": ("loss", True)}


def read(path):
    """The lines of a stage; where it was stopped and went on from a checkpoint, those of the second time."""
    lines = []
    try:
        with open(path) as file:
            for line in map(json.loads, file):
                while lines and lines[-1]["samples"] > line["samples"]:
                    lines.pop()
                lines.append(line)
    except FileNotFoundError:
        pass
    return lines


def main(work, out):
    figure, axes = plt.subplots(2, 3, figsize=(11, 5.5), layout="constrained")
    for axis, (stage, (key, logarithmic)) in zip(axes.flat, PANELS.items()):
        lines = [line for line in read(f"{work}/{stage}.jsonl") if key in line]
        axis.plot([line["samples"] / 1000 for line in lines], [line[key] for line in lines], lw=1)
        axis.set_title(f"{stage}: {key}", fontsize=10)
        axis.set_xlabel("thousand samples", fontsize=8)
        axis.tick_params(labelsize=8)
        if logarithmic:
            axis.set_yscale("log")
    figure.savefig(out, dpi=75)


if __name__ == "__main__":
    main(*sys.argv[1:])
