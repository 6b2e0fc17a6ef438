#!/usr/bin/env python3
"""Compares CMA-ES with pycma, and makes the goldens of Tests/EvolutionTests/Goldens.

    python3 scripts/conformance/search.py --goldens [--seed 1]   writes trajectories.json
    python3 scripts/conformance/search.py --probe COMMAND...     replays live, counts evaluations

COMMAND reads a request on standard input and answers on standard output (see ConformanceProbe/SearchOperations.swift),
for example `conformance-probe search`.

pycma draws with the normal draws that are handed to evoke. Two of its arbitrary choices are fixed:
the signs of eigenvectors (their component of largest magnitude is made positive, as evoke does),
and the step-size rule, CSA in every dimension. Its tiny initial spread of variances, a guard
against equal eigenvalues, is handed to evoke as initial standard deviations.
"""
import argparse
import json
import math
import pathlib
import statistics
import subprocess
import sys
import warnings

import cma
import numpy as np

warnings.simplefilter("ignore")
GENERATIONS, POPULATION, SIGMA = 30, 20, 0.3
FUNCTIONS = ["sphere", "ellipsoid", "cigar", "tablet", "rosenbrock", "differentPowers"]


def value(name, x):
    x = np.asarray(x)
    n = max(1, len(x) - 1)
    if name == "sphere":
        return float(np.sum(x**2))
    if name == "ellipsoid":
        return float(np.sum(10 ** (6 * np.arange(len(x)) / n) * x**2))
    if name == "cigar":
        return float(x[0] ** 2 + 1e6 * np.sum(x[1:] ** 2))
    if name == "tablet":
        return float(1e6 * x[0] ** 2 + np.sum(x[1:] ** 2))
    if name == "rosenbrock":
        return float(np.sum(100 * (x[:-1] ** 2 - x[1:]) ** 2 + (x[:-1] - 1) ** 2))
    return float(np.sum(np.abs(x) ** (2 + 10 * np.arange(len(x)) / n)))


def signed_eigh(matrix):
    values, vectors = np.linalg.eigh(matrix)
    peak = np.abs(vectors).argmax(0)
    return values, vectors * np.sign(vectors[peak, np.arange(len(values))])


def normals(seed, rows, columns):
    """Box and Muller on SplitMix64: the tests make the same draws."""
    state, draws = seed, []
    mask = (1 << 64) - 1

    def uniform():
        nonlocal state
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return (((z ^ (z >> 31)) >> 11) + 0.5) * 2.0**-53

    while len(draws) < rows * columns:
        radius, angle = math.sqrt(-2 * math.log(uniform())), 2 * math.pi * uniform()
        draws.append(radius * math.cos(angle))
    return np.array(draws).reshape(rows, columns)


def reference(dimension, kind, function, seed, active=True):
    draws = []

    def randn(rows, columns):
        draws.append(normals(seed * 1_000_003 + len(draws), rows, columns))
        return draws[-1]

    mean = normals(seed, 1, dimension)[0]
    search = cma.CMAEvolutionStrategy(
        mean.tolist(), SIGMA,
        {"popsize": POPULATION, "verbose": -9, "seed": np.nan, "randn": randn, "CMA_active": active,
         "CMA_diagonal": kind == "separable", "CMA_eigenmethod": signed_eigh,
         "AdaptSigma": cma.sigma_adaptation.CMAAdaptSigmaCSA})
    draws.clear()
    for _ in range(GENERATIONS):
        asked = search.ask()
        search.tell(asked, [value(function, x) for x in asked])
    if kind == "full":
        matrix = np.asarray(search.sm.C)
        matrix = (matrix + matrix.T) / 2
        deviations = np.exp(0.5e-4 / dimension * np.arange(dimension)).tolist()
    else:
        matrix, deviations = np.diag(search.sigma_vec.scaling**2), None
    case = dict(dimension=dimension, covariance=kind, function=function, seed=seed, active=active,
                population=POPULATION, sigma=SIGMA, start=mean.tolist(), deviations=deviations)
    return case, [d.ravel().tolist() for d in draws], search.mean, search.sigma, matrix


def cases(seed):
    for dimension in (8, 64, 256):
        for kind in ("full", "separable"):
            yield dimension, kind, "ellipsoid", seed
    for dimension in (2, 5, 13, 101):
        for kind in ("full", "separable"):
            yield dimension, kind, "rosenbrock", seed + 1


