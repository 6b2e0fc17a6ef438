"""Goldens for the Checkpoints tests: files written by the reference safetensors library."""
import argparse
import pathlib

import numpy as np
import safetensors.numpy
import safetensors.torch
import torch
from collections import OrderedDict

GOLDENS = pathlib.Path(__file__).resolve().parents[2] / "Tests/CheckpointsTests/Goldens"


def write_goldens(seed: int) -> None:
    g = torch.Generator().manual_seed(seed)
    halves = torch.tensor([0.0, -0.0, 1 / 3, 65504, 6e-8, 6.1e-5, float("inf"), float("-inf"), float("nan")])
    normal = torch.randn(3, 5, 7, generator=g)
    tensors = {
        "f32": normal, "f64": normal.double() * (1 + 1e-9), "f16": normal.half(), "bf16": normal.bfloat16(),
        "f16 special": halves.half(), "bf16 special": halves.bfloat16(), "f64 special": halves.double() * 1e30,
        "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 3), "bool": torch.tensor([True, False, True]),
    }
    for name in ("uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64"):
        dtype, info = getattr(torch, name), np.iinfo(name)
        tensors[name] = torch.tensor([int(info.min), int(info.max), 0, 1, 77, int(info.max) // 3], dtype=dtype)
    GOLDENS.mkdir(parents=True, exist_ok=True)
    safetensors.torch.save_file(tensors, GOLDENS / "dtypes.safetensors", {"format": "pt", "note": 'é "quoted"'})
    safetensors.torch.save_file({k: v.float() for k, v in tensors.items()}, GOLDENS / "dtypes-f32.safetensors")
    star = np.array([[1, 2], [3, 4]], np.float32)
    safetensors.numpy.save_file({"<star>": star}, GOLDENS / "written.safetensors", {"evoke": "0.1"})


    write_torch_goldens(tensors, normal)


def write_torch_goldens(tensors: dict, normal: torch.Tensor) -> None:
    """The same tensors as torch saves them, now and before 1.6, with views, parameters and what trainers leave beside them."""
    known = {k: v for k, v in tensors.items() if not k.startswith("uint") or k == "uint8"}
    state = OrderedDict(known)
    state["transposed"] = normal.permute(2, 0, 1)
    state["every second"] = normal[:, ::2]
    state["last"] = normal[2]
    state["parameter"] = torch.nn.Parameter(normal[0])
    state["position_ids"] = torch.arange(7).expand((1, -1))
    expected = {k: v.detach().float().contiguous().clone() for k, v in state.items()}
    safetensors.torch.save_file(expected, GOLDENS / "torch-f32.safetensors")
    trained = {"epoch": 3, "global_step": 470000, "pytorch-lightning_version": "1.4.2", "state_dict": state, "optimizer_states": [{"lr": 1e-4, "seen": {1, 2}}],
               "numpy": np.float64(0.5), "shape": torch.Size([2, 3]), "dtype": torch.float16, "text": "é" * 300}
    torch.save(trained, GOLDENS / "torch.ckpt")
    torch.save(state, GOLDENS / "torch-plain.pt")
    torch.save(trained, GOLDENS / "torch-old.bin", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    write_goldens(parser.parse_args().seed)
