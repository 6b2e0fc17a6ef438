"""Runs evoke's conformance-probe, and measures how far its results are from the references'."""
import pathlib
import subprocess
import tempfile

import numpy as np
import safetensors.numpy
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEMO = ROOT / "Sources/Diffusion/Resources/demo"


def call(probe, operation, folder, tensors, *more):
    """One operation of the form FOLDER IN OUT …: arrays in, arrays out."""
    with tempfile.TemporaryDirectory() as work:
        source, target = pathlib.Path(work, "in.safetensors"), pathlib.Path(work, "out.safetensors")
        safetensors.numpy.save_file({k: np.array(v, np.float32, order="C") for k, v in tensors.items()}, source)
        subprocess.run([probe, operation, folder, source, target, *map(str, more)], check=True)
        return safetensors.numpy.load_file(target)


def relative(ours, reference):
    """‖a − b‖ / ‖b‖ over all elements, in double precision."""
    a, b = (torch.as_tensor(np.asarray(x)).double() for x in (ours, reference))
    return float((a - b).norm() / b.norm()) if a.shape == b.shape else float("inf")
