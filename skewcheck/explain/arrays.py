"""The primitives over NumPy arrays: for a few thousand rows and many expressions that share most of their parts.

Planning a query for some hundred expressions takes longer than computing them, so the search computes here. It is a
spelling of the primitives like any engine's; what it has no row for, the caller computes in DuckDB: patterns, which it
finds in a time that grows with the text and no faster, and a team's own functions. (Room: explain.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from hashlib import md5
from string import ascii_lowercase, ascii_uppercase
from typing import Any, NamedTuple

import numpy as np

from skewcheck.explain.values.series import Series
from skewcheck.language.primitives import ASCII_SPACE, SQUARE_ROOT_OF_TWO
from skewcheck.language.terms import Term, walk
from skewcheck.language.types import INT64_MAX, INT64_MIN, TIMESTAMP_MAX, TIMESTAMP_MIN

LARGEST_SURE = 9e18
"""Up to here a product of two Int64 fits for certain, whatever its Float64 was rounded to."""


class Value(NamedTuple):
    """A value for every row, or one for all: anything stands where it is missing."""

    data: Any
    missing: Any


class UnspelledError(ValueError):
    """A primitive that has no row here."""


def compute(term: Term, columns: Mapping[str, Series], known: MutableMapping[int, tuple[Term, Value]]) -> Value:
    """The value of a term.

    Args:
        term: A finite term without unknown statistics.
        columns: The columns that it may read.
        known: Values of terms, by id, to which those of all its parts are added.

    Raises:
        UnspelledError: It has a primitive that is not spelled here.
        KeyError: It reads another column.
    """
    if id(term) in known:
        return known[id(term)][1]
    with np.errstate(all="ignore"):
        for part in walk(term):
            if id(part) not in known:
                known[id(part)] = (part, _compute(part, columns, [known[id(one)][1] for one in part.arguments]))
    return known[id(term)][1]


def make_series(value: Value, kind: str, rows: int) -> Series:
    """A value as a column."""
    shape = (rows, *value.data.shape[1:]) if kind == "Vector" and value.data.ndim == 2 else (rows,)
    missing = np.array(np.broadcast_to(value.missing, (rows,)))
    return Series(kind, np.array(np.broadcast_to(value.data, shape)), missing)


def _compute(term: Term, columns: Mapping[str, Series], arguments: Sequence[Value]) -> Value:
    if term.kind == "column":
        series = columns[term.name]
        return Value(series.data, series.missing | _unreadable(series))
    if term.kind == "literal":
        return _literal(term)
    if term.kind != "call" or term.name not in _SPELLED:
        raise UnspelledError(term.name)
    function, strict = _SPELLED[term.name]
    found: Value = function(term, *arguments)
    if not strict:
        return found
    missing = found.missing
    for argument in arguments:
        missing = missing | argument.missing
    return Value(found.data, missing)


def _unreadable(series: Series) -> Any:
    """What a column may hold that no value of its type is: infinities, and times that nobody can mean."""
    if series.kind == "Float64":
        return ~np.isfinite(series.data)
    if series.kind == "Vector":
        return ~np.isfinite(series.data).all(axis=1)
    if series.kind == "Timestamp":
        return (series.data < TIMESTAMP_MIN) | (series.data > TIMESTAMP_MAX)
    return np.False_


def _literal(term: Term) -> Value:
    if term.present:
        return Value(np.array(term.parameter, dtype=object if term.type.name == "String" else None), np.False_)
    empty = {"Float64": 0.0, "Bool": False, "String": "", "Vector": np.zeros((1, term.type.size or 0))}
    return Value(np.array(empty.get(term.type.name, 0), dtype=object if term.type.name == "String" else None), np.True_)


def _plain(function: Callable[..., Any]) -> Callable[..., Value]:
    """A function of the data alone."""
    return lambda _, *arguments: Value(function(*(argument.data for argument in arguments)), np.False_)


def _where(condition: Any, one: Any, other: Any) -> Any:
    if max(np.ndim(one), np.ndim(other)) == 2 and np.ndim(condition) == 1:
        condition = condition[:, None]
    return np.where(condition, one, other)


def _checked(name: str) -> Callable[..., Value]:
    """An exact sum, difference or product, missing where it does not fit."""
    function = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply}[name]

    def check(_: Term, left: Value, right: Value) -> Value:
        near = np.abs(function(np.asarray(left.data, dtype=np.float64), right.data))
        data = function(left.data, right.data)
        if not (near > LARGEST_SURE).any():
            return Value(data, np.False_)
        exact = function(np.asarray(left.data).astype(object), np.asarray(right.data).astype(object))
        fits = (exact >= INT64_MIN) & (exact <= INT64_MAX)
        return Value(np.where(fits, exact, 0).astype(np.int64), ~fits.astype(bool))

    return check


def _quotient(_: Term, left: Value, right: Value) -> Value:
    undefined = (right.data == 0) | ((right.data == -1) & (left.data == INT64_MIN))
    return Value(np.floor_divide(left.data, np.where(undefined, 1, right.data)), undefined)


def _exponent(_: Term, x: Value) -> Value:
    mantissa, exponent = np.frexp(x.data)
    return Value(exponent.astype(np.int64) - (mantissa <= SQUARE_ROOT_OF_TWO / 2), np.False_)


def _to_integer(_: Term, x: Value) -> Value:
    fits = (x.data >= -9223372036854775808.0) & (x.data < 9223372036854775808.0)
    return Value(np.where(fits, x.data, 0.0).astype(np.int64), ~fits)


def _both(_: Term, left: Value, right: Value) -> Value:
    no = (~left.data & ~left.missing) | (~right.data & ~right.missing)
    return Value(left.data & right.data & ~no, (left.missing | right.missing) & ~no)


def _either(_: Term, left: Value, right: Value) -> Value:
    yes = (left.data & ~left.missing) | (right.data & ~right.missing)
    return Value(yes, (left.missing | right.missing) & ~yes)


def _coalesce(_: Term, one: Value, other: Value) -> Value:
    return Value(_where(one.missing, other.data, one.data), one.missing & other.missing)


def _choose(_: Term, condition: Value, one: Value, other: Value) -> Value:
    taken = condition.data & ~condition.missing
    return Value(_where(taken, one.data, other.data), np.where(taken, one.missing, other.missing))


def _locate(term: Term, x: Value) -> Value:
    return Value(np.searchsorted(np.array(term.parameter), x.data, side="right").astype(np.int64), np.False_)


def _interval(term: Term, x: Value) -> Value:
    edges, values = term.parameter
    return Value(np.array(values)[np.searchsorted(np.array(edges), x.data, side="right")], np.False_)


def _element(term: Term, x: Value) -> Value:
    table = np.array(term.parameter)
    return Value(table[np.clip(x.data, 0, len(table) - 1)], np.False_)


def _lookup(term: Term, x: Value) -> Value:
    table = dict(term.parameter)
    fallback = next(iter(table.values()))
    keys = np.atleast_1d(x.data).tolist()
    found = [table.get(key, fallback) for key in keys]
    data = np.array(found, dtype=object if isinstance(fallback, str) else None)
    return Value(data, np.array([key not in table for key in keys]))


def _of_texts(function: Callable[..., Any], kind: Any = object) -> Callable[..., Value]:
    """A function of texts, called once for each distinct text where it has one argument that varies."""

    def apply(_: Term, *arguments: Value) -> Value:
        rows = np.broadcast_arrays(*(np.atleast_1d(argument.data) for argument in arguments))
        memo: dict[Any, Any] = {}
        found = []
        for row in zip(*(one.tolist() for one in rows), strict=True):
            if row not in memo:
                memo[row] = function(*row)
            found.append(memo[row])
        return Value(np.array(found, dtype=kind), np.False_)

    return apply


_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_UPPER = str.maketrans(ascii_lowercase, ascii_uppercase)


def _part(_: Term, text: Value, separator: Value, place: Value) -> Value:
    mark, index = str(separator.data), int(place.data)
    pieces = [one.split(mark) for one in np.atleast_1d(text.data).tolist()]
    data = np.array([one[index] if index < len(one) else "" for one in pieces], dtype=object)
    return Value(data, np.array([index >= len(one) for one in pieces]))


def _count_item(_: Term, text: Value, separator: Value, item: Value) -> Value:
    mark, wanted = str(separator.data), str(item.data)
    found = [one.split(mark).count(wanted) for one in np.atleast_1d(text.data).tolist()]
    return Value(np.array(found, dtype=np.int64), np.False_)


def _digest(text: str) -> int:
    return int.from_bytes(md5(text.encode(), usedforsecurity=False).digest()[:4], "big")


def _count_ngrams(_: Term, text: Value, size: Value, buckets: Value) -> Value:
    length, width = int(size.data), int(buckets.data)
    texts, places = np.unique(np.atleast_1d(text.data).astype(object), return_inverse=True)
    # A log has few distinct n-grams, and hashing one costs more than counting it.
    known: dict[str, int] = {}
    counts = np.zeros((len(texts), width))
    for row, one in enumerate(texts.tolist()):
        found = Counter(one[place : place + length] for place in range(len(one) - length + 1))
        for ngram, times in found.items():
            if ngram not in known:
                known[ngram] = _digest(ngram) % width
            counts[row, known[ngram]] += times
    return Value(counts[places.reshape(-1)], np.False_)


def _dot(_: Term, left: Value, right: Value) -> Value:
    total = np.zeros(1)
    for place in range(left.data.shape[-1]):
        total = total + left.data[..., place] * right.data[..., place]
    return Value(total, np.False_)


def _scale(_: Term, vector: Value, factor: Value) -> Value:
    data = vector.data * np.asarray(factor.data)[..., None]
    return Value(data, ~np.isfinite(data).all(axis=-1))


def _pack(_: Term, *elements: Value) -> Value:
    rows = np.broadcast_arrays(*(np.atleast_1d(element.data) for element in elements))
    return Value(np.stack(rows, axis=1), np.False_)


def _instant(_: Term, x: Value) -> Value:
    return Value(x.data, (x.data < TIMESTAMP_MIN) | (x.data > TIMESTAMP_MAX))


_SPELLED: dict[str, tuple[Callable[..., Value], bool]] = {
    "add": (_plain(np.add), True),
    "subtract": (_plain(np.subtract), True),
    "multiply": (_plain(np.multiply), True),
    "divide": (lambda _, x, y: Value(np.divide(x.data, y.data), y.data == 0.0), True),
    "quotient": (_plain(np.divide), True),
    "square_root": (lambda _, x: Value(np.sqrt(x.data), x.data < 0.0), True),
    "floor": (_plain(np.floor), True),
    "absolute": (_plain(np.abs), True),
    "exponent": (_exponent, True),
    "power_of_two": (lambda _, k: Value(np.ldexp(1.0, np.clip(k.data, -1100, 1023).astype(np.int32)), np.False_), True),
    "finite": (lambda _, x: Value(x.data, ~np.isfinite(x.data)), True),
    "integer_add": (_plain(np.add), True),
    "integer_subtract": (_plain(np.subtract), True),
    "integer_multiply": (_plain(np.multiply), True),
    "checked_add": (_checked("add"), True),
    "checked_subtract": (_checked("subtract"), True),
    "checked_multiply": (_checked("multiply"), True),
    "floor_divide": (_plain(np.floor_divide), True),
    "floor_modulo": (_plain(np.mod), True),
    "integer_quotient": (_quotient, True),
    "to_float": (_plain(lambda x: np.asarray(x).astype(np.float64)), True),
    "to_integer": (_to_integer, True),
    "to_text": (_of_texts(str), True),
    "equal": (_plain(lambda x, y: np.asarray(x == y, dtype=bool)), True),
    "less": (_plain(lambda x, y: np.asarray(x < y, dtype=bool)), True),
    "less_or_equal": (_plain(lambda x, y: np.asarray(x <= y, dtype=bool)), True),
    "and": (_both, False),
    "or": (_either, False),
    "not": (_plain(np.logical_not), True),
    "is_missing": (lambda _, x: Value(np.asarray(x.missing), np.False_), False),
    "coalesce": (_coalesce, False),
    "restrict": (lambda _, x, condition: Value(x.data, ~condition.data), True),
    "choose": (_choose, False),
    "locate": (_locate, True),
    "interval": (_interval, True),
    "element": (_element, True),
    "lookup": (_lookup, True),
    "lower": (_of_texts(lambda text: text.lower() if text.isascii() else text.translate(_LOWER)), True),
    "upper": (_of_texts(lambda text: text.upper() if text.isascii() else text.translate(_UPPER)), True),
    "strip": (_of_texts(lambda text: text.strip(ASCII_SPACE)), True),
    "length": (_of_texts(len, np.int64), True),
    "concatenate": (_of_texts(lambda one, other: one + other), True),
    "contains": (_of_texts(lambda text, part: part in text, bool), True),
    "starts_with": (_of_texts(lambda text, part: text.startswith(part), bool), True),
    "ends_with": (_of_texts(lambda text, part: text.endswith(part), bool), True),
    "replace": (_of_texts(lambda text, old, new: text.replace(old, new)), True),
    "substring": (_of_texts(lambda text, start, length: text[start : start + length]), True),
    "part": (_part, True),
    "count_item": (_count_item, True),
    "ngram_counts": (_count_ngrams, True),
    "digest": (_of_texts(_digest, np.int64), True),
    "microseconds": (lambda _, x: x, True),
    "instant": (_instant, True),
    "pack": (_pack, True),
    "component": (lambda _, v, place: Value(v.data[..., int(place.data)], np.False_), True),
    "dot": (_dot, True),
    "scale_vector": (_scale, True),
}
"""For each primitive its function of a term and its arguments, and whether a missing argument makes it missing."""
