"""Learned words: files as diffusers, A1111 and the first release of textual inversion save them, and evoke's read by torch."""
import argparse
import pathlib
import sys

import torch
from safetensors.torch import save_file

GOLDENS = pathlib.Path(__file__).resolve().parents[2] / "Tests/DiffusionTests/Goldens/words"


def write_goldens(seed):
    GOLDENS.mkdir(parents=True, exist_ok=True)
    vectors = torch.randn(2, 5, generator=torch.Generator().manual_seed(seed))
    save_file({"vectors": vectors}, GOLDENS / "expected.safetensors")
    torch.save({"<star>": vectors}, GOLDENS / "diffusers.bin")
    save_file({"emb_params": vectors}, GOLDENS / "parameters.safetensors")
    # AUTOMATIC1111, modules/textual_inversion/textual_inversion.py: Embedding.save
    torch.save({"string_to_token": {"*": 265}, "string_to_param": {"*": torch.nn.Parameter(vectors)}, "name": "star", "step": 499,
                "sd_checkpoint": "cc6cb27103", "sd_checkpoint_name": "v1-5"}, GOLDENS / "automatic.pt")
    # rinongal/textual_inversion, ldm/modules/embedding_manager.py: EmbeddingManager.save, before torch 1.6's archives
    torch.save({"string_to_token": {"*": torch.tensor(265)}, "string_to_param": torch.nn.ParameterDict({"*": torch.nn.Parameter(vectors)})},
               GOLDENS / "first.pt", _use_new_zipfile_serialization=False)
    # That layout names the file of every class: not this machine's folders.
    here = f"{pathlib.Path(torch.__file__).parents[1]}/".encode()
    anywhere = b"/" * (len(here) % 2) + b"./" * (len(here) // 2)
    (GOLDENS / "first.pt").write_bytes((GOLDENS / "first.pt").read_bytes().replace(here, anywhere))


def check(files):
    """torch reads what evoke wrote, with nothing allowed to run."""
    for file in files:
        found = torch.load(file, weights_only=True)
        print(file, {k: v.shape if isinstance(v, torch.Tensor) else v for k, v in found.items()})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--check", nargs="+", help="files that evoke wrote")
    options = parser.parse_args()
    sys.exit(check(options.check) if options.check else write_goldens(options.seed))
