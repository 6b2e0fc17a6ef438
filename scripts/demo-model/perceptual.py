"""A small perceptual encoder in LPIPS's layout: AlexNet's topology, thin, with one weight per channel.

The convolutions learn to name the attributes; the channel weights are then set from how much each
channel's difference grows with the strength of a distortion (blur, noise, shift, colour). Keys are those of
the lpips package (`net.slice1.0.weight`, ..., `lin0.model.1.weight`).
"""
import torch
import torch.nn.functional as F
from torch import nn

from judge import attribute_loss, soften
from trainer import DEVICE, autocast, pixels
from world import ATTRIBUTES

import numpy as np

CHANNELS = (16, 32, 48, 32, 32)
# (slice, index in the slice, inputs, outputs, kernel, stride, padding, preceded by a 3/2 maximum)
CONVOLUTIONS = [("slice1", "0", 3, 16, 11, 4, 2, False), ("slice2", "3", 16, 32, 5, 1, 2, True),
                ("slice3", "6", 32, 48, 3, 1, 1, True), ("slice4", "8", 48, 32, 3, 1, 1, False),
                ("slice5", "10", 32, 32, 3, 1, 1, False)]
SHIFT, SCALE = (-.030, -.088, -.188), (.458, .448, .450)     # LPIPS's input scaling


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        for name, index, a, b, kernel, stride, padding, _ in CONVOLUTIONS:
            setattr(self, name, nn.ModuleDict({index: nn.Conv2d(a, b, kernel, stride, padding)}))

    def forward(self, x):
        found = []
        for name, index, *_, pooled in CONVOLUTIONS:
            if pooled:
                x = F.max_pool2d(x, 3, 2)
            x = F.relu(getattr(self, name)[index](x))
            found.append(x)
        return found


class Channels(nn.Module):
    """LPIPS's `lin`: dropout (unused here), then a 1 × 1 convolution without bias."""

    def __init__(self, channels):
        super().__init__()
        self.model = nn.ModuleDict({"1": nn.Conv2d(channels, 1, 1, bias=False)})
        nn.init.constant_(self.model["1"].weight, 1 / channels)


class ScalingLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("shift", torch.tensor(SHIFT).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor(SCALE).view(1, 3, 1, 1))

    def forward(self, x):
        return (x - self.shift) / self.scale


class Perceptual(nn.Module):
    def __init__(self):
        super().__init__()
        self.scaling_layer, self.net = ScalingLayer(), Net()
        for i, channels in enumerate(CHANNELS):
            setattr(self, f"lin{i}", Channels(channels))

    def differences(self, a, b):
        """Each layer's squared difference of unit feature vectors, mean over places: n × channels."""
        both = self.net(self.scaling_layer(torch.cat([a, b])))
        found = []
        for f in both:
            f = f / (f.square().sum(1, keepdim=True).sqrt() + 1e-10)
            x, y = f.chunk(2)
            found.append((x - y).square().mean((2, 3)))
        return found

    def forward(self, a, b):
        """The distance of pictures in -1 ... 1."""
        return sum(d @ getattr(self, f"lin{i}").model["1"].weight.view(-1) for i, d in enumerate(self.differences(a, b)))


class Naming(nn.Module):
    """The encoder with heads on all its layers, as it is trained."""

    def __init__(self):
        super().__init__()
        self.encoder = Perceptual()
        for i in range(len(CHANNELS)):
            getattr(self.encoder, f"lin{i}").requires_grad_(False)
        self.heads = nn.ModuleList([nn.Linear(2 * sum(CHANNELS) + CHANNELS[-1] * 9, len(c)) for c in ATTRIBUTES.values()])

    def forward(self, x):
        layers = self.encoder.net(self.encoder.scaling_layer(x))
        read = torch.cat([f.mean((2, 3)) for f in layers] + [f.amax((2, 3)) for f in layers] + [layers[-1].flatten(1)], 1)
        return [head(read) for head in self.heads]


def loss(naming, data):
    def one(rng, batch):
        rows = np.sort(rng.integers(0, len(data), batch))
        x, labels = soften(pixels(data.pictures[rows]), rng), torch.from_numpy(data.labels[rows]).to(DEVICE)
        with autocast():
            logits = naming(x)
        return attribute_loss(logits, labels), {}
    return one


def distorted(x, kind, strength):
    if kind == "noise":
        return (x + .4 * strength * torch.randn_like(x)).clamp(-1, 1)
    if kind == "blur":
        for _ in range(int(round(5 * strength))):
            x = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
        return x
    if kind == "shift":
        return torch.roll(x, (int(round(6 * strength)), int(round(4 * strength))), (2, 3))
    return (x + .5 * strength * torch.tensor([1., -.5, -.5], device=x.device).view(1, 3, 1, 1)).clamp(-1, 1)


@torch.no_grad()
def weigh_channels(encoder, pictures, seed=0):
    """Each channel's weight: its correlation with the strength of distortions, over its mean response."""
    torch.manual_seed(seed)
    x, strengths, rows = pixels(pictures[:200]), torch.linspace(0, 1, 6), []
    for kind in ("noise", "blur", "shift", "color"):
        rows.append(torch.stack([torch.cat([d.mean(0) for d in encoder.differences(x, distorted(x, kind, float(s)))]) for s in strengths]))
    responses = torch.cat(rows)
    wanted = strengths.repeat(4).to(x.device)
    centred = responses - responses.mean(0)
    right = wanted - wanted.mean()
    agreement = (centred * right[:, None]).sum(0) / (centred.norm(dim=0) * right.norm() + 1e-12)
    weights = agreement.clamp(min=0) / (responses.mean(0) + 1e-4)
    for i, part in enumerate(weights.split(CHANNELS)):
        getattr(encoder, f"lin{i}").model["1"].weight.copy_((part / part.numel() / len(CHANNELS)).view(1, -1, 1, 1))
    return encoder
