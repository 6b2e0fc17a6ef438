"""The picture world: what a scene is, how one is drawn at random, and what its attributes are called.

A `Scene` is a point in a space of continuous attributes (hue, points, roundness, stripe angle and
pitch, rotation, position, ...). Captions (captions.py) name only the nearest category of each, so
that most points of the space have no words of their own. drawing.py turns a scene into a picture.

Angles are degrees; lengths are halves of the picture's side (the picture spans -1 ... 1, y upwards),
except texture pitches, which are pixels.
"""
from dataclasses import dataclass, field

import numpy as np

SIZE = 64
SHAPES = ["circle", "square", "triangle", "star", "heart", "ring", "cross", "crescent", "diamond", "flower"]
COLORS = ["red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink", "brown", "black", "white", "gray"]
TEXTURES = ["plain", "striped", "dotted", "checkered"]
STYLES = ["flat", "outlined", "neon", "sketch"]
POSITIONS = ["center", "left", "right", "top", "bottom"]
SIZES = ["small", "medium", "large"]

# How often a random scene has each texture and style.
TEXTURE_ODDS = [.34, .22, .22, .22]
STYLE_ODDS = [.40, .20, .20, .20]

# A colour's box in HSL: hue from, to (degrees), saturation from, to, lightness from, to.
# The boxes leave gaps: coral, mint, indigo, olive, ... have no name of their own.
COLOR_BOX = {
    "red": (-12, 8, .75, 1, .38, .54), "orange": (22, 38, .85, 1, .46, .58), "yellow": (48, 62, .8, 1, .46, .62),
    "green": (95, 145, .5, 1, .28, .52), "cyan": (170, 190, .6, 1, .42, .62), "blue": (212, 245, .65, 1, .38, .60),
    "purple": (264, 286, .5, 1, .36, .56), "pink": (310, 338, .65, 1, .62, .78), "brown": (18, 34, .4, .7, .20, .30),
    "black": (0, 360, 0, .3, .02, .09), "white": (0, 360, 0, .6, .95, 1.), "gray": (0, 360, 0, .07, .42, .62),
}

# The attributes that a picture is judged by, with their categories.
ATTRIBUTES = {"shape": SHAPES, "color": COLORS, "texture": TEXTURES, "style": STYLES,
              "position": POSITIONS, "background": COLORS}


@dataclass(frozen=True)
class Scene:
    """One picture's attributes. `form`, `weave` and `ink` hold what belongs to the shape, the texture
    and the style; the meaning of each entry stands beside the code in drawing.py that reads it."""
    shape: str
    form: dict
    hsl: tuple
    texture: str
    weave: dict
    style: str
    ink: dict
    radius: float
    x: float
    y: float
    background: tuple
    gradient: dict = field(default_factory=dict)


def color_name(hsl):
    """The nearest colour's name, by the distance to its box."""
    h, s, l = hsl
    chroma = max(s * (1 - abs(2 * l - 1)), .15)

    def distance(box):
        h0, h1, s0, s1, l0, l1 = box
        hue = 0 if (h - h0) % 360 <= h1 - h0 else min((h0 - h) % 360, (h - h1) % 360)
        return ((hue / 60 * chroma) ** 2 + .5 * max(s0 - s, 0, s - s1) ** 2 + (2 * max(l0 - l, 0, l - l1)) ** 2)
    return min(COLOR_BOX, key=lambda name: distance(COLOR_BOX[name]))


def position_name(x, y):
    if max(abs(x), abs(y)) < .15:
        return "center"
    if abs(x) > abs(y):
        return "left" if x < 0 else "right"
    return "top" if y > 0 else "bottom"


def size_name(radius):
    return "small" if radius < .58 else "large" if radius > .71 else "medium"


def names(scene):
    """The category of every judged attribute."""
    return {"shape": scene.shape, "color": color_name(scene.hsl), "texture": scene.texture, "style": scene.style,
            "position": position_name(scene.x, scene.y), "background": color_name(scene.background)}


def labels(scene):
    """`names` as indices, in the order of ATTRIBUTES."""
    return [ATTRIBUTES[key].index(name) for key, name in names(scene).items()]


def random_color(rng, name):
    h0, h1, s0, s1, l0, l1 = COLOR_BOX[name]
    return float(rng.uniform(h0, h1)), float(rng.uniform(s0, s1)), float(rng.uniform(l0, l1))


