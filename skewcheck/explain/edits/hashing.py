"""Edits of hashes: another function, other buckets, other separators (room: explain)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import duckdb
import numpy as np

from skewcheck.explain.edits.base import Edit, Setting, place_bits
from skewcheck.explain.inverting import Node
from skewcheck.explain.trees import Build, make, rebuild, with_parameters
from skewcheck.explain.values.bits import bits_of_number
from skewcheck.explain.values.hashes import HASHES, find_buckets
from skewcheck.language.expressions import Constant, Expression
from skewcheck.language.opaque import Definition
from skewcheck.language.operator import Operator
from skewcheck.language.terms import Term, call, literal
from skewcheck.language.types import INT64, STRING, Type

SEPARATORS = ("", "_", "-", "|", ":", ",", " ", "/", "__", "#", ".")
"""What programs put between two texts that they join."""

DISTINCT = 300
"""Texts that are hashed to see whether a function fits."""


@dataclass(frozen=True)
class OtherHash(Operator):
    """The bucket that another hash function gives a text."""

    algorithm: str
    buckets: int
    name: ClassVar[str] = "other_hash"
    group: ClassVar[str] = "explain"
    takes: ClassVar[tuple[tuple[Type, ...], ...]] = ((STRING,),)
    gives: ClassVar[Type | None] = INT64

    def expand(self, x: Term) -> Term:
        """A function of Python, which `register_hashes` makes known."""
        return call("opaque", x, literal(self.buckets), parameter=_define(self.algorithm))


def register_hashes(connection: duckdb.DuckDBPyConnection) -> None:
    """Make every hash function known to a connection."""
    for name, function in HASHES.items():
        connection.create_function(_define(name).identifier, _bucketize(function), ["VARCHAR", "BIGINT"], "BIGINT")


def _bucketize(function: Callable[[bytes], int]) -> Callable[[str, int], int]:
    def bucket(text: str, buckets: int) -> int:
        return function(text.encode()) % buckets

    return bucket


def propose_hashes(setting: Setting) -> Iterator[Edit]:
    """Another hash function or another number of buckets, and other separators in what is hashed."""
    for node, text in setting.declared():
        if node.name == "hash_bucket":
            yield from _propose_functions(setting, node, text)
        if node.name == "cross":
            for separator in SEPARATORS:
                yield _separated(setting, text, separator)


def _propose_functions(setting: Setting, node: Node, text: str) -> Iterator[Edit]:
    operand, wanted = setting.operand(node), setting.wanted(node)
    if operand is None or wanted is None:
        return
    rows = np.flatnonzero((np.abs(wanted) < 2.0**62) & operand.values.present)
    pairs = dict(
        zip((operand.values.data[row] for row in rows), np.round(wanted[rows]).astype(int).tolist(), strict=True)
    )
    texts = list(pairs)[:DISTINCT]
    declared: int = node.expression.operator.buckets  # type: ignore[attr-defined]
    for algorithm in (None, *HASHES):
        function = HASHES["md5, first 4 bytes"] if algorithm is None else HASHES[algorithm]
        buckets = find_buckets([function(one.encode()) for one in texts], [pairs[one] for one in texts], declared)
        if buckets is None or (algorithm is None and buckets == declared):
            continue
        what = "md5" if algorithm is None else algorithm
        yield Edit(
            kind="hash",
            target=text,
            build=_hash(algorithm, buckets),
            says=f"Serving hashes with {what} into {buckets:,} buckets; training with md5 into {declared:,}.",
            fix="Hash in serving as hash_bucket does: the first 32 bits of the MD5, as a big-endian number.",
            root=text,
            parameters={"algorithm": what, "buckets": buckets, "declared": {"algorithm": "md5", "buckets": declared}},
            bits=place_bits(setting) + (0.0 if buckets == declared else bits_of_number(float(buckets))) + 3.0,
            shown=f"{text} by {what} into {buckets:,}",
        )


def _hash(algorithm: str | None, buckets: int) -> Build:
    if algorithm is None:
        return lambda node: with_parameters(node, buckets=buckets)
    return lambda node: rebuild(OtherHash(algorithm, buckets), node.operands)


def _separated(setting: Setting, text: str, separator: str) -> Edit:
    def build(node: Expression) -> Expression:
        joined = node.operands[0]
        between = Expression(Constant(separator, STRING), (), STRING)
        for operand in node.operands[1:]:
            joined = make("concat", joined, between, operand) if separator else make("concat", joined, operand)
        return joined

    shown = repr(separator) if separator else "nothing"
    return Edit(
        kind="hash",
        target=text,
        build=build,
        says=f"Serving joins the parts of {text} with {shown} between; training with U+001F.",
        fix="Join with the unit separator U+001F in serving.",
        root=text,
        parameters={"separator": separator, "declared": "\x1f"},
        bits=place_bits(setting) + 3.5,
        shown=f"{text} with {shown} between",
    )


def _define(name: str) -> Definition:
    return Definition(f"hash_{list(HASHES).index(name)}", name, ("String", "Int64"), "Int64")
