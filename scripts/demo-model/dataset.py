"""The training and test pictures, on disk as arrays: pictures.npy, labels.npy, captions.json.

    python dataset.py FOLDER COUNT SEED

Scene number i of a seed is always the same scene, whatever the number of workers.
"""
import json
import multiprocessing
import os
import sys

import numpy as np

CAPTIONS = 4
CHUNK = 500


def scene_of(seed, index):
    """Scene `index` of a data set, and the generator that its captions continue from."""
    from world import random_scene
    rng = np.random.default_rng([seed, index])
    return random_scene(rng), rng


def make_chunk(job):
    from captions import caption
    from drawing import draw
    from world import labels
    folder, seed, start, stop = job
    pictures = np.load(f"{folder}/pictures.npy", mmap_mode="r+")
    named = np.load(f"{folder}/labels.npy", mmap_mode="r+")
    texts = []
    for i in range(start, stop):
        scene, rng = scene_of(seed, i)
        pictures[i], named[i] = draw(scene), labels(scene)
        texts.append([caption(rng, scene) for _ in range(CAPTIONS)])
    return texts


def make(folder, count, seed, workers=None):
    """Writes a data set, unless it is there."""
    from world import ATTRIBUTES, SIZE
    if os.path.exists(f"{folder}/captions.json"):
        return
    os.makedirs(folder, exist_ok=True)
    new = lambda name, shape: np.lib.format.open_memmap(f"{folder}/{name}.npy", "w+", np.uint8, shape).flush()
    new("pictures", (count, SIZE, SIZE, 3))
    new("labels", (count, len(ATTRIBUTES)))
    jobs = [(folder, seed, i, min(count, i + CHUNK)) for i in range(0, count, CHUNK)]
    with multiprocessing.Pool(workers) as pool:
        texts = [text for chunk in pool.imap(make_chunk, jobs) for text in chunk]
    with open(f"{folder}/captions.json.part", "w") as file:
        json.dump(texts, file)
    os.replace(f"{folder}/captions.json.part", f"{folder}/captions.json")


class Pictures:
    """A data set, read as it is needed."""

    def __init__(self, folder):
        self.folder = folder
        self.pictures = np.load(f"{folder}/pictures.npy", mmap_mode="r")
        self.labels = np.load(f"{folder}/labels.npy").astype(np.int64)

    def __len__(self):
        return len(self.labels)

    def captions(self):
        with open(f"{self.folder}/captions.json") as file:
            return json.load(file)


if __name__ == "__main__":
    make(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
