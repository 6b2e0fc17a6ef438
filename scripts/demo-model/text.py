"""The text tower: learnt contrastively against the frozen judge's features, then frozen itself.

An image tower that has not learnt shapes gives the text tower no reason to carry them, and the denoiser
sees only what the text tower carries. So a small convolutional net that has learnt them stands in for it.
Heads that read each attribute off the text embedding keep the less frequent ones (texture, position)
from being drowned by colour; they are thrown away afterwards.
"""
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from transformers import CLIPConfig, CLIPModel

import tokenizer as words
from judge import FEATURES
from trainer import DEVICE, autocast, pixels
from world import ATTRIBUTES

WIDTH, LAYERS, HEADS = 128, 4, 4


def make(vocabulary):
    """A CLIPModel of which this stage trains the text half; the last two tokens are start and end."""
    tower = dict(hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS, projection_dim=WIDTH)
    text = dict(tower, vocab_size=vocabulary, max_position_embeddings=words.MAX_LENGTH,
                bos_token_id=vocabulary - 2, eos_token_id=vocabulary - 1, pad_token_id=vocabulary - 1)
    clip = CLIPModel(CLIPConfig(text_config=text, vision_config=dict(tower, image_size=64, patch_size=8), projection_dim=WIDTH))
    clip.set_attn_implementation("eager")       # nearly twice as fast as the fused kernel at these sizes
    return clip


def text_embedding(clip, ids):
    return clip.text_projection(clip.text_model(input_ids=ids).pooler_output)


class Pairing(nn.Module):
    """The text half, a linear map of the judge's features, and the attribute heads."""

    def __init__(self, clip):
        super().__init__()
        self.text_model, self.text_projection = clip.text_model, clip.text_projection
        self.image_norm, self.image_head = nn.LayerNorm(FEATURES), nn.Linear(FEATURES, WIDTH)
        self.logit_scale = nn.Parameter(torch.tensor(2.7))
        self.attribute_norm = nn.LayerNorm(WIDTH)
        self.attribute_heads = nn.ModuleList([nn.Linear(WIDTH, len(c)) for c in ATTRIBUTES.values()])

    def embed_image(self, features):
        return self.image_head(self.image_norm(features))

    def forward(self, ids, features):
        return text_embedding(self, ids), self.embed_image(features)


def token_ids(data, tokenizer):
    """Every caption as ids, padded to MAX_LENGTH: pictures × captions × MAX_LENGTH (kept beside the data)."""
    path = f"{data.folder}/ids.npy"
    if not os.path.exists(path):
        captions = data.captions()
        flat = [c for group in captions for c in group]
        ids = tokenizer(flat, padding="max_length", truncation=True, max_length=words.MAX_LENGTH).input_ids
        np.save(path, np.array(ids, np.int16).reshape(len(captions), -1, words.MAX_LENGTH))
    return np.load(path)


@torch.no_grad()
def judge_features(judge, data):
    """The judge's pooled features of every picture (kept beside the data)."""
    path = f"{data.folder}/features.npy"
    if not os.path.exists(path):
        parts = []
        for i in range(0, len(data), 250):
            with autocast():
                parts.append(judge.pool(judge.map(pixels(data.pictures[i:i + 250]))).half().cpu().numpy())
        np.save(path, np.concatenate(parts))
    return np.load(path, mmap_mode="r")


def disturb(rng, ids, end):
    """Puts random tokens into some captions, so that unknown words and typos come to mean nothing much."""
    ids = ids.copy()
    for row in np.flatnonzero(rng.random(len(ids)) < .12):
        length = int((ids[row] != end).sum())
        at = int(rng.integers(1, length + 1))
        strange = rng.integers(0, end - 1, int(rng.integers(1, 4)))
        tail = ids[row, at + int(rng.random() < .4):]
        ids[row] = np.concatenate([ids[row, :at], strange, tail, np.full(8, end)])[:ids.shape[1]]
        ids[row, -1] = end
    return ids


def contrast(a, b, scale):
    """CLIP's symmetric loss."""
    logits = scale * F.normalize(a.float(), dim=-1) @ F.normalize(b.float(), dim=-1).T
    target = torch.arange(len(a), device=a.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def loss(pairing, data, ids, features, end):
    lengths = (ids != end).sum(-1) + 1

    def one(rng, batch):
        rows = np.sort(rng.integers(0, len(data), batch))
        choice = rng.integers(0, ids.shape[1], batch)
        tokens = disturb(rng, ids[rows, choice], end)[:, :min(ids.shape[2], int(lengths[rows, choice].max()) + 3)]
        shown = torch.from_numpy(np.array(features[rows])).to(DEVICE).float()
        labels = torch.from_numpy(data.labels[rows]).to(DEVICE)
        with autocast():
            text, image = pairing(torch.from_numpy(tokens.astype(np.int64)).to(DEVICE), shown)
        pair = contrast(text, image, pairing.logit_scale.exp().clamp(max=60))
        read = pairing.attribute_norm(text.float())
        aside = sum(F.cross_entropy(h(read), labels[:, i]) for i, h in enumerate(pairing.attribute_heads)) / len(ATTRIBUTES)
        return pair + .5 * aside, {"contrast": float(pair.detach()), "attributes": float(aside.detach())}
    return one


@torch.no_grad()
def variance_shares(pairing, data, ids, end, count=3000):
    """How much of the hidden states' variance each attribute explains (mean over words; a padding position)."""
    rows = torch.from_numpy(ids[:count, 0].astype(np.int64)).to(DEVICE)
    hidden = torch.cat([pairing.text_model(input_ids=r).last_hidden_state.float() for r in rows.split(250)]).cpu().numpy()
    spoken = (ids[:count, 0] != end)[..., None]
    of_words = (hidden * spoken).sum(1) / spoken.sum(1)
    shares = {}
    for kind, x in (("words", of_words), ("padding", hidden[:, -3])):
        x = x - x.mean(0)
        for i, (name, categories) in enumerate(ATTRIBUTES.items()):
            label = data.labels[:count, i]
            between = sum((x[label == c].mean(0) ** 2).sum() * (label == c).sum() for c in range(len(categories)))
            shares.setdefault(name, {})[kind] = round(float(between / (x ** 2).sum()), 4)
    return shares
