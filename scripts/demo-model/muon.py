"""Muon: momentum whose direction is made orthogonal, for the weights of hidden layers (K. Jordan, 2024).

A weight of more than two dimensions (a convolution) is taken as a matrix of outputs × everything else.
"""
import torch


def orthogonal(g, steps=5):
    """Nearly U·Vᵀ of g = U·S·Vᵀ, by Newton–Schulz iterations of a quintic (in bfloat16)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.bfloat16()
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.T
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        s = x @ x.T
        x = a * x + (b * s + c * (s @ s)) @ x
    return (x.T if tall else x).float()


class Muon(torch.optim.Optimizer):
    """Weights are matrices or convolutions; `lr` is relative to AdamW-like step sizes of .2 rms."""

    def __init__(self, weights, lr=2e-3, momentum=.95, weight_decay=.01):
        super().__init__(weights, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                m = state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                g = p.grad.lerp(m, group["momentum"])
                update = orthogonal(g.flatten(1)).view_as(p)
                rows, columns = p.shape[0], p[0].numel()
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update, alpha=-group["lr"] * .2 * max(rows, columns) ** .5)
