"""The stages of training, one process each: `python stages.py NAME --work FOLDER`.

`train` runs them in order; each is resumable and leaves FOLDER/NAME.pt and FOLDER/NAME.jsonl.
"""
import argparse
import os

import numpy as np
import torch
from diffusers.models.attention_processor import AttnProcessor

import dataset
import tokenizer
import trainer

SAMPLES = {"judge": 260_000, "autoencoder": 36_000, "text": 115_000,
           "decoder": 6_000, "denoiser": 183_000, "image": 180_000, "captioner": 42_000, "perceptual": 80_000}


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


def text(work, **options):
    import judge as judging
    import text as part
    train, test = folder(work, "train"), folder(work, "test")
    teacher = trainer.load_averaged(work, "judge", judging.Judge())
    words = tokenizer.load(f"{work}/tokenizer")
    ids, test_ids = part.token_ids(train, words), part.token_ids(test, words)
    features = part.judge_features(teacher, train)
    module = part.Pairing(part.make(len(words)))
    end = words.eos_token_id
    trainer.Stage(work, "text", module, part.loss(module, train, ids, features, end), batch=192, lr=1.5e-3, muon=4e-3,
                  evaluate=lambda m: part.variance_shares(m, test, test_ids, end), **options).run()


def taught(work):
    """The judge, the tokenizer and the text tower (with its map of the judge's features), all frozen."""
    import judge as judging
    import text as part
    words = tokenizer.load(f"{work}/tokenizer")
    pairing = trainer.load_averaged(work, "text", part.Pairing(part.make(len(words))))
    return trainer.load_averaged(work, "judge", judging.Judge()), words, pairing


def latents(work, name):
    """A data set's latents by the frozen encoder, made when first asked for, and their scale."""
    import autoencoder as part
    path, data = f"{work}/data/{name}/latents.npy", folder(work, name)
    if not os.path.exists(path):
        part.write_latents(trainer.load_averaged(work, "autoencoder", part.make()), data, path)
    return np.load(path, mmap_mode="r")


def decoder(work, **options):
    import autoencoder as part
    train, test = folder(work, "train"), folder(work, "test")
    module = trainer.load_averaged(work, "autoencoder", part.make())
    for half in (module.decoder, module.post_quant_conv):
        half.requires_grad_(True)
    trainer.Stage(work, "decoder", module, part.decoder_loss(module, train), batch=24, lr=1e-3, muon=2.5e-3, decay=.6, average=.998,
                  evaluate=lambda m: {"psnr": part.psnr(m, test.pictures[:200])}, **options).run()


def denoiser(work, **options):
    import denoiser as part
    _, words, pairing = taught(work)
    train, test = latents(work, "train"), latents(work, "test")
    ids, test_ids = (np.load(f"{work}/data/{n}/ids.npy") for n in ("train", "test"))
    scale, end = latent_scale(work), words.eos_token_id
    module = part.make()
    module.set_attn_processor(AttnProcessor())      # twice as fast as the fused kernel at these sizes
    trainer.Stage(work, "denoiser", module, part.loss(module, pairing.text_model, train, ids, end, scale),
                  batch=48, lr=1e-3, muon=3e-3, warmup=200, decay=.25, average=.999,
                  evaluate=lambda m: part.fixed_error(m, pairing.text_model, test, test_ids, end, scale), evaluate_every=1000, **options).run()


def image(work, **options):
    import image as part
    import text
    teacher, words, pairing = taught(work)
    train, test = folder(work, "train"), folder(work, "test")
    ids, features = text.token_ids(train, words), text.judge_features(teacher, train)
    clip = text.make(len(words))
    clip.text_model, clip.text_projection = pairing.text_model, pairing.text_projection
    module = part.Looking(clip)
    trainer.Stage(work, "image", module, part.loss(module, pairing, teacher, train, ids, features, words), batch=128, lr=1.5e-3, muon=4e-3,
                  evaluate=lambda m: part.zero_shot(clip, words, test.pictures[:1500], test.labels[:1500]), **options).run()


def captioner(work, **options):
    import captioner as part
    import image
    import text
    _, words, _ = taught(work)
    train, test = folder(work, "train"), folder(work, "test")
    looking = trainer.load_averaged(work, "image", image.Looking(text.make(len(words))))
    bert = part.make_tokenizer()
    module = part.make(bert, looking)
    trainer.Stage(work, "captioner", module, part.loss(module, bert, train), batch=64, lr=1e-3, muon=2e-3,
                  evaluate=lambda m: part.accuracies(m, bert, test.pictures[:500], test.labels[:500]), **options).run()


def perceptual(work, **options):
    import perceptual as part
    train, test = folder(work, "train"), folder(work, "test")
    module = part.Naming()
    trainer.Stage(work, "perceptual", module, part.loss(module, train), batch=64, lr=2e-3, muon=4e-3, **options).run()


def latent_scale(work):
    """One over the deviation of the training latents: the autoencoder's scaling_factor."""
    z = latents(work, "train")[:2000].astype(np.float32)
    z = z[:, :4] + z[:, 4:] * np.random.default_rng(0).standard_normal(z[:, 4:].shape, np.float32)
    return round(float(1 / z.std()), 5)


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
    if given.processes > 1:
        torch.distributed.init_process_group("gloo", init_method=f"file://{os.path.abspath(given.work)}/{given.stage}.meeting",
                                             rank=given.rank, world_size=given.processes)
    globals()[given.stage](given.work, samples=given.samples or SAMPLES[given.stage], seed=given.seed,
                           rank=given.rank, processes=given.processes)


if __name__ == "__main__":
    main()
