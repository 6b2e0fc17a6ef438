"""Turns a scene into a picture: signed distances for the shapes, then texture, style and background."""
import colorsys
import functools
import math

import numpy as np

from world import SIZE


def rgb(hsl):
    h, s, l = hsl
    return np.array(colorsys.hls_to_rgb((h % 360) / 360, l, s), np.float32)


@functools.cache
def grid(n):
    """The coordinates of n × n sample points: x to the right, y upwards, both in -1 ... 1."""
    axis = (np.arange(n, dtype=np.float32) + .5) / n * 2 - 1
    return np.ascontiguousarray(np.broadcast_to(axis, (n, n))), np.ascontiguousarray(np.broadcast_to(-axis[:, None], (n, n)))


def turned(x, y, degrees):
    a = math.radians(degrees)
    return x * math.cos(a) + y * math.sin(a), y * math.cos(a) - x * math.sin(a)


def rounded_box(dx, dy, corner):
    return np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0) - corner


def star_distance(form, x, y):
    """`points` tips at distance 1, the notches between them at `inner`, both rounded by `round`."""
    half, corner = math.pi / form["points"], form["round"]
    angle = np.abs(np.mod(np.arctan2(x, y) + half, 2 * half) - half)
    r = np.hypot(x, y)
    px, py = r * np.cos(angle), r * np.sin(angle)
    tip = 1 - corner
    nx, ny = form["inner"] * tip * math.cos(half), form["inner"] * tip * math.sin(half)
    ex, ey = nx - tip, ny
    t = np.clip(((px - tip) * ex + py * ey) / (ex * ex + ey * ey), 0, 1)
    side = np.sign((px - tip) * ey - py * ex)
    return np.hypot(px - tip - t * ex, py - t * ey) * side - corner


def heart_distance(form, x, y):
    scale = .6
    x, y = np.abs(x * scale / form["aspect"]), y * scale + .52
    lobe = np.hypot(x - .25, y - .75) - math.sqrt(2) / 4
    m = .5 * np.maximum(x + y, 0)
    tip = np.sqrt(np.minimum(x * x + (y - 1) ** 2, (x - m) ** 2 + (y - m) ** 2)) * np.sign(x - y)
    return np.where(x + y > 1, lobe, tip) / scale


def triangle_distance(form, x, y):
    """An equilateral triangle of circumradius 1 with its corners rounded by `round`."""
    corner, third = form["round"] * .7, math.pi / 3
    angle = np.abs(np.mod(np.arctan2(x, y), 2 * third) - third)
    r = np.hypot(x, y)
    apothem, half = math.cos(third) - corner, math.sin(third) - corner * math.tan(third)
    u, v = r * np.cos(angle) - apothem, np.maximum(r * np.sin(angle) - half, 0)
    return np.where(u < 0, u, np.hypot(u, v)) - corner


def distance(shape, form, x, y):
    """The signed distance to a shape of radius 1 (negative inside)."""
    if shape == "circle":
        return (np.hypot(x / form["aspect"], y) - 1) * form["aspect"]
    if shape == "square":
        k = form["round"]
        return rounded_box(np.abs(x) - .82 + k, np.abs(y) - .82 * form["aspect"] + k, k)
    if shape == "triangle":
        return triangle_distance(form, x, y + .15)
    if shape == "star":
        return star_distance(form, x, y)
    if shape == "heart":
        return heart_distance(form, x, y)
    if shape == "ring":
        t = form["thickness"]
        return np.abs(np.hypot(x, y) - (1 - t / 2)) - t / 2
    if shape == "cross":
        long, short = np.maximum(np.abs(x), np.abs(y)), np.minimum(np.abs(x), np.abs(y))
        k = form["round"]
        return rounded_box(long - .95 + k, short - form["width"] + k, k)
    if shape == "crescent":
        return np.maximum(np.hypot(x, y) - 1, form["bite"] - np.hypot(x - form["offset"], y))
    if shape == "diamond":
        a = form["aspect"]
        return (np.abs(x) / a + np.abs(y) - 1) / math.sqrt(1 / a ** 2 + 1)
    if shape == "flower":
        n, depth = form["petals"], form["depth"]
        angle, r = np.arctan2(x, y), np.hypot(x, y)
        slope = n * depth * np.sin(n * angle) / np.maximum(r, .3)
        return (r - (1 - depth + depth * np.cos(n * angle))) / np.sqrt(1 + slope ** 2)
    raise KeyError(shape)


