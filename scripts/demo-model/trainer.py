"""One loop for all parts: seeds, learning rate, moving average, checkpoints, progress, several processes.

A stage can be stopped at any step and goes on from its last checkpoint: what a step draws depends on
(seed, step, process) alone. With `processes` > 1, each process takes `batch` samples of its own and the
gradients are averaged: on a busy machine, two processes of one thread each stall less than two threads.
"""
import json
import os
import time

import numpy as np
import torch
import torch.distributed
from torch import nn

from muon import Muon

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
CHECKPOINT_SECONDS = 90


def autocast():
    return torch.autocast(DEVICE.type, torch.bfloat16)


def pixels(bytes_):
    """n × 64 × 64 × 3 bytes as n × 3 × 64 × 64 numbers in -1 ... 1."""
    return torch.from_numpy(np.array(bytes_)).to(DEVICE).permute(0, 3, 1, 2).float() / 127.5 - 1


def as_bytes(x):
    """The other way round."""
    return (x.detach().float().clamp(-1, 1).add(1).mul(127.5).add(.5)).byte().permute(0, 2, 3, 1).cpu().numpy()


def optimizers(module, lr, muon):
    """AdamW for everything; with `muon` > 0, Muon at that rate for the hidden layers' weights."""
    named = [(n, p) for n, p in module.named_parameters() if p.requires_grad]
    edge = lambda n, p: p.ndim < 2 or any(k in n for k in ("embedding", "head", "conv_in", "conv_out", "first", "time_emb"))
    hidden = [p for n, p in named if muon and not edge(n, p)]
    chosen = {id(p) for p in hidden}
    rest = [p for _, p in named if id(p) not in chosen]
    groups = [{"params": [p for p in rest if p.ndim >= 2], "weight_decay": .01},
              {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.}]
    found = [torch.optim.AdamW([g for g in groups if g["params"]], lr=lr, betas=(.9, .98), fused=True)]
    if hidden:
        found.append(Muon(hidden, lr=muon))
    return found


