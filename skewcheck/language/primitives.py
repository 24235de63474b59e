"""The primitives: the small set of operations that every engine spells.

An operator is expanded into primitives and nothing else, so an engine that spells these rows runs every operator.
All of them are total: no argument raises an error. Each is *strict* (a missing argument makes the result missing)
unless its row says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

SQUARE_ROOT_OF_TWO = 1.4142135623730951

ASCII_SPACE = " \t\n\r\f\v"
"""What `strip` takes away."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """One primitive.

    Attributes:
        name: What terms, fingerprints and the engines' tables call it.
        meaning: Its definition in words.
        strict: A missing argument makes the result missing.
        partial: Present arguments may still give a missing result.
        finite: A Float64 result is always finite. Where it is not, an infinity or NaN stands for a result that is
            about to be missing; it may only flow on through arithmetic that keeps it non-finite.
        keeps_infinity: Argument positions through which a non-finite value stays non-finite.
    """

    name: str
    meaning: str
    strict: bool = True
    partial: bool = False
    finite: bool = True
    keeps_infinity: tuple[int, ...] = ()


_ROWS = (
    # Float64
    Primitive("add", "IEEE sum of two Float64.", finite=False, keeps_infinity=(0, 1)),
    Primitive("subtract", "IEEE difference of two Float64.", finite=False, keeps_infinity=(0, 1)),
    Primitive("multiply", "IEEE product of two Float64.", finite=False, keeps_infinity=(0, 1)),
    Primitive(
        "divide",
        "IEEE quotient; missing where the divisor is zero.",
        partial=True,
        finite=False,
        keeps_infinity=(0,),
    ),
    Primitive(
        "quotient",
        "IEEE quotient, for a divisor that is known not to be zero.",
        finite=False,
        keeps_infinity=(0,),
    ),
    Primitive("square_root", "Correctly rounded square root; missing below zero.", partial=True),
    Primitive("floor", "Largest integral Float64 that is not above the argument."),
    Primitive("absolute", "|x| of a Float64."),
    Primitive("exponent", "Int64 k with sqrt(1/2) < x / 2^k <= sqrt(2), for an x that is known to be positive."),
    Primitive("power_of_two", "Float64 2^k, exact, for an Int64 k from -1074 to 1023."),
    Primitive("finite", "The Float64 itself where it is finite, otherwise missing.", partial=True),
    # Int64
    Primitive("integer_add", "Sum of two Int64 that is known to fit."),
    Primitive("integer_subtract", "Difference of two Int64 that is known to fit."),
    Primitive("integer_multiply", "Product of two Int64 that is known to fit."),
    Primitive("checked_add", "Sum of two Int64; missing where it does not fit 64 bits.", partial=True),
    Primitive("checked_subtract", "Difference of two Int64; missing where it does not fit 64 bits.", partial=True),
    Primitive("checked_multiply", "Product of two Int64; missing where it does not fit 64 bits.", partial=True),
    Primitive("floor_divide", "Int64 floor(a / b) for a constant b > 0."),
    Primitive("floor_modulo", "Int64 a - b * floor(a / b) for a constant b > 0: from 0 to b - 1."),
    Primitive(
        "integer_quotient",
        "Int64 floor(a / b) for any Int64 b; missing where b is 0 or the result does not fit 64 bits.",
        partial=True,
    ),
    # Conversion
    Primitive("to_float", "The Float64 nearest to an Int64, ties to even."),
    Primitive("to_integer", "The Int64 of an integral Float64; missing where it does not fit 64 bits.", partial=True),
    Primitive("to_text", "The decimal digits of an Int64, with - in front where it is below zero."),
    # Comparison: numbers by value, strings by code point, False before True
    Primitive("equal", "Whether two values of one type are the same."),
    Primitive("less", "Whether the first of two values of one type comes before the second."),
    Primitive("less_or_equal", "Whether the first is not after the second."),
    # Logic (Kleene)
    Primitive("and", "False where either is False, else missing where either is missing, else True.", strict=False),
    Primitive("or", "True where either is True, else missing where either is missing, else False.", strict=False),
    Primitive("not", "The other truth value."),
    # Missing and choice
    Primitive("is_missing", "True where the argument is missing, otherwise False.", strict=False),
    Primitive("coalesce", "The first argument, or the second where the first is missing.", strict=False),
    Primitive("choose", "The second argument where the first is True, otherwise the third.", strict=False),
    Primitive("restrict", "The first argument where the second is True, otherwise missing.", partial=True),
    # Tables: the parameter is constant
    Primitive("locate", "How many of the ascending edges are not above x (Int64)."),
    Primitive("interval", "The value that the table gives to the interval between edges in which x lies (Int64)."),
    Primitive("element", "The table's value at position k, for a k that is known to lie in it."),
    Primitive("lookup", "The table's value for the key; missing for any other key.", partial=True),
    # Text: Unicode code points
    Primitive("lower", "A to Z become a to z, every other code point stays."),
    Primitive("upper", "a to z become A to Z, every other code point stays."),
    Primitive("strip", "Without leading and trailing space, tab, newline, return, form feed and vertical tab."),
    Primitive("length", "Number of code points."),
    Primitive("concatenate", "The first string followed by the second."),
    Primitive("contains", "Whether the second string stands somewhere in the first; the empty string always does."),
    Primitive("starts_with", "Whether the first string begins with the second."),
    Primitive("ends_with", "Whether the first string ends with the second."),
    Primitive(
        "replace",
        "The first string with each occurrence of the second, found from the left without overlap, replaced by the "
        "third; the second is constant and not empty.",
    ),
    Primitive(
        "substring", "At most c code points from position p (0 is the first), for constant p and c of at least 0."
    ),
    Primitive(
        "part",
        "Piece k (0 is the first) of the string cut at every occurrence of a separator, found from the left without "
        "overlap; missing where there are fewer pieces; separator and k are constant, the separator not empty.",
        partial=True,
    ),
    Primitive(
        "count_item",
        "How many of the pieces, cut as `part` does, equal a constant (Int64).",
    ),
    Primitive("matches", "Whether a pattern of `skewcheck.language.patterns` is found somewhere in the string."),
    Primitive(
        "extract",
        "What group 1 of a pattern caught at the leftmost match, the empty string where the group took no part; "
        "missing where the pattern is not found.",
        partial=True,
    ),
    Primitive(
        "ngram_counts",
        "For the constant n and b a Vector of length b: at place i the number of substrings of n code points whose "
        "`digest` modulo b is i.",
    ),
    Primitive("digest", "The first 32 bits of the MD5 of the UTF-8 bytes, big-endian, as an Int64."),
    # Time
    Primitive("microseconds", "Int64 microseconds since 1970-01-01T00:00:00Z."),
    Primitive("instant", "The Timestamp of Int64 microseconds; missing outside the years 1 to 9999.", partial=True),
    # A team's own functions
    Primitive(
        "opaque",
        "What the Python function of the parameter gives for the arguments; missing, and not called, where one is "
        "missing that it does not take so.",
        strict=False,
        partial=True,
    ),
    # Vectors
    Primitive("pack", "A Vector of the arguments in order."),
    Primitive("component", "The element of a Vector at a constant place (0 is the first)."),
    Primitive(
        "dot",
        "The sum of the products of two Vectors of one length, product by product from the first, beginning with 0.",
        finite=False,
    ),
    Primitive(
        "scale_vector",
        "A Vector with every element multiplied by a Float64; missing where a product is not finite.",
        partial=True,
    ),
)

PRIMITIVES = {row.name: row for row in _ROWS}
