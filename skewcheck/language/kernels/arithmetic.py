"""What several kernels are made of: polynomials, quotients, exact splitting and scaling."""

from __future__ import annotations

from collections.abc import Sequence

from skewcheck.language.terms import Term, assume_finite, call, choose, literal

SMALLEST_NORMAL = 2.2250738585072014e-308


def polynomial(x: Term, coefficients: Sequence[float]) -> Term:
    """The polynomial with these coefficients, the constant one first, by Horner's rule."""
    *rest, last = coefficients
    result = literal(last)
    for coefficient in reversed(rest):
        result = literal(coefficient) + x * result
    return assume_finite(result)


def divide(x: Term, y: Term) -> Term:
    """The quotient x / y, for a y that is never zero and a quotient that is finite."""
    return assume_finite(call("quotient", assume_finite(x), assume_finite(y)))


def absolute(x: Term) -> Term:
    """|x|."""
    return call("absolute", x)


def high_part(x: Term, bits: int = 26) -> Term:
    """The upper bits of x (Veltkamp), so that products of such parts are exact; for |x| below 2^990."""
    splitter = 2.0 ** (53 - bits) + 1.0
    if x.kind == "literal":
        product = float(x.parameter) * splitter
        return literal(product - (product - float(x.parameter)))
    scaled = x * splitter
    return assume_finite(scaled - (scaled - x))


def split_exponent(x: Term) -> tuple[Term, Term]:
    """A positive x as (m, k) with x = m 2^k, m from sqrt(1/2) to sqrt(2), and an Int64 k."""
    subnormal = x < SMALLEST_NORMAL
    mantissa, exponent = split_normal(choose(subnormal, assume_finite(x * 2.0**54), x))
    return mantissa, choose(subnormal, exponent - 54, exponent)


def split_normal(x: Term) -> tuple[Term, Term]:
    """The same for an x that is not below the normal numbers."""
    exponent = call("exponent", x)
    return assume_finite(x * call("power_of_two", literal(0) - exponent)), exponent


def scale(x: Term, k: Term) -> Term:
    """The product x 2^k, rounded once, for an Int64 k from -1100 to 1024; infinite where it overflows."""
    # In two steps: a power below the normal numbers has too few bits, and 2^1024 is none.
    half = k // 2
    other = call("integer_subtract", k, half)
    return x * call("power_of_two", half) * call("power_of_two", other)
