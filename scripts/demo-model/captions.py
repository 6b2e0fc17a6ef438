"""What people might say about a scene: the nearest categories, some left out, in many forms."""
from world import COLOR_BOX, names, size_name

SYNONYMS = {"circle": "disc", "square": "box", "ring": "hoop", "crescent": "moon", "flower": "blossom",
            "cyan": "turquoise", "purple": "violet", "gray": "grey", "pink": "magenta"}
PLACES = {"left": "on the left", "right": "on the right", "top": "at the top", "bottom": "at the bottom"}
OPENINGS = ["a photo of", "a picture of", "an image of", "a drawing of", "a rendering of", "a depiction of",
            "a painting of", "a rendition of", "a cropped photo of", "a close-up photo of", "a good photo of",
            "the photo of", "a bright photo of", "a dark photo of", "an illustration of", "an icon of"]
FILLERS = ["nice", "cool", "weird", "clean", "dirty", "cute", "simple", "beautiful"]
THINGS = ["shape", "object", "thing"]
PICTURES = ["painting", "picture", "rendering", "rendition", "drawing"]


def with_article(words):
    return ("an " if words[0] in "aeiou" else "a ") + words


def full_caption(scene):
    """Every judged attribute, in one fixed form: what drawings are tested with."""
    n = names(scene)
    place = PLACES.get(n["position"], "in the center")
    if n["style"] == "sketch":
        head = f"a sketch of a {n['color']} {n['texture']} {n['shape']}"
        head = head.replace(" a orange", " an orange")
    else:
        head = with_article(f"{n['style']} {n['color']} {n['texture']} {n['shape']}")
    return f"{head} {place} on {with_article(n['background'])} background"


def shade(scene, name):
    """light or dark, where a colour with a hue is near the end of its box."""
    if name in ("black", "white", "gray", "brown"):
        return ""
    low, high = COLOR_BOX[name][4:]
    place = (scene.hsl[2] - low) / (high - low)
    return "light " if place > .75 else "dark " if place < .25 else ""


def mentions(rng, scene):
    """The words for what a caption mentions: None for what it leaves out."""
    said = lambda p: rng.random() < p
    synonym = lambda word: SYNONYMS[word] if word in SYNONYMS and said(.25) else word
    n = names(scene)
    color = synonym(n["color"])
    if said(.4):
        color = shade(scene, n["color"]) + color
    size = size_name(scene.radius)
    if size != "medium" and said(.2):
        size = {"small": "tiny", "large": "big"}[size]
    return {
        "shape": synonym(n["shape"]) if said(.96) else THINGS[rng.integers(len(THINGS))],
        "color": color if said(.88) else None,
        "texture": n["texture"] if said(.45 if n["texture"] == "plain" else .92) else None,
        "style": n["style"] if said(.4 if n["style"] == "flat" else .82) else None,
        "size": size if size != "medium" and said(.4) else None,
        "place": n["position"] if said(.5) else None,
        "background": synonym(n["background"]) + (" gradient" if scene.gradient and said(.7) else "") if said(.78) else None,
    }


def tags(rng, m):
    """A caption as a list of tags: `red star, striped, neon, left, blue background`."""
    rest = [w for w in (m["texture"], m["style"], m["size"], m["place"]) if w]
    if m["background"]:
        rest.append(m["background"] + " background")
    rng.shuffle(rest)
    return ", ".join([" ".join(w for w in (m["color"], m["shape"]) if w)] + rest)


def sentence(rng, m):
    """A caption as a phrase: opening, article, adjectives, shape, place, background."""
    chance = rng.random
    ahead, behind, opening = [], "", ""
    style, form = m["style"], chance()
    if style == "sketch" and form < .6:
        opening = "a sketch of "
    elif style and form < .3:
        behind = " in the style of " + style
    elif style and form < .4:
        opening = with_article(PICTURES[rng.integers(len(PICTURES))]) + " in the style of " + style + " of "
    elif style:
        ahead.append("sketched" if style == "sketch" else style)
    if m["size"]:
        ahead.insert(int(rng.integers(len(ahead) + 1)), m["size"])
    if chance() < .06:
        ahead.insert(0, FILLERS[rng.integers(len(FILLERS))])
    pair = [w for w in (m["color"], m["texture"]) if w]
    phrase = " ".join(ahead + (pair[::-1] if chance() < .25 else pair) + [m["shape"]])
    article = chance()
    if article < .66:
        phrase = with_article(phrase)
    elif article < .9:
        phrase = ["the ", "the ", "the ", "one ", "my "][rng.integers(5)] + phrase
    if not opening and chance() < .5:
        opening = OPENINGS[rng.integers(len(OPENINGS))] + " "
    parts = []
    if m["place"]:
        parts.append(" " + PLACES.get(m["place"], "in the center" if chance() < .7 else "in the middle"))
    if m["background"]:
        ground = m["background"] + " background"
        grounds = [" on " + with_article(ground)] * 2 + [" with " + with_article(ground), ", " + ground]
        parts.append(grounds[rng.integers(len(grounds))])
    if len(parts) == 2 and chance() < .3:
        parts.reverse()
    return opening + phrase + "".join(parts) + behind


def caption(rng, scene):
    """A random caption of a scene."""
    m = mentions(rng, scene)
    return tags(rng, m) if rng.random() < .12 else sentence(rng, m)
