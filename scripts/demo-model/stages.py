"""The stages of training, one process each: `python stages.py NAME --work FOLDER`.

`train` runs them in order; each is resumable and leaves FOLDER/NAME.pt and FOLDER/NAME.jsonl.
"""
import argparse
import os

import torch

import dataset
import trainer

SAMPLES = {"judge": 260_000, "autoencoder": 50_000}
CPU_BATCH = {"judge": 64, "autoencoder": 24}


def folder(work, name):
    return dataset.Pictures(f"{work}/data/{name}")


def judge(work, **options):
    import judge as part
    train, test = folder(work, "train"), folder(work, "test")
    module = part.Judge()
    trainer.Stage(work, "judge", module, part.loss(module, train), batch=64, lr=2e-3, muon=4e-3,
                  evaluate=lambda m: part.accuracies(m, test.pictures, test.labels), **options).run()


def autoencoder(work, **options):
    import autoencoder as part
    train, test = folder(work, "train"), folder(work, "test")
    module = part.make()
    trainer.Stage(work, "autoencoder", module, part.loss(module, train), batch=24, lr=2e-3, muon=5e-3, decay=.4, average=.998,
                  evaluate=lambda m: {"psnr": part.psnr(m, test.pictures[:200])}, **options).run()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("stage")
    options.add_argument("--work", required=True)
    options.add_argument("--samples", type=int)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--rank", type=int, default=0)
    options.add_argument("--processes", type=int, default=1)
    given = options.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(given.seed)
    globals()[given.stage](given.work, samples=given.samples or SAMPLES[given.stage], seed=given.seed)


if __name__ == "__main__":
    main()
