"""Gradient inversion in torch, one vector, as the yardstick of the shipped concepts.

The learned word starts at the best plain word (by CLIP alignment of what the word draws with the given
pictures) and is judged like it: mean cosine of CLIP image features between what `a photo of a <word>` draws
and the real held-out pictures. The gap between the best word and the given real pictures, measured the same
way, is what inversion can close.
"""
import glob

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from denoiser import Noising, draw, spread_timesteps
from image import image_features
from trainer import DEVICE, autocast, pixels

OBJECT_TEMPLATES = ["a photo of a {}", "a rendering of a {}", "a picture of the {}", "a good photo of a {}", "a {}",
                    "a depiction of a {}", "the {}", "an image of a {}"]
STYLE_TEMPLATES = ["a painting in the style of {}", "a picture in the style of {}", "a rendering in the style of {}",
                   "a drawing in the style of {}", "a rendition in the style of {}"]
STEPS, BATCH, RATE = 160, 12, 2e-2


def load_pictures(folder):
    return np.stack([np.array(Image.open(p).convert("RGB")) for p in sorted(glob.glob(f"{folder}/*.png"))])


class Inverter:
    """One family, ready to learn words: `parts` has clip, text, words, unet, vae and the caption words."""

    def __init__(self, parts):
        self.p, self.noising = parts, Noising()
        self.table = parts.text.get_input_embeddings().weight

    def encode(self, ids, vector=None, at=None):
        """Hidden states; `vector` takes the place of token `at`."""
        if vector is None:
            return self.p.text(input_ids=ids).last_hidden_state
        rows = self.table[ids]
        rows = torch.where((ids == at)[..., None], vector.to(rows.dtype), rows)
        return self.with_rows(ids, rows)

    def with_rows(self, ids, rows):
        embedding = self.p.text.get_input_embeddings()
        hook = embedding.register_forward_hook(lambda *_: rows)
        try:
            return self.p.text(input_ids=ids).last_hidden_state
        finally:
            hook.remove()

    def latents(self, pictures):
        with torch.no_grad():
            return self.p.vae.encode(pixels(pictures)).latent_dist.mode() * self.p.vae.config.scaling_factor

    def ids(self, texts):
        return self.p.words(texts, padding="max_length", truncation=True, return_tensors="pt").input_ids.to(DEVICE)

    def learn(self, pictures, start, templates, steps=STEPS, seed=0):
        """AdamW on one vector, the learning rate falling to nothing over the last half."""
        at = self.p.words.convert_tokens_to_ids(start)
        vector = self.table[at].detach().clone().requires_grad_(True)
        optimizer = torch.optim.AdamW([vector], lr=RATE, weight_decay=0.)
        rng, z = np.random.default_rng(seed), self.latents(pictures)
        torch.manual_seed(seed)
        word = start.replace("</w>", "")
        texts = self.ids([t.format(word) for t in templates])
        for step in range(steps):
            optimizer.param_groups[0]["lr"] = RATE * min(1, 2 * (1 - step / steps))
            x = z[torch.from_numpy(rng.integers(0, len(z), BATCH))]
            t, noise = spread_timesteps(BATCH), torch.randn_like(x)
            which = torch.from_numpy(rng.integers(0, len(templates), BATCH))
            states = self.encode(texts, vector, at)[which]
            with autocast():
                guess = self.p.unet(self.noising.mix(x, noise, t), t, states).sample
            loss = (guess.float() - noise).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return vector.detach()

    @torch.no_grad()
    def drawn(self, text, vector=None, at=None, count=10, guidance=5., seed=77):
        """Pictures of one text, with `vector` for token `at`."""
        family = self

        class Text:
            def __call__(self, input_ids):
                return type("Output", (), {"last_hidden_state": family.encode(input_ids, vector, at)})
        return draw(self.p.unet, Text(), self.p.words, self.p.decode, [text] * count, guidance, seed=seed)

    def alignment(self, pictures, real):
        return float((image_features(self.p.clip, pictures) @ image_features(self.p.clip, real).T).mean())

    def candidates(self, given, templates, keep=4):
        """Caption words whose text embedding is nearest to the given pictures."""
        mean = image_features(self.p.clip, given).mean(0)
        ids = self.ids([templates[0].format(w) for w in self.p.caption_words])
        with torch.no_grad():
            text = F.normalize(self.p.clip.text_projection(self.p.clip.text_model(input_ids=ids).pooler_output), dim=-1)
        return [self.p.caption_words[i] for i in (text @ mean).topk(keep).indices.tolist()]

    def concept(self, folder, style=False):
        """Figures and pictures of one concept."""
        given, held_out = load_pictures(f"{folder}/given"), load_pictures(f"{folder}/held-out")
        templates = STYLE_TEMPLATES if style else OBJECT_TEMPLATES
        by_word = {w: self.drawn(templates[0].format(w)) for w in self.candidates(given, templates)}
        scores = {w: self.alignment(p, held_out) for w, p in by_word.items()}
        word = max(scores, key=scores.get)
        at = self.p.words.convert_tokens_to_ids(word + "</w>")
        vector = self.learn(given, word + "</w>", templates)
        pictures = self.drawn(templates[0].format(word), vector, at)
        real, learned = self.alignment(given, held_out), self.alignment(pictures, held_out)
        gap = real - scores[word]
        closed = (learned - scores[word]) / gap if gap > 0 else None      # the word is as near as the real pictures are
        figures = {"word": word, "word alignment": scores[word], "learned alignment": learned, "real alignment": real, "closed": closed}
        return ({k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()},
                {"given": given, "held-out": held_out, "word": by_word[word], "learned": pictures})
