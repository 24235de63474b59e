"""Transcendental functions, spelled in primitives.

A platform's libm differs from the next one's in the last bit. These kernels use + − × ÷, floor and comparison only,
so every engine that keeps IEEE order gives the same bits. The logarithms follow Sun's fdlibm (e_log.c, s_log1p.c;
error below one unit in the last place).
"""

from __future__ import annotations

from skewcheck.language.terms import Term, assume_finite, call, choose, equal, literal, restrict

_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_SQRT2 = 1.4142135623730951
_SMALLEST_NORMAL = 2.2250738585072014e-308
_LG = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)


def log(x: Term) -> Term:
    """Natural logarithm; missing where x <= 0."""
    positive = restrict(x, x > 0.0)
    subnormal = positive < _SMALLEST_NORMAL
    normal = choose(subnormal, assume_finite(positive * 2.0**54), positive)
    mantissa, exponent = _split(normal)
    exponent = choose(subnormal, exponent - 54, exponent)
    return _log_of_parts(assume_finite(mantissa - 1.0), call("to_float", exponent), literal(0.0))


def log1p(x: Term) -> Term:
    """Natural logarithm of 1 + x; missing where x <= -1."""
    domain = restrict(x, x > -1.0)
    total = assume_finite(domain + 1.0)
    mantissa, exponent = _split(total)
    lost = choose(exponent > 1, assume_finite(literal(1.0) - (total - domain)), assume_finite(domain - (total - 1.0)))
    unscaled = equal(exponent, 0)
    fraction = choose(unscaled, domain, assume_finite(mantissa - 1.0))
    correction = choose(unscaled, literal(0.0), assume_finite(call("quotient", lost, total)))
    return _log_of_parts(fraction, call("to_float", exponent), correction)


def _split(x: Term) -> tuple[Term, Term]:
    """A positive normal x as (m, k) with x = m 2^k and m from sqrt(1/2) to sqrt(2)."""
    exponent = call("exponent", x)
    mantissa = assume_finite(x * call("power_of_two", literal(0) - exponent))
    high = mantissa > _SQRT2
    return choose(high, assume_finite(mantissa * 0.5), mantissa), choose(high, exponent + 1, exponent)


def _log_of_parts(f: Term, k: Term, correction: Term) -> Term:
    """log(1 + f) + k log(2) + correction, for f from sqrt(1/2) - 1 to sqrt(2) - 1."""
    half_square = literal(0.5) * f * f
    s = call("quotient", f, assume_finite(f + 2.0))
    z = s * s
    w = z * z
    even = w * (literal(_LG[1]) + w * (literal(_LG[3]) + w * _LG[5]))
    odd = z * (literal(_LG[0]) + w * (literal(_LG[2]) + w * (literal(_LG[4]) + w * _LG[6])))
    rest = even + odd
    low = k * _LN2_LOW + correction
    return assume_finite(k * _LN2_HIGH - ((half_square - (s * (half_square + rest) + low)) - f))
