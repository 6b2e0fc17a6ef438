#!/usr/bin/env python3
"""How long evoke takes to start, beside other programs: medians in milliseconds.

  scripts/bench/startup.py [EVOKE]      the program, .build/release/evoke if left out

The prompt is timed on a terminal of its own, from the start of the process to the prompt's text; everything else from
start to end. Programs that are not installed are left out.
"""
import os
import pty
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

REPEATS = 21


def until_end(command):
    start = time.perf_counter()
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def until_prompt(command, prompt):
    start = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        os.execv(command[0], command)
    seen = b""
    while prompt not in seen:
        if not select.select([terminal], [], [], 30)[0]:
            raise SystemExit(f"{command[0]} shows no prompt")
        seen += os.read(terminal, 4096)
    passed = time.perf_counter() - start
    os.write(terminal, b"\x04")
    try:
        while os.read(terminal, 4096):
            pass
    except OSError:
        pass  # the terminal is gone with the program
    os.waitpid(child, 0)
    return passed


def main():
    evoke = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/release/evoke")
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(EVOKE_HOME=home, TERM="xterm-256color")
        empty = os.path.join(home, "empty.evk")
        open(empty, "w").close()
        measures = [
            ("evoke: prompt", lambda: until_prompt([evoke], b"evoke> ")),
            ("evoke run empty.evk", lambda: until_end([evoke, "run", empty])),
            ("python3 -c pass", lambda: until_end([sys.executable, "-c", "pass"])),
        ]
        for name, arguments in [("ipython", ["-c", "pass"]), ("julia", ["-e", "nothing"])]:
            if found := shutil.which(name):
                measures.append((" ".join([name] + arguments), lambda c=[found] + arguments: until_end(c)))
        times = {name: [] for name, _ in measures}
        # In turn, so that what else the machine does meets all of them alike.
        for _ in range(REPEATS):
            for name, measure in measures:
                times[name].append(measure() * 1000)
        for name, values in times.items():
            print(f"{name:22} {statistics.median(values):8.1f} ms   least {min(values):.1f}")


main()
