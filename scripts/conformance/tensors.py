#!/usr/bin/env python3
"""Goldens for the Tensors tests: torch's layers, numpy's arithmetic, mpmath's functions, torch's draws.

  tensors.py [--seed N] [--output FOLDER]

Without --output the goldens in Tests/TensorsTests/Goldens are rewritten. To check other shapes and
values than the committed ones: write them elsewhere under another seed and run
  EVOKE_TENSOR_GOLDENS=FOLDER swift test --filter TensorsTests
Expected layer outputs are computed in float64 from the float32 inputs, and rounded.
"""
import argparse
import base64
import json
import math
import pathlib
import random

import mpmath
import numpy as np
import torch
import torch.nn.functional as F

GOLDENS = pathlib.Path(__file__).resolve().parents[2] / "Tests/TensorsTests/Goldens"


def tensor(x):
    x = np.asarray(x.numpy() if isinstance(x, torch.Tensor) else x, dtype=np.float32)
    return {"shape": list(x.shape), "data": base64.b64encode(x.tobytes()).decode()}  # row-major


def case(name, numbers=None, **tensors):
    return {"name": name, "numbers": numbers or {}, "tensors": {k: tensor(v) for k, v in tensors.items()}}


def layers(draw, pick):
    """Linear, convolution, norms and activations at odd shapes."""
    cases = []
    for activation, function in {
            "none": lambda x: x, "silu": F.silu, "gelu": F.gelu, "relu": F.relu,
            "geluTanh": lambda x: F.gelu(x, approximate="tanh"),
            "quickGELU": lambda x: x * torch.sigmoid(1.702 * x)}.items():
        m, k, n = pick(1, 19), pick(1, 60), pick(1, 50)
        x, w, b, r = draw(m, k), draw(n, k), draw(n), draw(m, n)
        y = function(F.linear(x.double(), w.double(), b.double()) + r.double())
        cases.append(case(f"linear {activation}", x=x, weight=w, bias=b, residual=r, y=y))
    for size, stride, padding in ((3, 1, 1), (3, 1, 0), (3, 2, 1), (1, 1, 0), (5, 2, 2), (3, 1, 1), (4, 3, 1)):
        n, i, o, h, w = pick(1, 2), pick(1, 20), pick(1, 19), pick(5, 8), pick(5, 8)
        x, k, b, p = draw(n, i, h, w), draw(o, i, size, size), draw(o), draw(n, o)
        y = F.conv2d(x.double(), k.double(), b.double(), stride, padding) + p.double()[:, :, None, None]
        r = draw(*y.shape)
        cases.append(case(
            "convolution", {"stride": stride, "padding": padding}, x=x, weight=k, bias=b, perSample=p,
            residual=r, y=y + r.double()))
    for _ in range(3):
        groups, width, n, h = pick(1, 8), pick(1, 7), pick(1, 3), pick(2, 9)
        c = groups * width
        x, w, b = draw(n, c, h, 3) * 3 + 10, draw(c), draw(c)
        y = F.silu(F.group_norm(x.double(), groups, w.double(), b.double(), 1e-5))
        cases.append(case("groupNorm", {"groups": groups, "epsilon": 1e-5}, x=x, weight=w, bias=b, y=y))
        x = draw(n, h, c) + 5
        y = F.layer_norm(x.double(), (c,), w.double(), b.double(), 1e-6)
        cases.append(case("layerNorm", {"epsilon": 1e-6}, x=x, weight=w, bias=b, y=y))
        cases.append(case("softmax", x=x * 4, y=torch.softmax(x.double() * 4, -1)))
        x = draw(h, 2 * c)
        cases.append(case("gatedGELU", x=x, y=x[:, :c].double() * F.gelu(x[:, c:].double())))
        x = draw(n, c, min(h, 4), 3)
        cases.append(case("upsample", x=x, y=F.interpolate(x, scale_factor=2, mode="nearest")))
    return cases


def attentions(draw, pick):
    cases = []
    for causal, keys in ((False, None), (True, 0), (False, 700), (True, 0), (False, 1)):
        n, heads, d, q = pick(1, 2), pick(1, 3), pick(3, 24), pick(1, 50)
        k = q if keys == 0 else keys or pick(1, 60)
        if k > 512:
            n, heads, d, q = 1, 1, pick(3, 9), pick(30, 40)
        x = {name: draw(n, length, heads * d) * 1.5 for name, length in (("q", q), ("k", k), ("v", k))}
        split = {name: t.double().view(n, -1, heads, d).transpose(1, 2) for name, t in x.items()}
        y = F.scaled_dot_product_attention(split["q"], split["k"], split["v"], is_causal=causal)
        cases.append(case(
            "attention", {"heads": heads, "causal": int(causal)}, y=y.transpose(1, 2).reshape(n, q, heads * d), **x))
    return cases


