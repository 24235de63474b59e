"""Powers, after fdlibm's e_pow.c."""

from __future__ import annotations

from skewcheck.language.kernels.arithmetic import absolute, divide, high_part, polynomial, scale, split_exponent
from skewcheck.language.kernels.exponentials import EXP_COEFFICIENTS
from skewcheck.language.terms import Term, assume_finite, call, choose, equal, finite, literal, restrict

_LOG = (
    5.99999999999994648725e-01,
    4.28571428578550184252e-01,
    3.33333329818377432918e-01,
    2.72728123808534006489e-01,
    2.30660745775561754067e-01,
    2.06975017800338417784e-01,
)
_LN2 = (6.93147182464599609375e-01, -1.90465429995776804525e-09)
# 2 / (3 log(2)) and log2(1.5): the nearest Float64 of the first, then each in two parts of which the first is short.
_LN2_NEAREST = 6.93147180559945286227e-01
_SCALE, _SCALE_HIGH, _SCALE_LOW = 9.61796693925975554329e-01, 9.61796700954437255859e-01, -7.02846165095275826516e-09
_LOG2_OF_1_5 = (5.84962487220764160156e-01, 1.35003920212974897128e-08)
_SQRT_1_5, _SQRT_3 = 1.224744871391589, 1.7320508075688772
_LARGEST_EXPONENT = 2.0**66
"""Beyond it every base but 1 gives zero or an overflow."""


def power(x: Term, y: Term) -> Term:
    """x^y, within 1 ulp, also where it is subnormal.

    x^0 is 1. Missing where x is zero and y below zero, where x is below zero and y has a fraction, and where the
    result overflows. A negative x gives a negative result where y is odd.
    """
    whole, odd = _whole(y), _odd(y)
    defined = choose(x > 0.0, literal(value=True), choose(x < 0.0, whole, y >= 0.0))
    zero = equal(x, 0.0)
    base = restrict(choose(zero, literal(1.0), absolute(x)), defined)
    size = finite(_power(base, _bounded(y)))
    result = choose(zero, choose(y > 0.0, literal(0.0), size), size)
    return choose(x < 0.0, choose(odd, assume_finite(result * -1.0), result), result)


def _whole(y: Term) -> Term:
    """Whether y has no fraction."""
    return literal(y.parameter.is_integer()) if y.kind == "literal" else equal(call("floor", y), y)


def _odd(y: Term) -> Term:
    """Whether y, which is known to be whole, is odd."""
    if y.kind == "literal":
        return literal(y.parameter % 2.0 == 1.0)
    half = assume_finite(y * 0.5)
    return call("less", call("floor", half), half)


def _bounded(y: Term) -> Term:
    if y.kind == "literal":
        return literal(max(-_LARGEST_EXPONENT, min(_LARGEST_EXPONENT, y.parameter)))
    raised = choose(y < -_LARGEST_EXPONENT, literal(-_LARGEST_EXPONENT), y)
    return choose(raised > _LARGEST_EXPONENT, literal(_LARGEST_EXPONENT), raised)


def _power(x: Term, y: Term) -> Term:
    """x^y for a positive x; infinite where it overflows."""
    high, low = _log2_in_two_parts(x)
    short = high_part(y)
    rest = assume_finite((y - short) * high + y * low)
    leading = assume_finite(short * high)
    total = assume_finite(rest + leading)
    # The bounds leave every result as it is: 2^1024.25 overflows as 2^1025 does, and 2^-1080 is zero as 2^-2000.
    outside = choose(total < -1080.0, literal(-1080.0), choose(total > 1024.25, literal(1024.25), total))
    inside = equal(outside, total)
    return _exp2(choose(inside, leading, outside), choose(inside, rest, assume_finite(total * 0.0)))


def _log2_in_two_parts(x: Term) -> tuple[Term, Term]:
    """log2(x) of a positive x as the sum of a high part of 26 bits and a low part."""
    m, k = split_exponent(x)
    lower = m < _SQRT_3 / 2
    mantissa = choose(lower, assume_finite(m * 2.0), m)
    centred = mantissa >= _SQRT_1_5
    base = choose(centred, literal(1.5), literal(1.0))
    offset = assume_finite(mantissa - base)
    total = assume_finite(mantissa + base)
    inverse = divide(literal(1.0), total)
    s = assume_finite(offset * inverse)
    s_high = high_part(s)
    t_high = high_part(total)
    t_low = mantissa - (t_high - base)
    s_low = assume_finite(inverse * ((offset - s_high * t_high) - s_high * t_low))
    square = s * s
    series = assume_finite(square * square * polynomial(square, _LOG) + s_low * (s_high + s))
    short_square = s_high * s_high
    t_high = high_part(assume_finite((literal(3.0) + short_square) + series))
    t_low = series - ((t_high - 3.0) - short_square)
    u = s_high * t_high
    v = s_low * t_high + t_low * s
    p_high = high_part(assume_finite(u + v))
    p_low = v - (p_high - u)
    z_high = assume_finite(p_high * _SCALE_HIGH)
    z_low = p_high * _SCALE_LOW + p_low * _SCALE
    whole = call("to_float", choose(lower, k - 1, k))
    extra, extra_low = (choose(centred, literal(value), literal(0.0)) for value in _LOG2_OF_1_5)
    z_low = assume_finite(z_low + extra_low)
    high = high_part(assume_finite(((z_high + z_low) + extra) + whole))
    return high, assume_finite(z_low - (((high - whole) - extra) - z_high))


def _exp2(high: Term, low: Term) -> Term:
    """2^(high + low); infinite where it overflows."""
    k = call("floor", assume_finite((high + low) + 0.5))
    fraction = assume_finite(high - k)
    t = high_part(assume_finite(low + fraction))
    u = t * _LN2[0]
    v = (low - (t - fraction)) * _LN2_NEAREST + t * _LN2[1]
    z = assume_finite(u + v)
    w = v - (z - u)
    square = z * z
    c = assume_finite(z - square * polynomial(square, EXP_COEFFICIENTS))
    r = divide(z * c, c - 2.0) - (w + z * w)
    return scale(assume_finite(literal(1.0) - (r - z)), call("to_integer", k))
