"""Encodings: categories as codes, indicators and weights that come from training or from a given list."""

from __future__ import annotations

from dataclasses import dataclass

from skewcheck.language.expressions import operator
from skewcheck.language.operator import Example, Fitted, FittedOperator, Operator, Statistic
from skewcheck.language.operators.choice import check_constants
from skewcheck.language.operators.numbers import check_count
from skewcheck.language.operators.text import TEXT
from skewcheck.language.terms import Term, call, choose, equal, literal, pack, restrict
from skewcheck.language.types import FLOAT64, INT64, STRING, Type, vector

CATEGORY = (STRING, INT64)


@operator
@dataclass(frozen=True)
class Vocabulary(FittedOperator):
    """The code of a string in the training vocabulary (Int64): 1 for the most frequent, 0 for one that is not in it.

    At most `size` strings with at least `minimum_count` occurrences are in it, by falling count and, at equal counts,
    in code-point order. With `out_of_vocabulary` = k the codes 0 to k − 1 are for strings that are not in it, shared
    out as `hash_bucket(k)` does, and the most frequent string has code k. Missing stays missing.
    """

    size: int = 2**31 - 1
    minimum_count: int = 1
    out_of_vocabulary: int = 1
    name, group, takes, gives = "vocabulary", "fitted", (TEXT,), INT64
    examples = (
        Example(
            lambda x: x.vocabulary(),
            ((("b",), 1), (("a",), 2), (("c",), 3), (("z",), 0), ((None,), None)),
            training=("c", "b", None, "a", "b"),
        ),
        Example(lambda x: x.vocabulary(size=1), ((("b",), 1), (("a",), 0)), training=("a", "b", "b")),
        Example(lambda x: x.vocabulary(minimum_count=2), ((("b",), 1), (("a",), 0)), training=("a", "b", "b")),
        Example(
            lambda x: x.vocabulary(out_of_vocabulary=10),
            ((("b",), 10), (("a",), 11), (("abc",), 0x90015098 % 10), (("",), 0xD41D8CD9 % 10), ((None,), None)),
            training=("a", "b", "b"),
        ),
    )

    def check(self) -> None:
        """All at least one."""
        for name in ("size", "minimum_count", "out_of_vocabulary"):
            check_count(name, getattr(self, name))
        if self.out_of_vocabulary > 2**31:
            raise ValueError(f"out_of_vocabulary must be at most 2147483648, and is {self.out_of_vocabulary}")

    def statistics(self) -> tuple[Statistic, ...]:
        """The strings in the order of their codes."""
        limits = (("size", self.size), ("minimum_count", self.minimum_count))
        return (Statistic("entries", "vocabulary", type=None, parameters=limits),)

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """A look-up, and a hash where it finds nothing."""
        unseen = literal(0) if self.out_of_vocabulary == 1 else call("digest", x) % self.out_of_vocabulary
        code = call("coalesce", _look_up_code(fitted, x, first=self.out_of_vocabulary), unseen)
        return restrict(code, ~call("is_missing", x))


@operator
@dataclass(frozen=True)
class Ordinal(FittedOperator):
    """The place of x among the distinct training values in ascending order (Int64), 0 for the smallest.

    Strings are ordered by code point. −1 for a value that was not in training; missing stays missing. As scikit-learn's
    OrdinalEncoder with unknown_value=-1.
    """

    name, group, takes, gives = "ordinal", "fitted", (CATEGORY,), INT64
    examples = (
        Example(
            lambda x: x.ordinal(),
            ((("a",), 0), (("b",), 1), (("é",), 2), (("z",), -1), ((None,), None)),
            training=("é", "b", None, "a", "b"),
        ),
        Example(lambda x: x.ordinal(), (((-5,), 0), ((10,), 1), ((7,), -1)), training=(10, -5, 10)),
    )

    def statistics(self) -> tuple[Statistic, ...]:
        """The distinct values."""
        return (Statistic("entries", "distinct", type=None),)

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """A look-up, −1 where it finds nothing."""
        return restrict(call("coalesce", _look_up_code(fitted, x, first=0), literal(-1)), ~call("is_missing", x))


