"""A byte-level BPE tokenizer in CLIP's file format, in which every listed word is one token.

    python tokenizer.py FOLDER

The merges are learnt from the list of words alone, each counted once. Whatever else a user types falls
back to pieces and bytes, as in CLIP, and is never refused. Also writes words.txt: the words that occur
in captions, one a line. The other rows of the token table see only noise while training, and statistics
over the table should leave them out.
"""
import collections
import json
import os
import sys

import captions
import world

MAX_LENGTH = 32

# Words without a picture: people type them; one token each keeps them apart from the words that draw.
EXTRA = """style art portrait icon logo toy low high hd quality detailed texture textured pattern patterned line
lines dots stripes checks solid light dark pale deep vivid gold silver teal coral mint indigo navy lime salmon
olive maroon beige rounded round sharp pointy thin thick wide narrow fine coarse pixel pentagon hexagon gear oval
cloud sun leaf cat dog car house tree person man woman face animal bird fish book cup hat chair two three four
five six seven colorful wooden metal glass soft hard old new wild happy sad warm cold and to is or sprite""".split()


def caption_words():
    """Every word that a caption can hold."""
    words = set("a an the one my of on in with at style background gradient light dark tiny big sketched middle".split())
    for group in world.ATTRIBUTES.values():
        words.update(group)
    words.update(world.SIZES, captions.SYNONYMS.values(), captions.FILLERS, captions.THINGS, captions.PICTURES)
    for phrase in captions.OPENINGS + list(captions.PLACES.values()):
        words.update(phrase.replace("-", " ").split())
    return sorted(words)


def byte_symbols():
    """CLIP's (GPT-2's) printable stand-ins for the 256 bytes."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [b for b in range(256) if b not in plain]
    return [chr(b) for b in plain] + [chr(256 + i) for i in range(len(others))]


def learn_merges(words):
    """Byte-pair merges, the most frequent pair first, until every word is one piece."""
    pieces = {word: [*word[:-1], word[-1] + "</w>"] for word in words}
    merges = []
    while True:
        pairs = collections.Counter(p for s in pieces.values() for p in zip(s, s[1:]))
        if not pairs:
            return merges
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for word, s in pieces.items():
            i, joined = 0, []
            while i < len(s):
                step = 2 if tuple(s[i:i + 2]) == best else 1
                joined.append("".join(s[i:i + step]))
                i += step
            pieces[word] = joined


def build(folder):
    os.makedirs(folder, exist_ok=True)
    merges = learn_merges(sorted({*caption_words(), *EXTRA}))
    symbols = byte_symbols()
    vocabulary = symbols + [s + "</w>" for s in symbols] + ["".join(m) for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    assert len(set(vocabulary)) == len(vocabulary)
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    config = {**special, "add_prefix_space": False, "do_lower_case": True, "errors": "replace",
              "model_max_length": MAX_LENGTH, "tokenizer_class": "CLIPTokenizer"}

    def write(name, text):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    write("vocab.json", json.dumps({token: i for i, token in enumerate(vocabulary)}, ensure_ascii=False))
    write("merges.txt", "#version: 0.2\n" + "".join(" ".join(m) + "\n" for m in merges))
    write("special_tokens_map.json", json.dumps(special, indent=1) + "\n")
    write("tokenizer_config.json", json.dumps(config, indent=1) + "\n")
    write("words.txt", "".join(word + "\n" for word in caption_words()))


def load(folder):
    from transformers import CLIPTokenizer
    return CLIPTokenizer.from_pretrained(folder)


if __name__ == "__main__":
    build(sys.argv[1])
    tokenizer = load(sys.argv[1])
    split = [w for w in (*caption_words(), *EXTRA) if len(tokenizer(w).input_ids) != 3]
    print(len(tokenizer), "tokens;", len(caption_words()), "caption words; split words:", split)
