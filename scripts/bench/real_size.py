"""Stable Diffusion 1.5's parts at real size, random weights: evoke against PyTorch and OpenVINO, process CPU seconds, alternating, medians.

One peer at a time stands beside evoke, each in a process of its own: all three together want more memory than many machines have. The
model folder is made on first use (1.5's configuration, seeded random weights in float16, about 2 GB).
"""
import argparse
import os
import pathlib
import statistics
import sys
import time

import loading
from process import Evoke, Process

CASES = [("unet", 64, 1), ("unet", 64, 2), ("unet", 32, 1), ("unet", 32, 2), ("text", 0, 1), ("text", 0, 20), ("encode", 64, 1), ("decode", 64, 1)]


def make(folder):
    """Writes the folder with seeded random weights."""
    import torch
    from diffusers import AutoencoderKL
    from transformers import CLIPTextConfig, CLIPTextModel
    torch.manual_seed(0)
    parts = {
        "unet": loading.folder,
        "vae": lambda where: AutoencoderKL(
            block_out_channels=(128, 256, 512, 512), layers_per_block=2, sample_size=512, down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4).half().save_pretrained(where),
        "text_encoder": lambda where: CLIPTextModel(CLIPTextConfig(
            vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12)).half().save_pretrained(where),
    }
    for name, write in parts.items():
        if not (folder / name / "config.json").exists():
            write(folder / name)


class Torch:
    """PyTorch eager, in the precision and with the memory layout that the command line asks for."""

    def __init__(self, folder, options):
        import torch
        from diffusers import AutoencoderKL, UNet2DConditionModel
        from transformers import CLIPTextModel
        torch.set_num_threads(options.threads)
        self.torch, self.dtype = torch, torch.bfloat16 if options.bfloat16 else torch.float32
        layout = torch.channels_last if options.channels_last else torch.contiguous_format
        load = lambda cls, name: cls.from_pretrained(folder / name, torch_dtype=self.dtype).eval().to(memory_format=layout)  # noqa: E731
        self.parts = {"unet": lambda: load(UNet2DConditionModel, "unet"), "vae": lambda: load(AutoencoderKL, "vae"),
                      "text": lambda: load(CLIPTextModel, "text_encoder")}
        self.loaded = {}

    def part(self, name):
        if name not in self.loaded:
            self.loaded.clear()
            self.loaded[name] = self.parts[name]()
        return self.loaded[name]

    def prepared(self, part, side, batch):
        torch = self.torch
        draw = lambda *shape: torch.randn(*shape).to(self.dtype)  # noqa: E731
        if part == "unet":
            model, z, h = self.part("unet"), draw(batch, 4, side, side), draw(batch, 77, 768)
            return lambda: model(z, torch.arange(batch) * 37 % 1000, h)
        if part == "text":
            model, ids = self.part("text"), torch.arange(batch * 77).view(batch, 77) % 500
            return lambda: model(ids)
        model = self.part("vae")
        x = draw(batch, 3, 8 * side, 8 * side) if part == "encode" else draw(batch, 4, side, side)
        return (lambda: model.encode(x)) if part == "encode" else (lambda: model.decode(x))

    def measure(self, part, side, batch, repeats):
        run, seconds = self.prepared(part, side, batch), []
        with self.torch.no_grad():
            for _ in range(repeats + 1):
                start = time.process_time()
                run()
                seconds.append(time.process_time() - start)
        return seconds[1:]


class OpenVINO(Torch):
    """OpenVINO's CPU plugin on the UNet converted from PyTorch."""

    def __init__(self, folder, options):
        super().__init__(folder, argparse.Namespace(threads=options.threads, bfloat16=False, channels_last=False))
        self.options, self.compiled = options, {}

    def prepared(self, part, side, batch):
        import openvino
        assert part == "unet", "OpenVINO is measured on the UNet"
        torch = self.torch

        class Wrapped(torch.nn.Module):
            def __init__(self, model):
                super().__init__()
                self.model = model

            def forward(self, z, t, h):
                return self.model(z, t, h, return_dict=False)[0]

        inputs = torch.randn(batch, 4, side, side), torch.arange(batch) * 37 % 1000, torch.randn(batch, 77, 768)
        if not hasattr(self, "graph"):
            with torch.no_grad():
                self.graph = openvino.convert_model(Wrapped(self.part("unet")), example_input=inputs)
            self.loaded.clear()
        self.graph.reshape({i: list(x.shape) for i, x in enumerate(inputs)})
        hint = "bf16" if self.options.bfloat16 else "f32"
        compiled = openvino.Core().compile_model(self.graph, "CPU", {
            "INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": self.options.threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"})
        request = compiled.create_infer_request()
        arrays = [x.numpy() for x in inputs]
        return lambda: request.infer(arrays)


def serve(peer):
    """Answers `PART SIDE BATCH REPEATS` with the seconds of each repeat."""
    for line in sys.stdin:
        part, *numbers = line.split()
        print(*peer.measure(part, *map(int, numbers)), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("probe", type=pathlib.Path, help="the built conformance-probe")
    parser.add_argument("folder", type=pathlib.Path, help="where the model is, or shall be made")
    parser.add_argument("--peers", nargs="*", default=["torch", "openvino"], choices=["torch", "openvino"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", nargs="*", help="PART:SIDE:BATCH, all by default")
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"], help="of evoke's UNet")
    parser.add_argument("--memory", default="fast", choices=["fast", "small"], help="what evoke keeps")
    parser.add_argument("--bfloat16", action="store_true", help="the peers compute in bfloat16")
    parser.add_argument("--channels-last", action="store_true", help="PyTorch's tensors lie channels last")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.pop("OPENBLAS_CORETYPE", None)
    if options.serve:
        return serve({"torch": Torch, "openvino": OpenVINO}[options.serve](options.folder, options))
    make(options.folder)
    flags = ["--threads", options.threads] + ["--bfloat16"] * options.bfloat16 + ["--channels-last"] * options.channels_last
    print("| peer | part | side | batch | evoke s | peer s | speed |\n|---|---|---|---|---|---|---|", flush=True)
    for peer in options.peers:
        sides = [Evoke(options.probe, options.folder, options.threads, options.precision, options.memory),
                 Process(sys.executable, __file__, options.probe, options.folder, "--serve", peer, *flags)]
        for case in CASES:
            wanted = not options.cases or ":".join(map(str, case)) in options.cases
            if not wanted or (peer == "openvino" and case[0] != "unet"):
                continue
            times = [[], []]
            for _ in range(options.rounds):
                for side, found in zip(sides, times, strict=True):
                    found += side(*case, 1)
            ours, theirs = map(statistics.median, times)
            ratio = statistics.median(b / a for a, b in zip(*times, strict=True))
            print(f"| {peer} | {case[0]} | {case[1]} | {case[2]} | {ours:.3f} | {theirs:.3f} | {ratio:.2f} |", flush=True)
        for side in sides:
            side.close()


if __name__ == "__main__":
    main()