def random_form(rng, shape):
    """Points, roundness, thickness, ...: what a shape leaves open, and its rotation."""
    u = lambda low, high: float(rng.uniform(low, high))
    form = {"rotation": u(-20, 20)}
    if shape == "circle":
        form.update(aspect=u(.84, 1))
    elif shape == "square":
        form.update(aspect=u(.8, 1), round=u(0, .25), rotation=u(-15, 15))
    elif shape == "triangle":
        form.update(round=u(0, .2))
    elif shape == "star":
        form.update(points=int(rng.integers(4, 9)), inner=u(.36, .58), round=u(0, .12), rotation=u(-40, 40))
    elif shape == "heart":
        form.update(aspect=u(.88, 1.15))
    elif shape == "ring":
        form.update(thickness=u(.28, .5))
    elif shape == "cross":
        form.update(width=u(.22, .38), round=u(0, .1))
    elif shape == "crescent":
        form.update(offset=u(.4, .58), bite=u(.74, .9), rotation=u(-50, 50))
    elif shape == "diamond":
        form.update(aspect=u(.5, .72), rotation=u(-12, 12))
    elif shape == "flower":
        form.update(petals=int(rng.integers(5, 9)), depth=u(.14, .24), rotation=u(-40, 40))
    return form


def random_weave(rng, texture, lightness):
    """Contrast, angle and pitch of a texture."""
    if texture == "plain":
        return {}
    u = lambda low, high: float(rng.uniform(low, high))
    lighten = lightness < .5 if not .2 <= lightness <= .8 else bool(rng.random() < .5)
    weave = {"mix": u(.65, .9), "lighten": bool(lighten), "angle": u(0, 180)}
    if texture == "striped":
        weave.update(pitch=u(7, 12), duty=u(.4, .6))
    elif texture == "dotted":
        weave.update(pitch=u(8, 12), dot=u(.27, .36))
    else:
        weave.update(pitch=u(11, 17))
    return weave


def random_ink(rng, style, luminance):
    """What a style is made of: a contour, a glow, hatching, a wobbling hand, paper."""
    u = lambda low, high: float(rng.uniform(low, high))
    if style == "outlined":
        return {"contour": u(.05, .09), "contour_color": (.05, .05, .08) if luminance > .25 else (.97, .97, .95)}
    if style == "neon":
        return {"glow": u(.10, .18), "glow_strength": .65, "dim": .25, "core": .5, "tube": .04}
    if style == "sketch":
        return {"wobble": u(.015, .035), "wobble_phase": u(0, 6.28), "hatch": 1., "hatch_pitch": u(.12, .16),
                "pencil": .035, "paper": (.85, .85, .82), "paper_strength": .3}
    return {}


def random_place(rng, radius):
    """A position clearly left, right, above, below or in the centre, as far as the radius allows."""
    room = max(.24, 1 - .95 * radius)
    place = POSITIONS[rng.choice(5, p=[.28, .18, .18, .18, .18])]
    if place == "center":
        return float(rng.uniform(-.09, .09)), float(rng.uniform(-.09, .09))
    main, side = float(rng.uniform(.21, room)), float(rng.uniform(-.6, .6))
    return {"left": (-main, side * main), "right": (main, side * main),
            "top": (side * main, main), "bottom": (side * main, -main)}[place]


def random_background(rng, avoid):
    """A colour other than `avoid`, and for a quarter of the scenes a gradient of lightness."""
    name = [c for c in COLORS if c != avoid][rng.integers(len(COLORS) - 1)]
    gradient = {}
    if rng.random() < .25:
        gradient = {"angle": float(rng.uniform(0, 360)), "span": float(rng.uniform(.12, .26))}
    return random_color(rng, name), gradient


def luminance(rgb):
    return float(np.dot(rgb, (.3, .59, .11)))


def random_scene(rng, **fixed):
    """A scene drawn at random; `fixed` names categories (shape=, color=, texture=, style=)."""
    from drawing import rgb
    shape = fixed.get("shape") or SHAPES[rng.integers(len(SHAPES))]
    color = fixed.get("color") or COLORS[rng.integers(len(COLORS))]
    texture = fixed.get("texture") or TEXTURES[rng.choice(4, p=TEXTURE_ODDS)]
    style = fixed.get("style") or STYLES[rng.choice(4, p=STYLE_ODDS)]
    hsl = random_color(rng, color)
    radius = float(rng.uniform(.5, .8))
    background, gradient = random_background(rng, color)
    x, y = random_place(rng, radius)
    return Scene(shape=shape, form=random_form(rng, shape), hsl=hsl, texture=texture,
                 weave=random_weave(rng, texture, hsl[2]), style=style,
                 ink=random_ink(rng, style, luminance(rgb(hsl))), radius=radius, x=x, y=y,
                 background=background, gradient=gradient)
