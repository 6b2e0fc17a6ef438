#!/usr/bin/env python3
"""Prints the Chebyshev-fitted coefficients of Sources/Kernels/elementary_double.inc.h's erf.

erf(x) = x P0(x²) for |x| ≤ 1, and 1 − e^(−x²) Pi(x − centre) on three further intervals.
Fitted in 60 digits by interpolation at Chebyshev nodes; the printed errors are relative to erf.
"""
from mpmath import chebyfit, erf, erfc, exp, mp, mpf, polyval, sqrt

mp.dps = 60


def show(name, function, low, high, degree):
    coefficients = [mpf(float(c)) for c in chebyfit(function, [low, high], degree + 1)]
    error = max(
        abs(polyval(coefficients, low + (high - low) * mpf(i) / 999) / function(low + (high - low) * mpf(i) / 999) - 1)
        for i in range(1000))
    print(f"// {name}: relative error {mp.nstr(error, 3)}")
    print("\n".join(f"  {float(c)!r}," for c in coefficients))


def near(s):
    x = sqrt(s)
    return erf(x) / x if s else 2 / sqrt(mp.pi)


show("x² in 0…1", near, mpf(0), mpf(1), 14)
for low, high in ((1, 2), (2, 3.25), (3.25, 6)):
    centre = (mpf(low) + mpf(high)) / 2
    half = (mpf(high) - mpf(low)) / 2
    show(f"x in {low}…{high}, centre {float(centre)}", lambda t: exp((t + centre) ** 2) * erfc(t + centre), -half, half, 14)
