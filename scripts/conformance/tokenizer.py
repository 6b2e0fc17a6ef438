"""Token ids: evoke against transformers' CLIPTokenizer."""
import itertools
import json
import pathlib
import random
import subprocess
import tempfile

import safetensors.numpy
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from probe import DEMO
from texts import FIXED, SCRIPTS, WORDS, texts

PLACEHOLDERS = ["<star>", "<star-2>", "<Étoile>", "*sks*"]


def byte_alphabet():
    """GPT-2's spelling of the 256 bytes, in CLIP's order of ids."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return [chr(b) for b in shown] + [chr(256 + i) for i in range(256 - len(shown))]


def trained_vocabulary(seed, merges):
    """A vocabulary in CLIP's format (256 bytes, the same ending words, merges, two special tokens), trained on made-up text."""
    rng = random.Random(seed)
    syllables = ["".join(rng.choice("bcdfghklmnprstvwz") + rng.choice("aeiou") for _ in range(rng.randint(1, 3))) for _ in range(900)]
    stems = ["".join(rng.choice(syllables) for _ in range(rng.randint(1, 4))) for _ in range(30000)]
    others = [chr(rng.randint(low, high)) for low, high in SCRIPTS.values() for _ in range(400)]
    lines = []
    for _ in range(20000):
        words = [rng.choice(stems) if rng.random() < 0.7 else rng.choice(WORDS + others) for _ in range(rng.randint(3, 15))]
        lines.append(" ".join(words))
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token="<|endoftext|>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), behavior="removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False)])
    alphabet = byte_alphabet()
    trainer = trainers.BpeTrainer(vocab_size=512 + merges, end_of_word_suffix="</w>", initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(lines + FIXED, trainer)
    pairs = json.loads(tokenizer.to_str())["model"]["merges"]
    tokens = alphabet + [c + "</w>" for c in alphabet]
    tokens += list(dict.fromkeys(a + b for a, b in pairs)) + ["<|startoftext|>", "<|endoftext|>"]
    return {t: i for i, t in enumerate(tokens)}, pairs


def write_folder(folder, vocabulary, pairs, style):
    """The vocabulary in one of the layouts that are met: Stable Diffusion 1.5's, 2.1's, transformers 5's."""
    folder.mkdir(parents=True, exist_ok=True)
    token = lambda text: {"content": text, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
    start, end = "<|startoftext|>", "<|endoftext|>"
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(f"{a} {b}" for a, b in pairs) + "\n", encoding="utf-8")
    config = {"add_prefix_space": False, "model_max_length": 77, "do_lower_case": True, "errors": "replace", "tokenizer_class": "CLIPTokenizer"}
    special = {"bos_token": token(start), "eos_token": token(end), "unk_token": token(end), "pad_token": end if style == "1.5" else "!"}
    config |= {k: {**v, "__type": "AddedToken"} if isinstance(v, dict) else v for k, v in special.items()} | {"pad_token": end}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "special_tokens_map.json").write_text(json.dumps(special))
    if style == "transformers 5":
        loaded = CLIPTokenizer.from_pretrained(folder)
        for name in ("vocab.json", "merges.txt", "special_tokens_map.json"):
            (folder / name).unlink()
        loaded.save_pretrained(folder)
    return folder


def encoded(probe, folder, given, length, placeholders=()):
    """The probe's ids of each text."""
    with tempfile.TemporaryDirectory() as work:
        source, target = pathlib.Path(work, "texts.json"), pathlib.Path(work, "out.safetensors")
        source.write_text(json.dumps({"texts": given}))
        subprocess.run([probe, "tokenize", folder, source, target, length, *placeholders], check=True)
        result = {k: v.astype(int).tolist() for k, v in safetensors.numpy.load_file(target).items()}
    ends = list(itertools.accumulate(result["lengths"]))
    return [result["ids"][end - n:end] for n, end in zip(result["lengths"], ends)]


def run(probe, seed, work, count=2000, merges=6000):
    """(what, number of texts whose ids differ, 0) for every tokenizer and every way of encoding."""
    given = texts(count, seed)
    vocabulary, pairs = trained_vocabulary(seed, merges)
    folders = {"demo": DEMO / "tokenizer"}
    for style in ("1.5", "2.1", "transformers 5"):
        folders[f"{len(vocabulary)} tokens, stored as in {style}"] = write_folder(work / style.replace(" ", "-"), vocabulary, pairs, style)
    for name, folder in folders.items():
        reference = CLIPTokenizer.from_pretrained(folder)
        cut = dict(truncation=True, max_length=reference.model_max_length)
        ways = [("start, end, cut", "encoded", cut, ()), ("padded", "padded", dict(cut, padding="max_length"), ()),
                ("not cut", "content", dict(add_special_tokens=False), ()),
                ("with placeholders", "content", dict(add_special_tokens=False), PLACEHOLDERS)]
        for way, length, options, placeholders in ways:
            reference.add_tokens(list(placeholders))
            wrong = differing(given, reference(given, **options).input_ids, encoded(probe, folder, given, length, placeholders))
            yield f"tokenizer {name}: {way}, {len(given)} texts", wrong, 0
    given = [f"a{chr(c)}b {chr(c)}" for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    reference = CLIPTokenizer.from_pretrained(DEMO / "tokenizer")
    wrong = differing(given, reference(given, add_special_tokens=False).input_ids, encoded(probe, DEMO / "tokenizer", given, "content"))
    yield f"tokenizer demo: each of {len(given)} Unicode characters", wrong, 0


def differing(given, expected, found):
    wrong = [text for text, a, b in zip(given, expected, found, strict=True) if a != b]
    for text in wrong[:5]:
        print(f"  the ids differ: {text[:60]!r}")
    return len(wrong)