def gradient(name, function, inputs, dy_draw, numbers=None, **others):
    """torch's vector-Jacobian product in float64, itself held against finite differences."""
    doubles = [x.double().requires_grad_() for x in inputs.values()]
    y = function(*doubles)
    torch.autograd.gradcheck(function, doubles, atol=1e-6)
    dy = dy_draw(*y.shape)
    results = torch.autograd.grad(y, doubles, dy.double())
    return case(name, numbers, dy=dy, **inputs, **{f"d{k}": g for k, g in zip(inputs, results)}, **others)


def gradients(draw, pick):
    """The vector-Jacobian products of the layers, with respect to their inputs."""
    functions = {"silu": F.silu, "gelu": F.gelu, "relu": F.relu, "geluTanh": lambda x: F.gelu(x, approximate="tanh"),
                 "quickGELU": lambda x: x * torch.sigmoid(1.702 * x)}
    cases = [gradient(f"activation {name}", f, {"x": draw(pick(20, 40)) * 3}, draw) for name, f in functions.items()]
    for _ in range(2):
        w = draw(pick(2, 40), pick(2, 50))
        cases.append(gradient("linear", lambda x: F.linear(x, w.double()), {"x": draw(3, w.shape[1])}, draw, weight=w))
    for size, stride, padding, i, o in ((3, 1, 1, 17, 19), (3, 1, 1, 16, 4), (3, 1, 1, 4, 16), (3, 2, 1, 5, 18), (1, 1, 0, 7, 5), (5, 2, 2, 3, 4),
                                        (3, 2, 0, 2, 3), (4, 3, 1, 3, 2)):
        k, h, w = draw(o, i, size, size), pick(5, 7), pick(5, 7)
        cases.append(gradient("convolution", lambda x: F.conv2d(x, k.double(), None, stride, padding), {"x": draw(1, i, h, w)}, draw,
                              {"stride": stride, "padding": padding}, weight=k))
    for activation in (None, "silu", "gelu"):
        groups, width = pick(1, 4), pick(1, 5)
        w, b = draw(groups * width), draw(groups * width)
        f = functions.get(activation, lambda x: x)
        cases.append(gradient(f"groupNorm {activation or 'none'}", lambda x: f(F.group_norm(x, groups, w.double(), b.double(), 1e-5)),
                              {"x": draw(2, len(w), 3, 4) * 3 + 2}, draw, {"groups": groups, "epsilon": 1e-5}, weight=w, bias=b))
    w, b = draw(21), draw(21)
    cases.append(gradient("layerNorm", lambda x: F.layer_norm(x, (21,), w.double(), b.double(), 1e-6), {"x": draw(3, 21) * 2 + 3}, draw,
                          {"epsilon": 1e-6}, weight=w, bias=b))
    cases.append(gradient("gatedGELU", lambda x: x[:, :19] * F.gelu(x[:, 19:]), {"x": draw(3, 38)}, draw))
    for (h, w), (to_h, to_w) in (((3, 4), (6, 8)), ((3, 2), (5, 3))):
        cases.append(gradient("enlargement", lambda x: F.interpolate(x, size=(to_h, to_w), mode="nearest"), {"x": draw(2, 3, h, w)}, draw))
    for causal, n, heads, d, q, k in ((0, 2, 2, 5, 4, 6), (1, 1, 2, 17, 7, 7), (0, 1, 1, 3, 35, 2)):
        def attend(q, k, v):
            split = [x.view(n, -1, heads, d).transpose(1, 2) for x in (q, k, v)]
            return F.scaled_dot_product_attention(*split, is_causal=bool(causal)).transpose(1, 2).reshape(n, -1, heads * d)
        inputs = {name: draw(n, length, heads * d) for name, length in (("q", q), ("k", k), ("v", k))}
        cases.append(gradient("attention", attend, inputs, draw, {"heads": heads, "causal": causal}))
    return cases


