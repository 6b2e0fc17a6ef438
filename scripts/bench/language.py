"""The language beside CPython: the time that 100,000 turns of loops of scalar arithmetic take.

    language.py EVOKE        EVOKE: the release build of the program

Each loop runs once with few and once with many turns in a process of its own; the difference of the
medians is the loop's, without the start of the process.
"""
import statistics
import subprocess
import sys
import tempfile
import time

EVOKE = sys.argv[1]
TURNS, REPEATS = 2_000_000, 5
LOOPS = {
    "whole numbers, at the top level": (
        "total = 0;\nfor i in 0..<{n} {{ total = total + i * i % 7 }}\nprint(total)\n",
        "total = 0\nfor i in range({n}):\n    total = total + i * i % 7\nprint(total)\n"),
    "fractions, in a function": (
        "func f(n) {{\n  x = 0.0\n  for i in 0..<n {{ x = x * 0.5 + i / 3.0 - 1.25 }}\n  return x\n}}\nprint(f({n}))\n",
        "def f(n):\n    x = 0.0\n    for i in range(n):\n        x = x * 0.5 + i / 3.0 - 1.25\n    return x\nprint(f({n}))\n"),
    "while and if": (
        "n = {n};\ni = 0;\nodd = 0;\nwhile i < n {{\n  if i % 2 == 1 {{ odd = odd + 1 }}\n  i = i + 1\n}}\nprint(odd)\n",
        "n = {n}\ni = 0\nodd = 0\nwhile i < n:\n    if i % 2 == 1:\n        odd = odd + 1\n    i = i + 1\nprint(odd)\n"),
    "calls of a function": (
        "func g(x) {{ return x * 2 + 1 }}\ns = 0;\nfor i in 0..<{n} {{ s = s + g(i) }}\nprint(s)\n",
        "def g(x): return x * 2 + 1\ns = 0\nfor i in range({n}):\n    s = s + g(i)\nprint(s)\n"),
}


def run(command, text, suffix):
    with tempfile.NamedTemporaryFile("w", suffix=suffix) as file:
        file.write(text)
        file.flush()
        start = time.perf_counter()
        shown = subprocess.run([*command, file.name], check=True, capture_output=True, text=True).stdout
        return time.perf_counter() - start, shown.split()[0]


def cost(command, text, suffix):
    """Milliseconds for 100,000 turns, and what the loop printed."""
    medians = []
    for turns in (1000, TURNS):
        runs = [run(command, text.format(n=turns), suffix) for _ in range(REPEATS)]
        medians.append(statistics.median(seconds for seconds, _ in runs))
    return (medians[1] - medians[0]) / TURNS * 1e5 * 1e3, runs[0][1]


print(f"{'100,000 turns, ms':34}{'evoke':>8}{'CPython':>9}{'ratio':>7}")
worst = 0
for name, (ours, theirs) in LOOPS.items():
    a, seen = cost([EVOKE, "run"], ours, ".evk")
    b, expected = cost([sys.executable], theirs, ".py")
    assert seen == expected, (name, seen, expected)
    worst = max(worst, a / b)
    print(f"{name:34}{a:8.2f}{b:9.2f}{a / b:7.2f}")
print(f"worst ratio {worst:.2f} (at most 3 is the aim)")
sys.exit(worst > 3)