def texture_mask(texture, weave, x, y, pixel):
    """Where the second colour goes: stripes (`pitch`, `duty`), dots (`pitch`, `dot`), checks (`pitch`)."""
    pitch = weave["pitch"] * 2 / SIZE
    u, v = (c / pitch for c in turned(x, y, weave["angle"]))
    if texture == "striped":
        off = np.abs(np.mod(u, 1) - .5) * pitch
        return np.clip(.5 + (weave["duty"] * .5 * pitch - off) / pixel, 0, 1)
    if texture == "dotted":
        off = np.hypot(np.mod(u, 1) - .5, np.mod(v, 1) - .5)
        return np.clip(.5 + (weave["dot"] - off) * pitch / pixel, 0, 1)
    a, b = (np.clip(.5 + (np.abs(np.mod(c, 1) - .5) - .25) * pitch / pixel, 0, 1) for c in (u, v))
    return a * b + (1 - a) * (1 - b)


def over(image, color, mask):
    return image + mask[..., None] * (color - image)


def line(d, width, pixel):
    return np.clip(.5 + (width - np.abs(d)) / pixel, 0, 1)


def draw_background(scene, x, y):
    h, s, l = scene.background
    if not scene.gradient:
        return np.broadcast_to(rgb(scene.background), x.shape + (3,))
    span = scene.gradient["span"] / 2
    low, high = rgb((h, s, max(0, l - span))), rgb((h, s, min(1, l + span)))
    t = np.clip(turned(x, y, scene.gradient["angle"])[0] * .4 + .5, 0, 1)
    return low + t[..., None] * (high - low)


def draw(scene, scale=1, oversample=2):
    """The picture as SIZE·scale × SIZE·scale × 3 bytes."""
    n = SIZE * scale * oversample
    pixel = 2 / n
    x, y = grid(n)
    ink = scene.ink
    image = draw_background(scene, x, y)
    dx, dy = x - scene.x, y - scene.y
    sx, sy = (c / scene.radius for c in turned(dx, dy, scene.form.get("rotation", 0)))
    if "wobble" in ink:
        phase = ink["wobble_phase"]
        sx, sy = sx + ink["wobble"] * np.sin(9 * dy + phase), sy + ink["wobble"] * np.sin(8 * dx + 2 * phase)
    d = distance(scene.shape, scene.form, sx, sy) * scene.radius
    inside = np.clip(.5 - d / pixel, 0, 1)

    base = fill = rgb(scene.hsl)
    if scene.texture != "plain":
        second = base + (float(scene.weave["lighten"]) - base) * scene.weave["mix"]
        fill = over(base, second, texture_mask(scene.texture, scene.weave, dx, dy, pixel))
    if "paper" in ink:                       # the ground fades towards the paper
        image = image + (np.float32(ink["paper"]) - image) * ink["paper_strength"]
    if "dim" in ink:                         # the ground goes dark around a lamp
        image = image * ink["dim"]
    if "glow" in ink:
        image = over(image, base, np.exp(-np.maximum(d, 0) / ink["glow"]) * ink["glow_strength"])
    if "core" in ink:                        # a lamp's inside is darker than its tube
        fill = fill * ink["core"]
    if "hatch" in ink:                       # pencil strokes on a pale wash
        pale = fill * .55 + .42
        strokes = line(np.abs(np.mod((dx + dy * .6) / ink["hatch_pitch"], 1) - .5) * ink["hatch_pitch"], .024, pixel)
        fill = fill + (over(pale, fill * .85, strokes * .45) - fill) * ink["hatch"]
    image = over(image, fill, inside)
    if "tube" in ink:
        image = over(image, base * .55 + .45, line(d, ink["tube"], pixel))
    if "pencil" in ink:
        image = over(image, base * .3 + .05, line(d, ink["pencil"], pixel) * .9)
    if "contour" in ink:
        image = over(image, np.float32(ink["contour_color"]), line(d + ink["contour"] * .6, ink["contour"], pixel))
    image = np.clip(image, 0, 1).reshape(n // oversample, oversample, n // oversample, oversample, 3).mean((1, 3))
    return (image * 255 + .5).astype(np.uint8)


def sheet(pictures, columns):
    """Pictures side by side, row by row."""
    blank = np.full_like(pictures[0], 255)
    padded = list(pictures) + [blank] * (-len(pictures) % columns)
    return np.concatenate([np.concatenate(padded[i:i + columns], 1) for i in range(0, len(padded), columns)])
