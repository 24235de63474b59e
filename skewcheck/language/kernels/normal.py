"""The quantile function of the normal distribution, after Wichura's algorithm AS 241 (PPND16)."""

from __future__ import annotations

from skewcheck.language.kernels.arithmetic import absolute, divide, polynomial
from skewcheck.language.kernels.logarithms import log
from skewcheck.language.terms import Term, assume_finite, call, choose, literal, restrict

_CENTRE = (
    (
        3.387132872796366608,
        133.14166789178437745,
        1971.5909503065514427,
        13731.693765509461125,
        45921.953931549871457,
        67265.770927008700853,
        33430.575583588128105,
        2509.0809287301226727,
    ),
    (
        1.0,
        42.313330701600911252,
        687.1870074920579083,
        5394.1960214247511077,
        21213.794301586595867,
        39307.89580009271061,
        28729.085735721942674,
        5226.495278852545925,
    ),
)
_SHOULDER = (
    (
        1.42343711074968357734,
        4.6303378461565452959,
        5.7694972214606914055,
        3.64784832476320460504,
        1.27045825245236838258,
        0.24178072517745061177,
        0.0227238449892691845833,
        7.7454501427834140764e-4,
    ),
    (
        1.0,
        2.05319162663775882187,
        1.6763848301838038494,
        0.68976733498510000455,
        0.14810397642748007459,
        0.0151986665636164571966,
        5.475938084995344946e-4,
        1.05075007164441684324e-9,
    ),
)
_TAIL = (
    (
        6.6579046435011037772,
        5.4637849111641143699,
        1.7848265399172913358,
        0.29656057182850489123,
        0.026532189526576123093,
        0.0012426609473880784386,
        2.71155556874348757815e-5,
        2.01033439929228813265e-7,
    ),
    (
        1.0,
        0.59983220655588793769,
        0.13692988092273580531,
        0.0148753612908506148525,
        7.868691311456132591e-4,
        1.8463183175100546818e-5,
        1.4215117583164458887e-7,
        2.04426310338993978564e-15,
    ),
)


def inverse_normal(p: Term) -> Term:
    """The value below which a standard normal variable stays with probability p, within 8 ulp.

    Missing where p <= 0 or p >= 1.
    """
    positive = restrict(p, p > 0.0)
    probability = restrict(positive, positive < 1.0)
    offset = assume_finite(probability - 0.5)
    below = offset < 0.0
    smaller = choose(below, probability, assume_finite(literal(1.0) - probability))
    depth = call("square_root", assume_finite(log(smaller) * -1.0))
    outside = choose(depth <= 5.0, _ratio(_SHOULDER, _above(depth, 1.6)), _ratio(_TAIL, _above(depth, 5.0)))
    centre = assume_finite(offset * _ratio(_CENTRE, assume_finite(literal(0.180625) - offset * offset)))
    side = choose(below, assume_finite(outside * -1.0), outside)
    return choose(absolute(offset) <= 0.425, centre, side)


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Term) -> Term:
    """One polynomial over another."""
    above, below = coefficients
    return divide(polynomial(x, above), polynomial(x, below))


def _above(x: Term, bound: float) -> Term:
    """How far x is above the bound, and zero below it, where the denominators have zeros."""
    return choose(x > bound, assume_finite(x - bound), assume_finite(x * 0.0))
