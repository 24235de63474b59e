"""Logarithms, after fdlibm's e_log.c and s_log1p.c and FreeBSD's e_log2.c and e_log10.c."""

from __future__ import annotations

from skewcheck.language.kernels.arithmetic import divide, high_part, split_exponent, split_normal
from skewcheck.language.terms import Term, assume_finite, call, choose, equal, literal, restrict

_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_LG = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)
_LOG2_E = (1.44269504072144627571e00, 1.67517131648865118353e-10)
_LOG10_E = (4.34294481878168880939e-01, 2.50829467116452752298e-11)
_LOG10_2 = (3.01029995663611771306e-01, 3.69423907715893078616e-13)


def log(x: Term) -> Term:
    """Natural logarithm, within 1 ulp; missing where x <= 0."""
    mantissa, exponent = split_exponent(restrict(x, x > 0.0))
    return _log_of_parts(assume_finite(mantissa - 1.0), call("to_float", exponent), literal(0.0))


def log1p(x: Term) -> Term:
    """Natural logarithm of 1 + x, within 1 ulp; missing where x <= -1."""
    domain = restrict(x, x > -1.0)
    total = assume_finite(domain + 1.0)
    mantissa, exponent = split_normal(total)
    lost = choose(exponent > 1, assume_finite(literal(1.0) - (total - domain)), assume_finite(domain - (total - 1.0)))
    unscaled = equal(exponent, 0)
    fraction = choose(unscaled, domain, assume_finite(mantissa - 1.0))
    correction = choose(unscaled, literal(0.0), divide(lost, total))
    return _log_of_parts(fraction, call("to_float", exponent), correction)


def log2(x: Term) -> Term:
    """Logarithm to base 2, within 1 ulp, exact for powers of two; missing where x <= 0."""
    mantissa, exponent = split_exponent(restrict(x, x > 0.0))
    high, low = _log_in_two_parts(assume_finite(mantissa - 1.0))
    whole = call("to_float", exponent)
    first = assume_finite(high * _LOG2_E[0])
    rest = (low + high) * _LOG2_E[1] + low * _LOG2_E[0]
    total = assume_finite(whole + first)
    return assume_finite((rest + ((whole - total) + first)) + total)


def log10(x: Term) -> Term:
    """Logarithm to base 10, within 1 ulp, exact for powers of ten; missing where x <= 0."""
    mantissa, exponent = split_exponent(restrict(x, x > 0.0))
    high, low = _log_in_two_parts(assume_finite(mantissa - 1.0))
    power = call("to_float", exponent)
    first = assume_finite(high * _LOG10_E[0])
    whole = assume_finite(power * _LOG10_2[0])
    rest = power * _LOG10_2[1] + (low + high) * _LOG10_E[1] + low * _LOG10_E[0]
    total = assume_finite(whole + first)
    return assume_finite((rest + ((whole - total) + first)) + total)


def _log_of_parts(f: Term, k: Term, correction: Term) -> Term:
    """log(1 + f) + k log(2) + correction, for f from sqrt(1/2) - 1 to sqrt(2) - 1."""
    half_square = literal(0.5) * f * f
    low = k * _LN2_LOW + correction
    return assume_finite(k * _LN2_HIGH - ((half_square - (_log_remainder(f, half_square) + low)) - f))


def _log_in_two_parts(f: Term) -> tuple[Term, Term]:
    """log(1 + f) as the sum of a high part of 21 bits, whose product with one of 32 is exact, and a low part."""
    half_square = literal(0.5) * f * f
    high = high_part(assume_finite(f - half_square), bits=21)
    low = ((f - high) - half_square) + _log_remainder(f, half_square)
    return high, assume_finite(low)


def _log_remainder(f: Term, half_square: Term) -> Term:
    """log(1 + f) - f + f^2 / 2."""
    s = divide(f, f + 2.0)
    z = s * s
    w = z * z
    even = w * (literal(_LG[1]) + w * (literal(_LG[3]) + w * _LG[5]))
    odd = z * (literal(_LG[0]) + w * (literal(_LG[2]) + w * (literal(_LG[4]) + w * _LG[6])))
    return s * (half_square + (even + odd))