class Stage:
    """The training of one module: `loss(step_rng, batch)` gives a loss and figures to report."""

    def __init__(self, work, name, module, loss, *, samples, batch, lr, muon=0., warmup=100, decay=.3,
                 average=.999, seed=0, rank=0, processes=1, evaluate=None, evaluate_every=None):
        self.path, self.log_path = f"{work}/{name}.pt", f"{work}/{name}.jsonl"
        self.name, self.module, self.loss, self.evaluate = name, module.to(DEVICE), loss, evaluate
        self.batch, self.rank, self.processes, self.seed = batch, rank, processes, seed
        self.steps = max(1, samples // (batch * processes))
        self.warmup, self.decay, self.average = warmup, decay, average
        self.evaluate_every = evaluate_every or max(1, self.steps // 8)
        self.optimizers = optimizers(module, lr, muon)
        for group in (g for o in self.optimizers for g in o.param_groups):
            group["peak"] = group["lr"]
        self.step, self.seconds = 0, 0.
        self.mean = {k: v.detach().clone() for k, v in module.state_dict().items()}
        if os.path.exists(self.path):
            self.restore()

    def restore(self):
        saved = torch.load(self.path, map_location=DEVICE, weights_only=True)
        self.module.load_state_dict(saved["module"])
        self.mean = {k: v.to(DEVICE) for k, v in saved["mean"].items()}
        self.step, self.seconds = saved["step"], saved["seconds"]
        for optimizer, state in zip(self.optimizers, saved["optimizers"]):
            peaks = [g["peak"] for g in optimizer.param_groups]
            optimizer.load_state_dict(state)
            for group, peak in zip(optimizer.param_groups, peaks):
                group["peak"] = peak

    def save(self):
        if self.rank:
            return
        torch.save({"module": self.module.state_dict(), "mean": self.mean, "step": self.step, "seconds": self.seconds,
                    "samples": self.step * self.batch * self.processes, "done": self.step >= self.steps,
                    "optimizers": [o.state_dict() for o in self.optimizers]}, self.path + ".part")
        os.replace(self.path + ".part", self.path)

    def rate(self):
        """Warm-up, a constant stretch, and a linear decay over the last part."""
        left = (self.steps - self.step) / (self.decay * self.steps)
        return min(1., (self.step + 1) / self.warmup, max(left, .01))

    def exchange(self):
        """Averages the gradients over the processes."""
        gradients = [p.grad for p in self.module.parameters() if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients])
        torch.distributed.all_reduce(flat)
        flat /= self.processes
        for g, part in zip(gradients, flat.split([g.numel() for g in gradients])):
            g.copy_(part.view_as(g))

    def take_step(self):
        for group in (g for o in self.optimizers for g in o.param_groups):
            group["lr"] = group["peak"] * self.rate()
        torch.manual_seed(hash((self.seed, self.step, self.rank)) % 2 ** 31)
        loss, figures = self.loss(np.random.default_rng([self.seed, self.step, self.rank]), self.batch)
        self.module.zero_grad(set_to_none=True)
        loss.backward()
        if self.processes > 1:
            self.exchange()
        torch.nn.utils.clip_grad_norm_([p for p in self.module.parameters() if p.grad is not None], 1.)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        keep = min(self.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for key, value in self.module.state_dict().items():
                if value.is_floating_point():
                    self.mean[key].lerp_(value, 1 - keep)
                else:
                    self.mean[key].copy_(value)
        return {"loss": float(loss.detach()), **figures}

    def averaged(self):
        """Runs a function with the averaged weights in place."""
        return Averaged(self)

    def report(self, figures):
        if self.rank:
            return
        line = {"step": self.step, "samples": self.step * self.batch * self.processes, "seconds": round(self.seconds, 1), **figures}
        with open(self.log_path, "a") as file:
            file.write(json.dumps(line) + "\n")
        print(time.strftime("%H:%M:%S"), f"{self.name} {self.step}/{self.steps}",
              " ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in line.items() if k != "step"), flush=True)

    def run(self):
        """Trains to the end; returns the module with its averaged weights."""
        self.module.train()
        running, saved, begun = {}, time.time(), time.time() - self.seconds
        while self.step < self.steps:
            for key, value in self.take_step().items():
                running.setdefault(key, []).append(value)
            self.seconds = time.time() - begun
            if self.step % 50 == 0 or self.step == self.steps:
                self.report({k: float(np.mean(v)) for k, v in running.items()})
                running = {}
            if self.evaluate and self.rank == 0 and (self.step % self.evaluate_every == 0 or self.step == self.steps):
                with self.averaged():
                    self.report({"test": self.evaluate(self.module)})
            if time.time() - saved > CHECKPOINT_SECONDS or self.step == self.steps:
                self.save()
                saved = time.time()
        self.module.load_state_dict(self.mean)
        return self.module.eval().requires_grad_(False)


class Averaged:
    """A stage's module, for a while, as it is with its averaged weights and in evaluation mode."""

    def __init__(self, stage):
        self.stage = stage

    def __enter__(self):
        module = self.stage.module
        self.current = {k: v.detach().clone() for k, v in module.state_dict().items()}
        module.load_state_dict(self.stage.mean)
        module.eval()
        torch.set_grad_enabled(False)

    def __exit__(self, *_):
        torch.set_grad_enabled(True)
        self.stage.module.load_state_dict(self.current)
        self.stage.module.train()


def finished(work, name):
    path = f"{work}/{name}.pt"
    return os.path.exists(path) and torch.load(path, map_location="cpu", weights_only=True, mmap=True)["done"]


def load_averaged(work, name, module):
    """A module with the averaged weights of a stage's last checkpoint, frozen."""
    saved = torch.load(f"{work}/{name}.pt", map_location="cpu", weights_only=True)
    module.load_state_dict(saved["mean"])
    return module.to(DEVICE).eval().requires_grad_(False)
