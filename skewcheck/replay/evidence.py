"""One mismatch of retrieval in words: which row was served, and which one training reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from skewcheck.store.as_of import name_key
from skewcheck.verdict import plain_value

_START = datetime(1970, 1, 1, tzinfo=UTC)

LONGEST = 60
"""Characters of a value that are shown."""


def describe_mismatch(row: Mapping[str, Any], keys: Sequence[str], word: str = "row of") -> str:
    """A traced request in words.

    Args:
        row: The request: `request_id`, `requested_at`, `served`, `trained`, the `source` row that serving read, the
            `trained_row`, and the event time that was `logged`.
        keys: The join keys, which the row has under their names of the join.
        word: What the event time of a row is to be called.
    """
    of = ", ".join(f"{key} {_show(row[name_key(key)[1:-1]])}" for key in keys)
    request = f"request {row['request_id']}" if row["request_id"] is not None else "the request"
    served = f"{request} at {row['requested_at']}{f' for {of}' if of else ''} was served {_show(row['served'])}"
    trained = f"training reads {_show(row['trained'])}"
    return (
        f"{served}{_say_row(row['source'], row['logged'], word)}; {trained}{_say_row(row['trained_row'], None, word)}"
    )


def _say_row(source: Mapping[str, int] | None, logged: int | None, word: str) -> str:
    if source is None:
        return "" if logged is None else f" of {_say_time(logged)}"
    known = f", known {_say_time(source['created'])}" if source["created"] != source["event"] else ""
    return f" ({word} {_say_time(source['event'])}{known})"


def _say_time(microseconds: int) -> str:
    try:
        return (_START + timedelta(microseconds=microseconds)).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return f"{microseconds} µs"


def _show(value: Any) -> str:
    text = "missing" if value is None else str(plain_value(value))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
