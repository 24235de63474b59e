"""Transcendental functions, spelled in primitives.

A platform's libm differs from the next one's in the last bit. These kernels use + − × ÷, the square root, floor,
comparison and powers of two only, so every engine that keeps IEEE order gives the same bits. Their algorithms and
coefficients are those of Sun's fdlibm, where nothing else is said; each states how far it may be from the exact
result, in units in the last place (ulp) of that result.

A kernel takes Float64 terms and is missing wherever one of them is, and outside its domain.
"""

from __future__ import annotations

from skewcheck.language.kernels.angles import atan2, cos, sin
from skewcheck.language.kernels.distances import haversine
from skewcheck.language.kernels.exponentials import exp, expm1, sigmoid, tanh
from skewcheck.language.kernels.logarithms import log, log1p, log2, log10
from skewcheck.language.kernels.normal import inverse_normal
from skewcheck.language.kernels.powers import power

__all__ = [
    "atan2",
    "cos",
    "exp",
    "expm1",
    "haversine",
    "inverse_normal",
    "log",
    "log1p",
    "log2",
    "log10",
    "power",
    "sigmoid",
    "sin",
    "tanh",
]
