"""Sine, cosine and the angle of a point, after fdlibm's k_sin.c, k_cos.c and s_atan.c."""

from __future__ import annotations

from skewcheck.language.kernels.arithmetic import absolute, divide, polynomial
from skewcheck.language.terms import Term, assume_finite, call, choose, equal, literal, restrict

LARGEST_ANGLE = 2.0**30
"""Radians up to which an angle is reduced exactly; 2^30 is 1,073,741,824."""

_TWO_OVER_PI = 0.6366197723675814
# Pi / 2 in parts of 23 bits, whose products with a whole number of 30 bits are exact, and what is left.
_HALF_PI = (
    1.570796251296997,
    7.549789415861596e-08,
    5.39030083589187e-15,
    2.0222659584103533e-21,
    2.9038559739793605e-28,
)
_SINE = (
    -1.66666666666666324348e-01,
    8.33333333332248946124e-03,
    -1.98412698298579493134e-04,
    2.75573137070700676789e-06,
    -2.50507602534068634195e-08,
    1.58969099521155010221e-10,
)
_COSINE = (
    4.16666666666666019037e-02,
    -1.38888888888741095749e-03,
    2.48015872894767294178e-05,
    -2.75573143513906633035e-07,
    2.08757232129817482790e-09,
    -1.13596475577881948265e-11,
)
_ARCTANGENT = (
    3.33333333333329318027e-01,
    -1.99999999998764832476e-01,
    1.42857142725034663711e-01,
    -1.11111104054623557880e-01,
    9.09088713343650656196e-02,
    -7.69187620504482999495e-02,
    6.66107313738753120669e-02,
    -5.83357013379057348645e-02,
    4.97687799461593236017e-02,
    -3.65315727442169155270e-02,
    1.62858201153657823623e-02,
)
# The angles at which the quotients 0, 1/2 and 1 lie: from the x axis, down from and past the y axis, and before the
# negative x axis; each as the nearest Float64 and the rest.
_ANGLES = (
    *(0.0, 0.4636476090008061, 0.7853981633974483),
    *(1.5707963267948966, 1.1071487177940904, 0.7853981633974483),
    *(1.5707963267948966, 2.0344439357957027, 2.356194490192345),
    *(3.141592653589793, 2.677945044588987, 2.356194490192345),
)
_ANGLE_RESTS = (
    *(0.0, 2.2698777452961687e-17, 3.061616997868383e-17),
    *(6.123233995736766e-17, 9.40447137356638e-17, 3.061616997868383e-17),
    *(6.123233995736766e-17, 2.841996617907152e-17, 9.184850993605148e-17),
    *(1.2246467991473532e-16, 1.5527705369303147e-16, 9.184850993605148e-17),
)


def sin(x: Term) -> Term:
    """The sine of x radians, within 1 ulp; missing where |x| is above 2^30."""
    even, quarter, high, low = _reduce(x)
    result = choose(even, sine_of(high, low), cosine_of(high, low))
    return choose(quarter >= 2.0, assume_finite(result * -1.0), result)


def cos(x: Term) -> Term:
    """The cosine of x radians, within 1 ulp; missing where |x| is above 2^30."""
    even, quarter, high, low = _reduce(x)
    result = choose(even, cosine_of(high, low), sine_of(high, low))
    # The second and third quarters turn, and 1.5 lies between them.
    return choose(absolute(assume_finite(quarter - 1.5)) < 1.0, assume_finite(result * -1.0), result)


def atan2(y: Term, x: Term) -> Term:
    """The angle of the point (x, y) in radians from -pi to pi, within 1.5 ulp; 0 for the origin. -0 counts as 0."""
    left = x < 0.0
    width, height = absolute(x), absolute(y)
    steep = width < height
    longer = choose(steep, height, width)
    t = divide(choose(steep, width, height), choose(equal(longer, 0.0), literal(1.0), longer))
    octant = choose(left, choose(steep, literal(6), literal(9)), choose(steep, literal(3), literal(0)))
    result = _arctangent(t, octant, turned=~equal(steep, left))
    return choose(y < 0.0, assume_finite(result * -1.0), result)


def angle_in_quadrant(y: Term, x: Term) -> Term:
    """The angle of the point (x, y) from 0 to pi / 2, for x and y of which none is below and one is above zero."""
    steep = x < y
    t = divide(choose(steep, x, y), choose(steep, y, x))
    return _arctangent(t, choose(steep, literal(3), literal(0)), turned=steep)


def _arctangent(t: Term, octant: Term, turned: Term) -> Term:
    """The angle whose tangent or cotangent is t, from 0 to 1; where `turned`, it lies below the octant's angle."""
    low, middle = t < 0.4375, t < 0.6875
    u = choose(low, t, choose(middle, divide(t * 2.0 - 1.0, t + 2.0), divide(t - 1.0, t + 1.0)))
    place = call("integer_add", octant, choose(low, literal(0), choose(middle, literal(1), literal(2))))
    signed = choose(turned, assume_finite(u * -1.0), u)
    square = u * u
    series = assume_finite(signed * (square * polynomial(square, _ARCTANGENT)))
    rest = series - call("element", place, parameter=_ANGLE_RESTS)
    return assume_finite(call("element", place, parameter=_ANGLES) - (rest - signed))


def sine_of(x: Term, rest: Term | None = None) -> Term:
    """sin(x + rest) for |x| up to pi / 4 and a rest below half an ulp of x."""
    square = x * x
    cube = square * x
    if rest is None:
        return assume_finite(x + cube * polynomial(square, _SINE))
    series = polynomial(square, _SINE[1:])
    return assume_finite(x - ((square * (rest * 0.5 - cube * series) - rest) - cube * _SINE[0]))


def cosine_of(x: Term, rest: Term | None = None) -> Term:
    """cos(x + rest) for |x| up to pi / 4 and a rest below half an ulp of x."""
    square = x * x
    half = square * 0.5
    leading = assume_finite(literal(1.0) - half)
    series = square * (square * polynomial(square, _COSINE))
    correction = series if rest is None else series - x * rest
    return assume_finite(leading + (((literal(1.0) - leading) - half) + correction))


def _reduce(x: Term) -> tuple[Term, Term, Term, Term]:
    """(even, quarter, high, low): x is a number of quarter turns, and high + low within pi / 4.

    `even` says whether the number is even, `quarter` which of 0 to 3 it leaves beside full turns.

    Cody and Waite: the first two differences are exact, and the errors of the next two are carried along. No Float64
    up to the bound is nearer to a multiple of pi / 2 than 2^-61, so the parts of pi / 2 are long enough.
    """
    angle = restrict(x, absolute(x) <= LARGEST_ANGLE)
    turns = call("floor", assume_finite(angle * _TWO_OVER_PI + 0.5))
    first = assume_finite((angle - turns * _HALF_PI[0]) - turns * _HALF_PI[1])
    part = assume_finite(turns * _HALF_PI[2])
    second = assume_finite(first - part)
    error = (first - second) - part
    part = assume_finite(turns * _HALF_PI[3])
    third = assume_finite(second - part)
    rest = assume_finite((error + ((second - third) - part)) - turns * _HALF_PI[4])
    high = assume_finite(third + rest)
    low = assume_finite((third - high) + rest)
    half = assume_finite(turns * 0.5)
    quarter = assume_finite(turns - call("floor", assume_finite(turns * 0.25)) * 4.0)
    return equal(call("floor", half), half), quarter, high, low
