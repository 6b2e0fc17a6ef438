"""The image tower of CLIP, learnt last: against the frozen text tower, with the judge as a second teacher.

Three lessons at once: whole captions (contrastively), one attribute at a time (the right one among the
prompts of its categories), and the judge's features, as one vector and place by place, since a vision
transformer learns shapes slowly from few pictures alone.
"""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from text import contrast, text_embedding
from trainer import DEVICE, autocast, pixels
from world import ATTRIBUTES

PLACES = {"left": ["on the left"], "right": ["on the right"], "top": ["at the top"], "bottom": ["at the bottom"],
          "center": ["in the center", "in the middle"]}
SOME_SHAPES = ["star", "circle", "square", "heart", "cross", "flower", "shape", "object"]


def prompts(attribute, category):
    """Ways to say one category and nothing else."""
    if attribute == "shape":
        return [f"a {category}", f"a photo of a {category}", category, f"a picture of the {category}"]
    if attribute == "style":
        if category == "sketch":
            return [f"a sketch of a {s}" for s in SOME_SHAPES]
        return [f"a {category} {s}" for s in SOME_SHAPES] + [f"a {s} in the style of {category}" for s in SOME_SHAPES[:3]]
    if attribute == "position":
        return [f"a {s} {p}" for s in SOME_SHAPES for p in PLACES[category]]
    if attribute == "background":
        return [f"a {s} on a {category} background" for s in SOME_SHAPES]
    return [f"a {category} {s}" for s in SOME_SHAPES]


@torch.no_grad()
def prototypes(clip, tokenizer):
    """For every attribute, the mean unit text embedding of each category's prompts."""
    found = {}
    for attribute, categories in ATTRIBUTES.items():
        rows = []
        for category in categories:
            ids = tokenizer(prompts(attribute, category), padding=True, return_tensors="pt").input_ids.to(DEVICE)
            rows.append(F.normalize(text_embedding(clip, ids), dim=-1).mean(0))
        found[attribute] = F.normalize(torch.stack(rows), dim=-1)
    return found


def image_embedding(clip, x):
    return clip.visual_projection(clip.vision_model(pixel_values=x).pooler_output)


@torch.no_grad()
def image_features(clip, pictures):
    """Unit embeddings of pictures (bytes)."""
    parts = [image_embedding(clip, pixels(pictures[i:i + 250])) for i in range(0, len(pictures), 250)]
    return F.normalize(torch.cat(parts), dim=-1)


def zero_shot(clip, tokenizer, pictures, labels):
    """How often the nearest prompt is the right one, by attribute."""
    features, found = image_features(clip, pictures), {}
    for i, (attribute, rows) in enumerate(prototypes(clip, tokenizer).items()):
        guess = (features @ rows.T).argmax(1).cpu().numpy()
        found[attribute] = round(float((guess == labels[:, i]).mean()), 4)
    return found


class Looking(nn.Module):
    """The vision half, and a map of its patches to the judge's features while training."""

    def __init__(self, clip):
        super().__init__()
        self.vision_model, self.visual_projection = clip.vision_model, clip.visual_projection
        width = clip.config.vision_config.hidden_size
        self.map_norm, self.map_head = nn.LayerNorm(width), nn.Linear(width, 128)
        self.logit_scale = nn.Parameter(torch.tensor(3.))

    def forward(self, x):
        seen = self.vision_model(pixel_values=x)
        return self.visual_projection(seen.pooler_output), self.map_head(self.map_norm(seen.last_hidden_state[:, 1:]))


def loss(looking, pairing, judge, data, ids, features, tokenizer):
    end = tokenizer.eos_token_id
    lengths = (ids != end).sum(-1) + 1
    attribute_rows = list(prototypes(pairing, tokenizer).values())
    with torch.no_grad():
        some = judge.map(pixels(data.pictures[:500]))
        mean, deviation = some.mean((0, 2, 3)), some.std((0, 2, 3)) + .05

    def one(rng, batch):
        rows = np.sort(rng.integers(0, len(data), batch))
        choice = rng.integers(0, ids.shape[1], batch)
        tokens = torch.from_numpy(ids[rows, choice][:, :int(lengths[rows, choice].max())].astype(np.int64)).to(DEVICE)
        x, labels = pixels(data.pictures[rows]), torch.from_numpy(data.labels[rows]).to(DEVICE)
        with autocast():
            with torch.no_grad():
                text = text_embedding(pairing, tokens)
                teacher = pairing.embed_image(torch.from_numpy(np.array(features[rows])).to(DEVICE).float())
                places = (judge.map(x).float().flatten(2).transpose(1, 2) - mean) / deviation
            image, patches = looking(x)
        image, scale = F.normalize(image.float(), dim=-1), looking.logit_scale.exp().clamp(max=60)
        pair = contrast(image, text, scale)
        single = sum(F.cross_entropy(scale * image @ p.T, labels[:, i]) for i, p in enumerate(attribute_rows)) / len(attribute_rows)
        alike = 1 - (image * F.normalize(teacher.float(), dim=-1)).sum(-1).mean()
        local = (patches.float() - places).square().mean()
        figures = {"contrast": pair, "single": single, "teacher": alike, "places": local}
        return pair + single + 2 * alike + local, {k: float(v.detach()) for k, v in figures.items()}
    return one