def write_goldens(seed, folder):
    goldens = []
    for arguments in cases(seed):
        case, _, mean, sigma, matrix = reference(*arguments)
        probe = normals(77, 4, case["dimension"])  # all of C seen through four vectors
        goldens.append(dict(case, mean=mean.tolist(), finalSigma=sigma,
                            variances=np.diag(matrix).tolist(), probed=(probe @ matrix).ravel().tolist()))
    path = folder / "trajectories.json"
    path.write_text(json.dumps(goldens))
    print(f"{path}: {len(goldens)} runs, {path.stat().st_size} bytes")


def ask(probe, request):
    done = subprocess.run(probe, input=json.dumps(request), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"the probe failed: {done.stderr}")
    return json.loads(done.stdout)


def differences(probe, case, draws, mean, sigma, matrix):
    """Largest differences of mean, sigma and covariance after evoke made the same draws."""
    request = dict(task="replay", dimension=case["dimension"], population=POPULATION, sigma=SIGMA,
                   covariance=case["covariance"], function=case["function"], mean=case["start"],
                   draws=draws, schedule="eager")
    if case["deviations"]:
        request["deviations"] = case["deviations"]
    answer = ask(probe, request)
    return [np.abs(np.array(answer["mean"]) - mean).max(), abs(answer["sigma"][0] - sigma),
            np.abs(np.array(answer["covariance"]).reshape(matrix.shape) - matrix).max()]


def compare(seed, probe):
    print("| run | d | covariance | mean | sigma | covariance entries |\n|---|---|---|---|---|---|")
    worst = 0
    for arguments in cases(seed):
        case, *rest = reference(*arguments)
        errors = differences(probe, case, *rest)
        worst = max(worst, *errors)
        print(f"| {case['function']} | {case['dimension']} | {case['covariance']} | "
              + " | ".join(f"{e:.1e}" for e in errors) + " |")
    print(f"\nlargest difference after {GENERATIONS} generations: {worst:.1e}\n")
    return worst < 1e-6


def pycma_evaluations(function, dimension, seeds):
    counts = []
    for seed in seeds:
        start = np.zeros(dimension) if function == "rosenbrock" else normals(seed, 1, dimension)[0]
        search = cma.CMAEvolutionStrategy(
            start, 0.5,
            {"verbose": -9, "seed": seed, "ftarget": 1e-8, "maxfevals": 400_000, "maxiter": 10**9,
             "tolfun": 0, "tolfunhist": 0, "tolx": 0, "tolstagnation": 0, "tolflatfitness": 10**9,
             "tolxstagnation": False, "tolconditioncov": 1e30})
        while not search.stop():
            asked = search.ask()
            search.tell(asked, [value(function, x) for x in asked])
        counts.append(search.best.evals if search.best.f <= 1e-8 else 10**9)
    return counts


def compare_evaluations(probe, seed):
    print("| function | d | pycma | evoke | ratio |\n|---|---|---|---|---|")
    good = True
    for function in FUNCTIONS:
        for dimension in (5, 10, 20):
            seeds = list(range(seed, seed + 20))
            theirs = statistics.median(pycma_evaluations(function, dimension, seeds))
            ours = statistics.median(ask(probe, dict(
                task="evaluations", function=function, dimension=dimension, seeds=seeds))["evaluations"])
            good = good and ours <= 1.1 * theirs
            print(f"| {function} | {dimension} | {theirs:.0f} | {ours:.0f} | {ours / theirs:.3f} |", flush=True)
    print("\nmedian evaluations to 1e-8 over 20 seeds, default populations, sigma 0.5\n")
    return good


def run(probe, seed, work):
    """What scripts/conformance collects: (what, measured, tolerance)."""
    results = []
    for arguments in cases(seed):
        case, draws, mean, sigma, matrix = reference(*arguments)
        errors = differences([str(probe), "search"], case, draws, mean, sigma, matrix)
        what = f"CMA-ES {case['covariance']} d={case['dimension']}, {case['function']}, 30 generations"
        results.append((what, max(errors), 1e-6))
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--goldens", action="store_true")
    parser.add_argument("--out", default="Tests/EvolutionTests/Goldens")
    parser.add_argument("--probe", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if options.goldens:
        write_goldens(options.seed, pathlib.Path(options.out))
    elif options.probe:
        agreed = compare(options.seed, options.probe)
        frugal = compare_evaluations(options.probe, options.seed)
        sys.exit(0 if agreed and frugal else 1)
    else:
        parser.error("--goldens or --probe COMMAND")


if __name__ == "__main__":
    main()
