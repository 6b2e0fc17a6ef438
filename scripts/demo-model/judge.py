"""The judge: a small convolutional net that reads every attribute off a picture.

It is no part of the family. It teaches the text tower what a picture shows (its features stand in for an
image tower), teaches the image tower and the perceptual encoder, and judges drawings.
"""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from trainer import DEVICE, autocast, pixels
from world import ATTRIBUTES

CHANNELS = [(3, 32, 2), (32, 64, 2), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 128, 1)]
FEATURES = 2 * 128 + 16 * 64


class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 32, 5, 2, 2, bias=False)
        layers = [nn.BatchNorm2d(32), nn.ReLU()]
        for a, b, stride in CHANNELS[1:]:
            layers += [nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.where = nn.Linear(128, 16)
        self.heads = nn.ModuleList([nn.Linear(FEATURES, len(c)) for c in ATTRIBUTES.values()])

    def map(self, x):
        """128 × 8 × 8 features."""
        return self.layers(self.first(x))

    def pool(self, f):
        """What is there (mean and maximum) and where (a few numbers for each of the 64 places)."""
        return torch.cat([f.mean((2, 3)), f.amax((2, 3)), self.where(f.permute(0, 2, 3, 1)).flatten(1)], 1)

    def forward(self, x):
        pooled = self.pool(self.map(x))
        return [head(pooled) for head in self.heads]


def soften(x, rng):
    """Slightly blurred or noisy, as pictures out of the autoencoder are."""
    if rng.random() < .5:
        return x
    blurred = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return torch.lerp(x, blurred, float(rng.uniform(0, .6))) + .04 * float(rng.random()) * torch.randn_like(x)


def attribute_loss(logits, labels):
    return sum(F.cross_entropy(l.float(), labels[:, i]) for i, l in enumerate(logits)) / len(logits)


def loss(judge, data):
    """The loss of one batch of a data set, as trainer.Stage wants it."""
    def one(rng, batch):
        rows = np.sort(rng.integers(0, len(data), batch))
        x, labels = soften(pixels(data.pictures[rows]), rng), torch.from_numpy(data.labels[rows]).to(DEVICE)
        with autocast():
            logits = judge(x)
        return attribute_loss(logits, labels), {}
    return one


@torch.no_grad()
def judged(judge, pictures):
    """The category (index) of every attribute of pictures given as bytes: n × 6."""
    parts = []
    for i in range(0, len(pictures), 250):
        parts.append(torch.stack([l.argmax(1) for l in judge(pixels(pictures[i:i + 250]))], 1).cpu())
    return torch.cat(parts).numpy()


def accuracies(judge, pictures, labels):
    right = (judged(judge, pictures) == labels).mean(0)
    return {name: round(float(r), 4) for name, r in zip(ATTRIBUTES, right)}
