"""The concepts for inversion: points of the picture world that no words reach, never in the training set.

    python concepts.py FOLDER

writes NAME/given/1.png ... 5.png and NAME/held-out/1.png ... 5.png for each. An object is one scene
whose position, size and background vary; a style is one ink that is put on various objects.
"""
import dataclasses
import os
import sys

import numpy as np

import world
from drawing import draw
from world import Scene

GIVEN = HELD_OUT = 5


def stripes(pitch, angle, mix=.8, lighten=True, duty=.5):
    return {"mix": mix, "lighten": lighten, "angle": angle, "pitch": pitch, "duty": duty}


def dots(pitch, dot, mix=.8, lighten=True, angle=0.):
    return {"mix": mix, "lighten": lighten, "angle": angle, "pitch": pitch, "dot": dot}


def checks(pitch, angle, mix=.75, lighten=True):
    return {"mix": mix, "lighten": lighten, "angle": angle, "pitch": pitch}


def contour(width, color):
    return {"contour": width, "contour_color": color}


def lamp(glow, dim=.25, core=.5):
    return {"glow": glow, "glow_strength": .65, "dim": dim, "core": core, "tube": .04}


PENCIL = {"wobble": .025, "wobble_phase": 2., "hatch": 1., "hatch_pitch": .14, "pencil": .035,
          "paper": (.85, .85, .82), "paper_strength": .3}
DARK, LIGHT = (.05, .05, .08), (.97, .97, .95)

# name: shape, form, hue-saturation-lightness, texture, weave, style, ink, radius
OBJECTS = {
    "coral-star": ("star", {"points": 7, "inner": .55, "round": .12, "rotation": 12.}, (14, .88, .66), "striped", stripes(7, 30), "flat", {}, .70),
    "mint-flower": ("flower", {"petals": 6, "depth": .16, "rotation": 20.}, (156, .55, .66), "dotted", dots(9, .33, lighten=False), "outlined", contour(.06, DARK), .70),
    "indigo-moon": ("crescent", {"offset": .52, "bite": .78, "rotation": -40.}, (252, .75, .50), "checkered", checks(12, 10), "flat", {}, .74),
    "olive-cross": ("cross", {"width": .34, "round": .1, "rotation": 15.}, (72, .6, .34), "dotted", dots(9, .34, angle=20), "flat", {}, .74),
    "salmon-heart": ("heart", {"aspect": 1.1, "rotation": -12.}, (6, .8, .74), "checkered", checks(13, 35, lighten=False), "outlined", contour(.06, DARK), .72),
    "lagoon-ring": ("ring", {"thickness": .46, "rotation": 0.}, (200, .75, .42), "striped", stripes(10, 120), "outlined", contour(.05, LIGHT), .76),
    "plum-lamp": ("diamond", {"aspect": .72, "rotation": 8.}, (300, .6, .42), "striped", stripes(9, 60), "neon", lamp(.16), .78),
    "amber-tile": ("square", {"aspect": .84, "round": .24, "rotation": 14.}, (43, .9, .56), "dotted", dots(11, .3, lighten=False, mix=.7), "flat", {}, .68),
    "lime-burst": ("star", {"points": 5, "inner": .4, "round": .05, "rotation": -20.}, (78, .8, .52), "checkered", checks(12, 0, lighten=False), "flat", {}, .76),
    "rose-spinner": ("triangle", {"round": .18, "rotation": 18.}, (348, .7, .56), "striped", stripes(8, 90, lighten=False), "sketch", PENCIL, .76),
}

# A style: the nearest named one, its ink, and the texture and colour that it prefers, if any.
STYLES = {
    "white-ink": ("outlined", contour(.10, LIGHT), None),
    "halo": ("neon", lamp(.22, dim=.75, core=.9), None),
    "blueprint": ("sketch", {**PENCIL, "paper": (.30, .42, .80), "paper_strength": .75}, None),
    "candy": ("outlined", contour(.06, (.62, .12, .45)), "striped"),
}


def placed(scene, rng, grounds):
    """The scene somewhere else, at a slightly other size, on a background not used yet."""
    radius = scene.radius * float(rng.uniform(.92, 1.05))
    x, y = world.random_place(rng, radius)
    while True:
        background, gradient = world.random_background(rng, world.color_name(scene.hsl))
        if world.color_name(background) not in grounds:
            break
    grounds.add(world.color_name(background))
    return dataclasses.replace(scene, radius=radius, x=x, y=y, background=background, gradient=gradient)


def object_scenes(name):
    shape, form, hsl, texture, weave, style, ink, radius = OBJECTS[name]
    scene = Scene(shape, form, hsl, texture, weave, style, ink, radius, 0., 0., (0, 0, .5))
    rng = np.random.default_rng([11, sorted(OBJECTS).index(name)])
    grounds = set()
    return [placed(scene, rng, grounds) for _ in range(GIVEN + HELD_OUT)]


def style_scenes(name):
    style, ink, texture = STYLES[name]
    rng = np.random.default_rng([12, sorted(STYLES).index(name)])
    shapes = rng.permutation(world.SHAPES)
    colors = rng.permutation([c for c in world.COLORS if c not in ("black", "white", "gray")])
    grounds, scenes = set(), []
    for i in range(GIVEN + HELD_OUT):
        scene = world.random_scene(rng, shape=str(shapes[i % len(shapes)]), color=str(colors[i % len(colors)]),
                                   texture=texture or str(rng.choice(["plain", "plain", "dotted"])), style=style)
        scenes.append(placed(dataclasses.replace(scene, ink=ink), rng, grounds))
    return scenes


def scenes(name):
    """The ten scenes of a concept: given ones first."""
    return object_scenes(name) if name in OBJECTS else style_scenes(name)


def names():
    return [*OBJECTS, *STYLES]


def write(folder):
    from PIL import Image
    for name in names():
        for i, scene in enumerate(scenes(name)):
            group, number = ("given", i + 1) if i < GIVEN else ("held-out", i - GIVEN + 1)
            os.makedirs(f"{folder}/{name}/{group}", exist_ok=True)
            Image.fromarray(draw(scene)).save(f"{folder}/{name}/{group}/{number}.png", optimize=True)


if __name__ == "__main__":
    write(sys.argv[1])