@operator
@dataclass(frozen=True)
class FrequencyEncode(FittedOperator):
    """The share of x among the training values that are not missing, from 0 to 1.

    0.0 for a value that was not in training; missing stays missing.
    """

    name, group, takes, gives = "frequency_encode", "fitted", (CATEGORY,), FLOAT64
    examples = (
        Example(
            lambda x: x.frequency_encode(),
            ((("a",), 0.25), (("b",), 0.75), (("z",), 0.0), ((None,), None)),
            training=("b", "b", None, "a", "b"),
        ),
        Example(lambda x: x.frequency_encode(), (((3,), 1.0), ((4,), 0.0)), training=(3, 3)),
    )

    def statistics(self) -> tuple[Statistic, ...]:
        """The share of every value."""
        return (Statistic("shares", "frequencies", type=None),)

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """A look-up, 0 where it finds nothing."""
        share = call("lookup", x, parameter=fitted.table("shares", gives=FLOAT64))
        return restrict(call("coalesce", share, literal(0.0)), ~call("is_missing", x))


@operator
@dataclass(frozen=True)
class OneHot(Operator):
    """A vector with 1.0 at the position of x among `categories` and 0.0 elsewhere.

    All zero for a value that is not among them, and for a missing one.
    """

    categories: tuple[str | int, ...]
    name, group, takes = "one_hot", "categories", (CATEGORY,)
    examples = (
        Example(
            lambda x: x.one_hot(("a", "b")),
            ((("a",), [1.0, 0.0]), (("b",), [0.0, 1.0]), (("z",), [0.0, 0.0]), ((None,), [0.0, 0.0])),
        ),
    )

    def check(self) -> None:
        """Distinct strings or distinct whole numbers."""
        object.__setattr__(self, "categories", check_constants("categories", self.categories))

    def result_type(self, *types: Type) -> Type:
        """A vector as long as the categories."""
        wanted = STRING if isinstance(self.categories[0], str) else INT64
        if types[0] != wanted:
            raise ValueError(f"the categories are {wanted}, and the value is {types[0]}")
        return vector(len(self.categories))

    def expand(self, x: Term) -> Term:
        """One choice for each category."""
        return pack(*(choose(equal(x, category), literal(1.0), literal(0.0)) for category in self.categories))


@operator
@dataclass(frozen=True)
class OneHotEncode(FittedOperator):
    """A vector of length `size` with 1.0 at the place of x among the most frequent training values, 0.0 elsewhere.

    Places go by falling count and, at equal counts, in ascending (code-point) order; values with fewer than
    `minimum_count` occurrences have none. All zero for a value without a place, and for a missing one; where training
    has fewer values than `size`, the last places are always zero.
    """

    size: int
    minimum_count: int = 1
    name, group, takes = "one_hot_encode", "fitted", (CATEGORY,)
    examples = (
        Example(
            lambda x: x.one_hot_encode(2),
            ((("b",), [1.0, 0.0]), (("a",), [0.0, 1.0]), (("c",), [0.0, 0.0]), ((None,), [0.0, 0.0])),
            training=("c", "b", None, "a", "b"),
        ),
        Example(
            lambda x: x.one_hot_encode(size=2, minimum_count=2),
            (((7,), [1.0, 0.0]), ((8,), [0.0, 0.0])),
            training=(7, 7, 8),
        ),
    )

    def check(self) -> None:
        """Both at least one."""
        check_count("size", self.size)
        check_count("minimum_count", self.minimum_count)

    def result_type(self, *_types: Type) -> Type:
        """A vector of the given length."""
        return vector(self.size)

    def statistics(self) -> tuple[Statistic, ...]:
        """The values in the order of their places."""
        limits = (("size", self.size), ("minimum_count", self.minimum_count))
        return (Statistic("entries", "vocabulary", type=None, parameters=limits),)

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """A look-up, and one choice for each place."""
        place = _look_up_code(fitted, x, first=0)
        return pack(*(choose(equal(place, code), literal(1.0), literal(0.0)) for code in range(self.size)))


