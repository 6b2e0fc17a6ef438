"""Seeded texts that are hard on a tokenizer."""
import random
import unicodedata

WORDS = """a an the photo painting rendering of on in under with and my one small large red blue green coral star circle moon striped dotted
background cat dog castle river woman man sky night portrait style detailed cinematic oil watercolor don't it's we've they're i'll he'd i'm can't
state-of-the-art 4k 8K HD f/1.8 50mm rock'n'roll""".split()
SCRIPTS = {
    "latin": (0x21, 0x24F), "ipa and modifiers": (0x250, 0x36F), "greek, cyrillic": (0x370, 0x52F), "armenian, hebrew": (0x530, 0x5FF),
    "arabic": (0x600, 0x7FF), "indic": (0x900, 0xDFF), "thai, lao, tibetan": (0xE00, 0xFFF), "georgian, jamo": (0x10A0, 0x11FF),
    "ethiopic, cherokee": (0x1200, 0x13FF), "latin extended": (0x1E00, 0x1FFF), "punctuation, super, currency": (0x2000, 0x20CF),
    "letterlike, number forms, arrows": (0x2100, 0x21FF), "symbols": (0x2200, 0x27BF), "cjk punctuation, kana": (0x3000, 0x30FF),
    "cjk": (0x4E00, 0x9FFF), "hangul": (0xAC00, 0xD7A3), "presentation forms": (0xFB00, 0xFDFF), "half and full width": (0xFF00, 0xFFEF),
    "linear b": (0x10000, 0x1007F), "deseret": (0x10400, 0x1044F), "mathematical": (0x1D400, 0x1D7FF), "emoji": (0x1F300, 0x1FAFF),
    "cjk extension b": (0x20000, 0x2A6DF), "private use": (0xE000, 0xF8FF), "control": (0x01, 0xA0),
}
FIXED = [
    "", " ", "\t\n\r\u000b\u000c ", "\u00a0\u1680\u2003\u2028\u2029\u202f\u205f\u3000", "\u200b\u200c\u200d\ufeff\u180e\u2060", "\x00", "a\x00b", "\x85next",
    "<|startoftext|>", "<|endoftext|>", "<|STARTOFTEXT|>", "<|EndOfText|>!", "x<|endoftext|>y", "<|startoftext|", "<|startoftext|><|startoftext|>z", "<||>",
    "<|STARTOFTEXT|><|ENDOFTEXT|>", "a<|StartOfText|>b'S",
    "'s't're've'm'll'd", "'S'T'RE", "''s", "!'s", "it's", "IT'S", "IT’S", "don''t", "'", "''", "'ll'", "s's", "'ſ", "'K",
    "é", "e\u0301", "\u0301", "a\u0301\u0327\u0302", "a\u0327\u0301", "Å", "\u212b", "\u2126", "ﬁ", "ſ", "ẞ", "İ", "I\u0307", "ı", "ΑΣ", "Σ", "ὈΔΥΣΣΕΎΣ", "Ǆ", "ǅ",
    "\ud55c\uae00", "\u1112\u1161\u11ab", "が", "か\u3099", "गुरु", "ক্ষ", "เชียงใหม่", "שָׁלוֹם", "\u202eabc\u202c", "\u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "👩‍👩‍👧‍👦", "👍🏽", "🇩🇪", "1️⃣", "❤️", "☺", "½", "²", "Ⅷ", "٣", "1234567890", "①②", "3.14e-5", "中文和English混排", "日本語のテキスト", "𝔘𝔫𝔦", "𐐀𐐨", "\U00011935\U00011930",
    "\U0010ffff", "\ufffd", "\ufffe", "\ufdd0", "\ue000", "#hashtag @user https://example.org/?q=a&b=c%20d", "C:\\path\\file", "{\"json\": [1, 2]}", "--ar 16:9 --v 5",
    "(masterpiece:1.2), ((best quality)), [ugly]", "a\r\nb\rc\nd", "a" * 3000, "ab" * 1500, "the " * 500, "!" * 1000, "9" * 300, "ä" * 500, "猫" * 400, "😀" * 200,
]


def texts(count, seed):
    """`count` texts: the fixed ones, then prompts, every script by itself, and mixtures of all."""
    rng = random.Random(seed)
    found = list(FIXED)
    for name, (low, high) in SCRIPTS.items():
        for _ in range(12):
            found.append("".join(chr(rng.randint(low, high)) + (" " if rng.random() < 0.15 else "") for _ in range(rng.randint(1, 24))))
    while len(found) < count:
        pieces = []
        for _ in range(rng.randint(1, 12)):
            kind = rng.random()
            if kind < 0.55:
                word = rng.choice(WORDS)
                pieces.append(rng.choice([word, word, word.upper(), word.title(), word + rng.choice(",.!?;:)\"'…")]))
            elif kind < 0.75:
                low, high = rng.choice(list(SCRIPTS.values()))
                pieces.append("".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 5))))
            elif kind < 0.85:
                pieces.append(unicodedata.normalize("NFD", rng.choice(["café", "naïve", "Ångström", "Việt Nam", "piñata", "Ελλάδα", "한국어"])))
            elif kind < 0.92:
                pieces.append(rng.choice(["<star>", "<STAR>", "<star-2>", "<star", "star>", "x<star>y", "<Étoile>", "<ÉTOILE>"]))
            else:
                pieces.append(str(rng.randint(0, 10 ** rng.randint(1, 9))))
        found.append(rng.choice([" ", " ", "  ", "", "\n", "\u3000"]).join(pieces))
    return found[:count]
