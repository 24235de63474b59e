"""Exponentials, after fdlibm's e_exp.c, s_expm1.c and s_tanh.c."""

from __future__ import annotations

from skewcheck.language.kernels.arithmetic import absolute, divide, polynomial, scale
from skewcheck.language.terms import Term, assume_finite, call, choose, equal, literal, restrict

LARGEST_ARGUMENT = 709.782712893384
"""The largest Float64 whose exponential is finite."""

_LOG2_E = 1.4426950408889634
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
EXP_COEFFICIENTS = (
    1.66666666666666019037e-01,
    -2.77777777770155933842e-03,
    6.61375632143793436117e-05,
    -1.65339022054652515390e-06,
    4.13813679705723846039e-08,
)
_EXPM1 = (
    1.0,
    -3.33333333333331316428e-02,
    1.58730158725481460165e-03,
    -7.93650757867487942473e-05,
    4.00821782732936239552e-06,
    -2.01099218183624371326e-07,
)


def exp(x: Term) -> Term:
    """e^x, within 1 ulp, also where it is subnormal; missing where it overflows."""
    return _exp(restrict(x, x <= LARGEST_ARGUMENT))


def expm1(x: Term) -> Term:
    """e^x - 1, within 1 ulp; missing where it overflows."""
    return _expm1(restrict(x, x <= LARGEST_ARGUMENT))


def sigmoid(x: Term) -> Term:
    """1 / (1 + e^-x), within 2.5 ulp; zero far below zero."""
    power = _exp(assume_finite(absolute(x) * -1.0))
    total = assume_finite(power + 1.0)
    return choose(x < 0.0, divide(power, total), divide(literal(1.0), total))


def tanh(x: Term) -> Term:
    """The hyperbolic tangent, within 2.5 ulp; exactly 1 or -1 far from zero."""
    size = absolute(x)
    small = size < 1.0
    # Beyond 22 the result is 1; the bound keeps the power finite.
    bounded = choose(size > 22.0, literal(22.0), size)
    grown = _expm1(choose(small, assume_finite(bounded * -2.0), assume_finite(bounded * 2.0)))
    total = assume_finite(grown + 2.0)
    near = divide(grown * -1.0, total)
    far = assume_finite(literal(1.0) - divide(literal(2.0), total))
    result = choose(small, near, far)
    return choose(x < 0.0, assume_finite(result * -1.0), result)


def _exp(x: Term) -> Term:
    """e^x for an x whose exponential is finite."""
    bounded = choose(x < -746.0, literal(-746.0), x)
    k, high, low = _reduce(bounded)
    r = assume_finite(high - low)
    square = r * r
    c = assume_finite(r - square * polynomial(square, EXP_COEFFICIENTS))
    ratio = divide(r * c, literal(2.0) - c)
    return assume_finite(scale(assume_finite(literal(1.0) - ((low - ratio) - high)), call("to_integer", k)))


def _expm1(x: Term) -> Term:
    """e^x - 1 for an x whose exponential is finite."""
    bounded = choose(x < -40.0, literal(-40.0), x)
    whole, high, low = _reduce(bounded)
    r = assume_finite(high - low)
    lost = (high - r) - low
    half = r * 0.5
    half_square = r * half
    r1 = polynomial(half_square, _EXPM1)
    t = assume_finite(literal(3.0) - r1 * half)
    e = half_square * divide(r1 - t, literal(6.0) - r * t)
    # e^r - 1 is r - rest.
    rest = assume_finite((r * (e - lost) - lost) - half_square)
    k = call("to_integer", whole)
    small = call("power_of_two", call("integer_subtract", literal(0), k))
    one = assume_finite(literal(1.0) - small)
    near = assume_finite(one - (rest - r))
    far = assume_finite(literal(1.0) + (r - (rest + small)))
    # Where the two ones nearly cancel, their sum with r is exact.
    cancelling = choose(r < -0.25, assume_finite((one + r) - rest), near)
    return assume_finite(scale(choose(equal(whole, 1.0), cancelling, choose(whole < 20.0, near, far)), k))


def _reduce(x: Term) -> tuple[Term, Term, Term]:
    """(k, high, low) with x = k log(2) + high - low, an integral Float64 k, and the rest at most log(2) / 2."""
    k = call("floor", assume_finite(x * _LOG2_E + 0.5))
    return k, assume_finite(x - k * _LN2_HIGH), assume_finite(k * _LN2_LOW)
