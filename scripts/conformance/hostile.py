"""Forty hostile checkpoints: files and folders that lie, are damaged, or would run something. Each must give one clear error, quickly.

    scripts/conformance/hostile.py --probe PROBE     makes them in a temporary folder and opens each with `conformance-probe open`
    scripts/conformance/hostile.py --keep FOLDER     only makes them
"""
import argparse
import io
import json
import os
import pathlib
import pickle
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zipfile

import torch
from safetensors.torch import load_file, save_file

GOLDENS = pathlib.Path(__file__).resolve().parents[2] / "Tests/DiffusionTests/Goldens"
MARK = "evoke-hostile-was-here"


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(shape, start, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


class Run:
    """Runs a command where it is unpickled by Python itself."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def archive(data, storages=(), name="archive", **more):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **more) as z:
        z.writestr(f"{name}/data.pkl", data)
        for key, content in storages:
            z.writestr(f"{name}/data/{key}", content)
        z.writestr(f"{name}/version", "3\n")
    return out.getvalue()


def saved(value, **more):
    out = io.BytesIO()
    torch.save(value, out, **more)
    return out.getvalue()


def glob(module, name):
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def files():
    """(name, bytes)"""
    yield "truncated-header.safetensors", safetensors({"w": tensor([4], 0, 16)})[:30]
    yield "truncated-data.safetensors", safetensors({"w": tensor([4], 0, 16)}, bytes(9))
    yield "overlapping.safetensors", safetensors({"a": tensor([2], 0, 8), "b": tensor([2], 4, 12)}, bytes(12))
    yield "hole.safetensors", safetensors({"a": tensor([1], 0, 4), "b": tensor([1], 8, 12)}, bytes(12))
    yield "header-of-2-63.safetensors", struct.pack("<Q", 1 << 63) + b"{}"
    yield "shape-overflows.safetensors", safetensors({"w": tensor([1 << 32, 1 << 32], 0, 0)})
    yield "absurd-offsets.safetensors", safetensors({"w": tensor([1], (1 << 63) - 5, (1 << 63) - 1)}, bytes(4))
    yield "unknown-dtype.safetensors", safetensors({"w": tensor([1], 0, 4, "C64")}, bytes(4))
    yield "same-name-twice.safetensors", safetensors(b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', bytes(8))
    yield "deep.safetensors", safetensors(b'{"w":' + b"[" * 1_000_000)
    yield "negative.safetensors", safetensors({"w": tensor([-1], 0, 4)}, bytes(4))
    yield "a-picture.safetensors", b"\x89PNG\r\n\x1a\n" + bytes(100)
    yield "empty.safetensors", b""
    yield "a-part.safetensors", safetensors({"lora_unet_down.weight": tensor([1], 0, 4)}, bytes(4))
    yield "system.ckpt", archive(pickle.dumps({"state_dict": Run(os.system, f"touch {MARK}")}, 2))
    yield "eval.ckpt", archive(pickle.dumps({"w": Run(eval, f"open('{MARK}', 'w')")}, 4))
    yield "system-old.pt", saved({"w": torch.zeros(2)}, _use_new_zipfile_serialization=False).split(b"\x80\x02}", 1)[0] + pickle.dumps(Run(os.system, f"touch {MARK}"), 2)
    yield "popen.bin", archive(b"\x80\x04\x8c\x0asubprocess\x8c\x05Popen\x93" + pickle.dumps(([f"touch {MARK}"],), 4)[2:-1] + b"R.")
    yield "getattr.ckpt", archive(b"\x80\x02}" + glob("builtins", "getattr") + b"(" + glob("torch", "os") + b"X\x06\x00\x00\x00systemtRX\x01\x00\x00\x00as.")
    yield "bare.pt", pickle.dumps(Run(os.system, f"touch {MARK}"))
    yield "inst.ckpt", archive(b"(S'touch'\nios\nsystem\n.")
    yield "nested.ckpt", archive(b"\x80\x02)" + b"\x85" * 3_000_000 + b".")
    yield "cycle.ckpt", archive(b"\x80\x02]q\x00h\x00a.")
    yield "no-dictionary.ckpt", saved([1, 2, 3])
    yield "whole-module.pt", saved(torch.nn.Linear(2, 2))
    good = saved({"w": torch.zeros(1000)})
    yield "truncated.ckpt", good[: len(good) // 2]
    yield "truncated-end.ckpt", good[:-10]
    yield "compressed.ckpt", archive(pickle.dumps({}, 2), compression=zipfile.ZIP_DEFLATED)
    yield "no-pickle.ckpt", archive(b"").replace(b"data.pkl", b"data.xyz")
    storage = b"(X\x07\x00\x00\x00storage" + glob("torch", "FloatStorage") + b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuJ\x04\x00\x00\x00tQ"
    rebuild = lambda shape, stride: (b"\x80\x02}X\x01\x00\x00\x00w" + glob("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + b"K\x00("
                                     + shape + b"t(" + stride + b"t\x89NtRs.")
    yield "beyond-storage.ckpt", archive(rebuild(b"J\x05\x00\x00\x00", b"K\x01"), [("0", bytes(16))])
    yield "absurd-view.ckpt", archive(rebuild(b"\x8a\x05\x00\x00\x00\x00\x40" * 2, b"K\x00K\x00"), [("0", bytes(16))])
    yield "missing-storage.ckpt", archive(rebuild(b"K\x04", b"K\x01"))


def folders(root):
    """Model folders, each made from a good one by one change."""
    def copy(name):
        shutil.copytree(GOLDENS / "latent-diffusion", root / name)
        return root / name

    def config(name, part, **changes):
        file = copy(name) / part
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))

    config("absurd-channels", "unet/config.json", block_out_channels=[1 << 62, 1 << 62])
    config("absurd-layers", "unet/config.json", layers_per_block=1 << 40, transformer_layers_per_block=-1)
    config("absurd-vocabulary", "bert/config.json", vocab_size=1 << 60)
    config("absurd-timesteps", "scheduler/scheduler_config.json", num_train_timesteps=1 << 50)
    config("wrong-shapes", "unet/config.json", cross_attention_dim=13)
    folder = copy("missing-key")
    state = load_file(folder / "unet/diffusion_pytorch_model.safetensors")
    del state["mid_block.resnets.0.conv1.weight"]
    save_file(state, folder / "unet/diffusion_pytorch_model.safetensors")
    folder = copy("index-leaves-folder")
    (folder / "unet/diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps({"weight_map": {"conv_in.weight": "../../../etc/passwd"}}))
    folder = copy("eight-bit-floats")
    file = folder / "vqvae/diffusion_pytorch_model.safetensors"
    file.write_bytes(safetensors({"encoder.conv_in.weight": tensor([8, 3, 3, 3], 0, 216, "F8_E4M3")}, bytes(216)))


def make(root):
    root.mkdir(parents=True, exist_ok=True)
    for name, content in files():
        (root / name).write_bytes(content)
    folders(root)
    return sorted(root.iterdir())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--probe", type=pathlib.Path, help="the built conformance-probe")
    parser.add_argument("--keep", type=pathlib.Path, help="make the files here")
    parser.add_argument("--seconds", type=float, default=1, help="the longest that one may take")
    options = parser.parse_args()
    if options.keep:
        return print(len(make(options.keep)), "files in", options.keep)
    bad = 0
    with tempfile.TemporaryDirectory() as work:
        paths = make(pathlib.Path(work, "hostile"))
        for path in paths:
            start = time.monotonic()
            done = subprocess.run([options.probe.resolve(), "open", path], capture_output=True, text=True, cwd=work, timeout=60)
            seconds = time.monotonic() - start
            fine = done.returncode == 1 and done.stderr.startswith("conformance-probe open: ") and seconds <= options.seconds
            bad += not fine
            print(f"{'ok  ' if fine else 'FAIL'} {seconds:5.2f} s  {path.name}: {done.stderr.strip().replace(str(work), '')[:150]}")
        assert not list(pathlib.Path(work).rglob(MARK)) and not pathlib.Path(MARK).exists(), "something was run"
    print(f"{len(paths)} hostile checkpoints, {bad or 'none'} handled badly")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