@operator
@dataclass(frozen=True)
class MultiHot(Operator):
    """For a delimited text a vector with 1.0 for each of `categories` that is one of its items, 0.0 for the others.

    Items are the pieces between delimiters, compared as they are: nothing is stripped. All zero for a missing text.
    """

    categories: tuple[str, ...]
    delimiter: str = ","
    name, group, takes = "multi_hot", "categories", (TEXT,)
    examples = (
        Example(
            lambda x: x.multi_hot(("a", "b")),
            (
                (("b,a,b",), [1.0, 1.0]),
                (("ab,b",), [0.0, 1.0]),
                ((" a",), [0.0, 0.0]),
                (("",), [0.0, 0.0]),
                ((None,), [0.0, 0.0]),
            ),
        ),
        Example(lambda x: x.multi_hot(("a", ""), delimiter="; "), ((("a; ; b",), [1.0, 1.0]), (("",), [0.0, 1.0]))),
    )

    def check(self) -> None:
        """A delimiter, and distinct strings without it."""
        object.__setattr__(self, "categories", check_items("categories", self.categories, self.delimiter))

    def result_type(self, *_types: Type) -> Type:
        """A vector as long as the categories."""
        return vector(len(self.categories))

    def expand(self, x: Term) -> Term:
        """One count for each category."""
        counts = (call("count_item", x, literal(self.delimiter), literal(item)) for item in self.categories)
        return pack(*(choose(count > 0, literal(1.0), literal(0.0)) for count in counts))


@operator
@dataclass(frozen=True)
class TfIdf(FittedOperator):
    """For a delimited text the count of each of `items` among its pieces × the item's inverse document frequency.

    That is ln((1 + n) ÷ (1 + d)) + 1 for n training texts of which d have the item, as scikit-learn's smooth_idf. There
    is no normalisation. Pieces are compared as they are: nothing is stripped or lower-cased. Missing stays missing.
    """

    items: tuple[str, ...]
    delimiter: str = " "
    name, group, takes = "tf_idf", "fitted", (TEXT,)
    examples = (
        Example(
            lambda x: x.tf_idf(("a", "b")),
            (
                (("a c a",), [2.0, 0.0]),
                (("b",), [0.0, 1.6931471805599454]),
                (("",), [0.0, 0.0]),
                ((None,), None),
            ),
            training=("a b a", "c a", "a", None),
        ),
    )

    def check(self) -> None:
        """A delimiter, and distinct strings without it."""
        object.__setattr__(self, "items", check_items("items", self.items, self.delimiter))

    def result_type(self, *_types: Type) -> Type:
        """A vector as long as the items."""
        return vector(len(self.items))

    def statistics(self) -> tuple[Statistic, ...]:
        """The weight of every item."""
        parameters = (("items", self.items), ("delimiter", self.delimiter))
        return (Statistic("weights", "inverse_document_frequencies", type=None, parameters=parameters),)

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """One count and one product for each item."""
        counts = (call("count_item", x, literal(self.delimiter), literal(item)) for item in self.items)
        return pack(*(call("to_float", count) * fitted.entry("weights", place) for place, count in enumerate(counts)))


def check_items(name: str, items: object, delimiter: object) -> tuple[str, ...]:
    """Distinct strings that can be items of a delimited text, as a tuple.

    Raises:
        ValueError: The delimiter is no string or empty, or the items are no list of distinct strings without it.
        DeclarationError: An item cannot be a constant.
    """
    if not isinstance(delimiter, str) or not delimiter:
        raise ValueError(f"delimiter must be a string that is not empty, and is {delimiter!r}")
    found = check_constants(name, items)
    texts = tuple(item for item in found if isinstance(item, str))
    if len(texts) < len(found):
        raise ValueError(f"{name} must be strings, and is {items!r}")
    if holding := [item for item in texts if delimiter in item]:
        raise ValueError(f"{name} has {', '.join(map(repr, holding))}, which no item can be: it has the delimiter")
    return texts


def _look_up_code(fitted: Fitted, x: Term, *, first: int) -> Term:
    """The code of x among the entries, counted from `first`; missing for a value that is none of them."""
    table = fitted.table("entries", lambda entries: ((entry, code) for code, entry in enumerate(entries, first)))
    return call("lookup", x, parameter=table)
