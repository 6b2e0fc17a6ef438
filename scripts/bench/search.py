#!/usr/bin/env python3
"""Times ask + tell against pycma, population 20, sphere: python3 scripts/bench/search.py COMMAND...

COMMAND answers requests of ConformanceProbe/SearchOperations.swift, for example `conformance-probe search` (a release build).
Ratios of milliseconds a generation (pycma / evoke), medians and means over the same number of
generations, in alternating rounds. pycma with one BLAS thread, which is its fastest here.
"""
import json
import os
import statistics
import subprocess
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.pop("OPENBLAS_CORETYPE", None)
import cma  # noqa: E402
import numpy as np  # noqa: E402

PLAN = {16: 400, 64: 400, 256: 200, 768: 120}
ROUNDS = 3


def pycma(dimension, generations, diagonal):
    search = cma.CMAEvolutionStrategy(
        dimension * [1.0], 0.5,
        {"popsize": 20, "verbose": -9, "seed": 1, "CMA_diagonal": diagonal})
    times = []
    for _ in range(generations):
        start = time.perf_counter()
        asked = search.ask()
        drawn = time.perf_counter()
        losses = [float(np.dot(x, x)) for x in asked]
        evaluated = time.perf_counter()
        search.tell(asked, losses)
        times.append(1e3 * (drawn - start + time.perf_counter() - evaluated))
    return times[5:]


def evoke(command, dimension, generations, diagonal):
    request = dict(task="time", dimension=dimension, population=20, generations=generations,
                   covariance="separable" if diagonal else "full")
    done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["milliseconds"][5:]


command = sys.argv[1:] or sys.exit(__doc__)
print("| d | covariance | pycma ms, median / mean | evoke ms, median / mean | ratio of medians | of means |")
print("|---|---|---|---|---|---|")
for diagonal in (False, True):
    for dimension, generations in PLAN.items():
        theirs, ours = [], []
        for _ in range(ROUNDS):
            theirs += pycma(dimension, generations, diagonal)
            ours += evoke(command, dimension, generations, diagonal)
        a, b = statistics.median(theirs), statistics.mean(theirs)
        c, d = statistics.median(ours), statistics.mean(ours)
        print(f"| {dimension} | {'separable' if diagonal else 'full'} | {a:.3f} / {b:.3f} | "
              f"{c:.3f} / {d:.3f} | {a / c:.1f} | {b / d:.1f} |", flush=True)
