"""A measured side in a process of its own that answers each line of numbers with the seconds of its repeats."""
import subprocess


class Process:
    def __init__(self, *command):
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, *request) -> list[float]:
        print(*request, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().split()
        if not answer:
            raise SystemExit(f"{self.process.args[0]} ended early")
        return [float(seconds) for seconds in answer]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Evoke(Process):
    """The probe's `bench` operation: PART SIDE BATCH REPEATS, the side of the latents or 0 for the model's own."""

    def __init__(self, probe, folder, threads, precision="float32", memory="fast"):
        super().__init__(probe, "bench", folder, threads, precision, memory)