def arithmetic(draw, pick):
    """numpy's broadcasting, reductions and products."""
    cases = []
    shapes = [((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 1), (1, 5)), ((2, 1, 3), (4, 1)), ((), (2, 3)), ((1,), (3, 2, 1)),
              ((2, 3, 1, 2), (3, 4, 1)), ((0, 3), (1, 3))]
    for operation in (np.add, np.subtract, np.multiply, np.divide):
        for a, b in shapes:
            x, y = draw(*a).numpy(), draw(*b).numpy()
            cases.append(case(operation.__name__, a=x, b=y, y=operation(x, y)))
    for a, b in (((4, 5), (5, 3)), ((5,), (5, 3)), ((4, 5), (5,)), ((5,), (5,)), ((2, 4, 5), (5, 3)), ((3, 1, 2, 7), (4, 7, 5)),
                 ((1, 1), (1, 1)), ((17, 33), (33, 18))):
        x, y = draw(*a), draw(*b)
        cases.append(case("matmul", a=x, b=y, y=np.matmul(x.double().numpy(), y.double().numpy())))
    for shape, axes in (((3, 4, 5), [0]), ((3, 4, 5), [1]), ((3, 4, 5), [2, 0]), ((3, 4, 5), [-1]), ((3, 4, 5), [0, 1, 2]),
                        ((7,), [0]), ((2, 37), [1]), ((1, 1), [1])):
        x = draw(*shape).numpy()
        for name in ("sum", "mean", "std", "min", "max"):
            y = getattr(x.astype(np.float64), name)(axis=tuple(axes), keepdims=True)
            cases.append(case(name, {"axes": axes}, x=x, y=y))
    return cases


def bits(x):
    return np.float64(x).view(np.uint64).item()


def elementary(seed):
    """Correctly rounded doubles, as bit patterns: [input…, expected]."""
    r = random.Random(seed)
    mpmath.mp.dps = 400
    spread = lambda low, high: [r.uniform(low, high) for _ in range(60)]
    tiny = [r.choice((-1, 1)) * 2.0 ** r.uniform(-1000, 0) for _ in range(60)]
    huge = [r.choice((-1, 1)) * 2.0 ** r.uniform(10, 1023) for _ in range(60)]
    inputs = {
        "exp": spread(-745, 709.7) + tiny + [709.78, -745.1, -708.5, 0.0],
        "log": [abs(x) for x in tiny + huge] + spread(0.5, 2) + [5e-324, 1.7976931348623157e308, 1.0],
        "sin": spread(-7, 7) + tiny + huge + [math.pi * k / 4 for k in range(1, 40)] + [6381956970095103 * 2.0**797],
        "cos": spread(-7, 7) + tiny + huge + [math.pi * k / 4 for k in range(1, 40)] + [6381956970095103 * 2.0**797],
        "tanh": spread(-3, 3) + spread(-25, 25) + tiny + huge,
        "erf": spread(-1.5, 1.5) + spread(-7, 7) + tiny + huge,
    }
    result = {name: [[bits(x), bits(float(getattr(mpmath, name)(mpmath.mpf(x))))] for x in xs] for name, xs in inputs.items()}
    powers = []
    while len(powers) < 200:
        x, y = 2.0 ** r.uniform(-40, 40), r.uniform(-60, 60)
        if len(powers) % 2:
            x, y = r.uniform(0.9, 1.1), r.uniform(-3000, 3000)
        exact = mpmath.mpf(x) ** mpmath.mpf(y)
        if 1e-300 < exact < 1e300:
            powers.append([bits(x), bits(y), bits(float(exact))])
    result["pow"] = powers
    from scipy.special import ndtri
    result["normalQuantile"] = [[bits(p), bits(ndtri(p))] for p in spread(0, 1) + [2.0**-54, 1e-12, 1e-5, 0.075, 0.925, 1 - 1e-9]]
    return result


def draws():
    """What torch's CPU generator gives, call after call."""
    runs = []
    for seed in (0, 7, 1234567, 2**32 + 5, 2**63 + 11):
        generator = torch.Generator().manual_seed(seed if seed < 2**63 else seed - 2**64)
        calls = []
        for kind, shape in (("randn", [4]), ("randn", [1, 4, 8, 8]), ("randn", [3]), ("rand", [5]), ("randn", [15]),
                            ("randn", [16]), ("randn", [17]), ("randint", [9]), ("randn", [3, 67]), ("randn", [2])):
            if kind == "randint":
                calls.append({"kind": kind, "bound": 1000, "integers": torch.randint(0, 1000, shape, generator=generator).tolist()})
            else:
                calls.append({"kind": kind, **tensor(getattr(torch, kind)(shape, generator=generator))})
        runs.append({"seed": str(seed), "calls": calls})
    return runs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--output", type=pathlib.Path, default=GOLDENS)
    options = parser.parse_args()
    generator, r = torch.Generator().manual_seed(options.seed), random.Random(options.seed)
    draw = lambda *shape: torch.randn(shape, generator=generator)
    options.output.mkdir(parents=True, exist_ok=True)
    for name, value in {
            "layers": layers(draw, r.randint), "attention": attentions(draw, r.randint),
            "arithmetic": arithmetic(draw, r.randint), "elementary": elementary(options.seed), "draws": draws(),
            "gradients": gradients(draw, r.randint)}.items():
        text = json.dumps(value, separators=(",", ":"))
        (options.output / f"{name}.json").write_text(text + "\n")
        print(f"{name}.json: {len(text) // 1024} KiB")


if __name__ == "__main__":
    main()
