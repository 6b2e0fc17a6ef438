"""Goldens of Tests/CheckpointsTests/NumpyTests.swift: .npy files as numpy.save writes them.

Every array holds 0, 1, 2, … in C order.
"""
import pathlib
import sys

import numpy as np

folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "Tests/CheckpointsTests/Goldens/numpy")
folder.mkdir(parents=True, exist_ok=True)
for code in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"):
    np.save(folder / f"{code}.npy", np.arange(6, dtype=code).reshape(2, 3))
np.save(folder / "b1.npy", np.array([False, True]))
np.save(folder / "big-f4.npy", np.arange(6, dtype=">f4").reshape(2, 3))
np.save(folder / "big-i8.npy", np.arange(6, dtype=">i8").reshape(2, 3))
np.save(folder / "fortran.npy", np.asfortranarray(np.arange(24, dtype="f4").reshape(2, 3, 4)))
np.save(folder / "scalar.npy", np.float32(0))
np.save(folder / "vector.npy", np.arange(1000, dtype="f4"))
np.save(folder / "empty.npy", np.zeros((0, 3), "f4"))
with open(folder / "version2.npy", "wb") as file:
    np.lib.format.write_array(file, np.arange(6, dtype="f4").reshape(2, 3), version=(2, 0))
np.save(folder / "complex.npy", np.zeros(2, "c8"))
np.save(folder / "text.npy", np.array(["a", "b"]))
