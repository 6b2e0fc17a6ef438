"""The captioner: a small BLIP whose eyes start as CLIP's image tower and learn on with it.

Its captions have one form: `a small neon red striped star on a blue background`; flat, plain and medium
go without saying.
"""
import numpy as np
import torch
import torch.nn.functional as F
from transformers import BertTokenizerFast, BlipConfig, BlipForConditionalGeneration, BlipImageProcessor, BlipProcessor

import world
from captions import with_article
from trainer import DEVICE, autocast, pixels

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]"]
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,!?'-"


def caption_of(labels):
    """The caption of a picture with these label indices."""
    n = {name: categories[i] for (name, categories), i in zip(world.ATTRIBUTES.items(), labels)}
    style = {"flat": ""}.get(n["style"], n["style"])
    texture = {"plain": ""}.get(n["texture"], n["texture"])
    phrase = " ".join(w for w in (style, n["color"], texture, n["shape"]) if w)
    return f"{with_article(phrase)} on {with_article(n['background'])} background"


def read_caption(text):
    """The categories that a caption names; `plain` and `flat` where it names none."""
    head, _, tail = text.partition(" on ")
    found = {"texture": "plain", "style": "flat"}
    for name in ("shape", "color", "texture", "style"):
        for word in head.split():
            if word in world.ATTRIBUTES[name]:
                found[name] = word
    for word in tail.split():
        if word in world.COLORS:
            found["background"] = word
    return found


def make_tokenizer():
    """A WordPiece tokenizer of whole words and letters."""
    words = {"a", "an", "the", "of", "on", "in", "with", "photo", "picture", "image", "background"} - set(LETTERS)
    for group in world.ATTRIBUTES.values():
        words.update(group)
    vocabulary = SPECIAL + sorted(words) + list(LETTERS) + ["##" + c for c in LETTERS]
    return BertTokenizerFast(vocab={w: i for i, w in enumerate(vocabulary)}, bos_token="[DEC]", model_max_length=32,
                             additional_special_tokens=["[ENC]"])


def make(words, clip):
    """A BLIP whose vision tower starts with CLIP's weights."""
    ids = dict(zip(SPECIAL, words.convert_tokens_to_ids(SPECIAL)))
    text = dict(vocab_size=len(words), hidden_size=128, encoder_hidden_size=128, intermediate_size=256, projection_dim=128,
                num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=32, hidden_dropout_prob=0.,
                attention_probs_dropout_prob=0., bos_token_id=ids["[DEC]"], eos_token_id=ids["[SEP]"], sep_token_id=ids["[SEP]"],
                pad_token_id=ids["[PAD]"], is_decoder=True, use_cache=True)
    vision = dict(hidden_size=128, intermediate_size=512, num_hidden_layers=4, num_attention_heads=4, image_size=64,
                  patch_size=8, hidden_act="quick_gelu", projection_dim=128)
    blip = BlipForConditionalGeneration(BlipConfig(text_config=text, vision_config=vision, projection_dim=128, image_text_hidden_size=128))
    blip.vision_model.set_attn_implementation("eager")
    copy_vision(clip.vision_model, blip.vision_model)
    return blip


@torch.no_grad()
def copy_vision(source, target):
    """CLIP's vision tower into BLIP's: the same net with joined query, key and value."""
    a, b = source.embeddings, target.embeddings
    b.class_embedding.copy_(a.class_embedding.view_as(b.class_embedding))
    b.patch_embedding.weight.copy_(a.patch_embedding.weight)
    b.patch_embedding.bias.zero_()
    b.position_embedding.copy_(a.position_embedding.weight.view_as(b.position_embedding))
    for one, other in zip(source.encoder.layers, target.encoder.layers):
        three = [one.self_attn.q_proj, one.self_attn.k_proj, one.self_attn.v_proj]
        other.self_attn.qkv.weight.copy_(torch.cat([p.weight for p in three]))
        other.self_attn.qkv.bias.copy_(torch.cat([p.bias for p in three]))
        other.self_attn.projection.load_state_dict(one.self_attn.out_proj.state_dict())
        for name in ("layer_norm1", "layer_norm2", "mlp"):
            getattr(other, name).load_state_dict(getattr(one, name).state_dict())
    target.post_layernorm.load_state_dict(source.post_layernorm.state_dict())


def loss(blip, words, data):
    encoded = words([caption_of(row) for row in data.labels], padding=True, return_tensors="np").input_ids.astype(np.int64)
    encoded[:, 0] = words.bos_token_id

    def one(rng, batch):
        rows = np.sort(rng.integers(0, len(data), batch))
        ids = torch.from_numpy(encoded[rows]).to(DEVICE)
        with autocast():
            seen = blip.vision_model(pixel_values=pixels(data.pictures[rows])).last_hidden_state
            logits = blip.text_decoder(input_ids=ids, attention_mask=(ids != words.pad_token_id).long(), encoder_hidden_states=seen).logits
        following = ids[:, 1:].masked_fill(ids[:, 1:] == words.pad_token_id, -100)
        return F.cross_entropy(logits[:, :-1].float().flatten(0, 1), following.flatten(), ignore_index=-100), {}
    return one


def processor(words):
    return BlipProcessor(BlipImageProcessor(size={"height": 64, "width": 64}, image_mean=[.5] * 3, image_std=[.5] * 3), words)


@torch.no_grad()
def write_captions(blip, words, pictures):
    """Captions of pictures (bytes)."""
    found = []
    for i in range(0, len(pictures), 250):
        ids = blip.generate(pixel_values=pixels(pictures[i:i + 250]), max_new_tokens=20)
        found += words.batch_decode(ids, skip_special_tokens=True)
    return found


def accuracies(blip, words, pictures, labels):
    """How often each attribute, and shape and colour together, is right."""
    read = [read_caption(c) for c in write_captions(blip, words, pictures)]
    right = {name: np.array([r.get(name) == categories[row[i]] for r, row in zip(read, labels)])
             for i, (name, categories) in enumerate(world.ATTRIBUTES.items()) if name != "position"}
    right["shape and color"] = right["shape"] & right["color"]
    return {name: round(float(r.mean()), 4) for name, r in right.items()}
