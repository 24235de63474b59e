"""Distances on the earth, taken for a sphere."""

from __future__ import annotations

from skewcheck.language.kernels.angles import angle_in_quadrant, cosine_of, sine_of
from skewcheck.language.kernels.arithmetic import absolute
from skewcheck.language.terms import Term, assume_finite, call, choose, literal, restrict

EARTH_RADIUS = 6371.0088
"""Mean radius of the earth in kilometres (IUGG)."""

_DEGREE = 0.017453292519943295


def haversine(latitude_1: Term, longitude_1: Term, latitude_2: Term, longitude_2: Term) -> Term:
    """Great-circle distance in kilometres between two points given in degrees, within 1e-14 of itself.

    Missing where a latitude lies outside -90 to 90 or a longitude outside -180 to 180.
    """
    within = (absolute(latitude_1) <= 90.0) & (absolute(latitude_2) <= 90.0)
    within &= (absolute(longitude_1) <= 180.0) & (absolute(longitude_2) <= 180.0)
    # One is enough: every quotient and root below depends on it, and sums and products are defined for any number.
    first, second, west, east = restrict(latitude_1, within), latitude_2, longitude_1, longitude_2
    apart = absolute(assume_finite(east - west))
    # Across the 180th meridian the two remainders are exact, where 360 - apart is not.
    around = assume_finite((literal(180.0) - absolute(west)) + (literal(180.0) - absolute(east)))
    sine_north, cosine_north = _squares_of_half(absolute(assume_finite(second - first)))
    sine_middle, cosine_middle = _squares_of_half(absolute(assume_finite(second + first)))
    sine_east, cosine_east = _squares_of_half(choose(apart > 180.0, around, apart))
    # hav(angle) and 1 - hav(angle), each as a sum of squares: exact for near points and for opposite ones.
    chord = call("square_root", assume_finite(sine_north * cosine_east + cosine_middle * sine_east))
    rest = call("square_root", assume_finite(cosine_north * cosine_east + sine_middle * sine_east))
    return assume_finite(angle_in_quadrant(chord, rest) * (2.0 * EARTH_RADIUS))


def _squares_of_half(degrees: Term) -> tuple[Term, Term]:
    """The squares of the sine and the cosine of half an angle from 0 to 180 degrees."""
    half = assume_finite(degrees * 0.5)
    low = half <= 45.0
    radians = assume_finite(choose(low, half, assume_finite(literal(90.0) - half)) * _DEGREE)
    sine, cosine = sine_of(radians), cosine_of(radians)
    sine_square, cosine_square = assume_finite(sine * sine), assume_finite(cosine * cosine)
    return choose(low, sine_square, cosine_square), choose(low, cosine_square, sine_square)
