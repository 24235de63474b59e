"""Values, counts and times as people read them; whatever a string holds, it stays text (room: report).

The terminal and the page both print through this module, so that they say the same and neither can be made to
obey what it prints: control characters, terminal escapes and bidirectional controls become visible escapes.
"""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from skewcheck.contracts import plain_value

MISSING = "missing"
UNKNOWN = "unknown"

_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}
_SHORT_ESCAPES = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"}
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_NOT_FINITE = ("NaN", "Infinity", "-Infinity")
_LONGEST_STRING = 40
_LONGEST_LIST = 8
_SHOWN_DIFFERENCES = 3


def escape_hidden(text: str) -> str:
    """The text with every character that is invisible, or that a terminal or browser would obey, escaped.

    These are controls, format and bidirectional characters, lone surrogates, noncharacters, and every space
    but the plain one: a no-break space in a vocabulary is a cause of skew that the reader must see.
    """
    return "".join(_escape(character) if _is_hidden(character) else character for character in text)


def flow_text(text: str) -> str:
    """A message as one line of running text: line breaks become spaces, hidden characters visible escapes."""
    return escape_hidden(" ".join(text.split()))


def format_count(count: int | None) -> str:
    """A count with thousands separators; None is "unknown", never zero."""
    return UNKNOWN if count is None else f"{count:,}"


def format_rate(part: int, whole: int) -> str:
    """The share as a percentage with as many digits as it takes.

    Exactly "0%" only where `part` is 0 and exactly "100%" only where it is `whole`; "—" of an empty whole.
    """
    if not whole:
        return "—"
    if part in (0, whole):
        return "100%" if part else "0%"
    percent = Decimal(100 * part) / Decimal(whole)
    for digits in range(1, 30):
        text = f"{percent:.{digits}f}"
        if Decimal(1) / 10 ** (digits - 1) <= Decimal(text) < 100:
            return f"{text}%"
    return f"{percent:f}%"


def format_difference(number: float | None) -> str:
    """A difference to four digits, with thousands separators; None is "—": no pair had two numbers."""
    if number is None:
        return "—"
    if not math.isfinite(number):
        return str(plain_value(number))
    return f"{number:,.0f}" if 1000 <= abs(number) < 1e15 else f"{number:.4g}"


def format_value(value: Any, *, exact: bool = False) -> str:
    """A logged or replayed value: numbers to six digits (`exact`: to the last bit), strings in quotes.

    None is "missing". Long strings and lists are cut, and say how long they are.
    """
    value = plain_value(value)
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value) if exact else _shorten_float(value)
    if isinstance(value, str):
        return value if value in _NOT_FINITE and not exact else _quote(value, ascii_only=exact)
    if isinstance(value, list):
        shown = [format_value(item, exact=exact) for item in value[:_LONGEST_LIST]]
        tail = f", … {len(value):,} values" if len(value) > _LONGEST_LIST else ""
        return f"[{', '.join(shown)}{tail}]"
    if isinstance(value, dict):
        body = ", ".join(f"{_quote(key)}: {format_value(item, exact=exact)}" for key, item in value.items())
        return f"{{{body}}}"
    return str(value)


def format_input(value: Any) -> str:
    """An input as `format_value` shows it; an instant (a time with its zone) in UTC as `format_time` does.

    A fraction of a second is kept: it may be what a feature depends on.
    """
    value = plain_value(value)
    moment = _parse_time(value) if isinstance(value, str) and _INSTANT.fullmatch(value) else None
    if moment is None:
        return format_value(value)
    return f"{moment:%Y-%m-%d %H:%M:%S}" + (f".{moment:%f}" if moment.microsecond else "")


def format_pair(served: Any, replayed: Any) -> tuple[str, str]:
    """Two values that differ, written so that they visibly differ.

    Floats get as many digits as they need; of long strings and lists the first difference is shown; strings
    that only look alike (another normal form of the same text) are spelled out in escapes.
    """
    served, replayed = plain_value(served), plain_value(replayed)
    if isinstance(served, list) and isinstance(replayed, list):
        return _format_lists(served, replayed)
    if isinstance(served, str) and isinstance(replayed, str):
        return _format_strings(served, replayed)
    short = format_value(served), format_value(replayed)
    if short[0] != short[1] or (type(served), served) == (type(replayed), replayed):
        return short
    return format_value(served, exact=True), format_value(replayed, exact=True)


def format_time(time: str | None) -> str:
    """An ISO 8601 time as "2013-07-01 04:00:05", in UTC; other text stays as it is; None is "unknown"."""
    if time is None:
        return UNKNOWN
    moment = _parse_time(time)
    return escape_hidden(time) if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S")


def format_span(first: str | None, last: str | None) -> str:
    """Two times as "2013-07-01 … 2013-07-31", with the clock if both are of one day; "" of neither."""
    if first is None and last is None:
        return ""
    begin, end = (None if time is None else _parse_time(time) for time in (first, last))
    if begin is None or end is None:
        return " … ".join(dict.fromkeys((format_time(first), format_time(last))))
    if begin.date() != end.date():
        return f"{begin:%Y-%m-%d} … {end:%Y-%m-%d}"
    if begin == end:
        return f"{begin:%Y-%m-%d %H:%M:%S} UTC"
    clock = "%H:%M" if begin.strftime("%H:%M") != end.strftime("%H:%M") else "%H:%M:%S"
    return f"{begin:%Y-%m-%d} {begin.strftime(clock)} … {end.strftime(clock)} UTC"


def format_hash(digest: str | None) -> str:
    """The first twelve characters of a hash, without the name of its algorithm; None is "not logged"."""
    return "not logged" if digest is None else escape_hidden(digest.rpartition(":")[2][:12])


def _is_hidden(character: str) -> bool:
    if character == " " or (character.isascii() and character.isprintable()):
        return False
    point = ord(character)
    noncharacter = point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF
    return noncharacter or unicodedata.category(character) in _HIDDEN


def _escape(character: str) -> str:
    point = ord(character)
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def _shorten_float(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() and 1e6 <= abs(value) < 1e16 else f"{value:.6g}"


def _quote(text: str, *, start: int = 0, ascii_only: bool = False) -> str:
    piece = text[start : start + _LONGEST_STRING]
    body = "".join(
        "\\" + character
        if character in '"\\'
        else _escape(character)
        if _is_hidden(character) or (ascii_only and not character.isascii())
        else character
        for character in piece
    )
    head = "…" if start else ""
    tail = "…" if start + _LONGEST_STRING < len(text) else ""
    length = f" ({len(text):,} characters)" if head or tail else ""
    return f'{head}"{body}"{tail}{length}'


def _format_strings(served: str, replayed: str) -> tuple[str, str]:
    if served == replayed:
        return format_value(served), format_value(replayed)
    if served in _NOT_FINITE and replayed in _NOT_FINITE:
        return served, replayed
    agree = next(
        (at for at, (left, right) in enumerate(zip(served, replayed, strict=False)) if left != right),
        min(len(served), len(replayed)),
    )
    start = max(0, agree - 10) if agree >= _LONGEST_STRING else 0
    alike = unicodedata.normalize("NFKC", served) == unicodedata.normalize("NFKC", replayed)
    return _quote(served, start=start, ascii_only=alike), _quote(replayed, start=start, ascii_only=alike)


def _format_lists(served: list[Any], replayed: list[Any]) -> tuple[str, str]:
    if len(served) != len(replayed):
        return format_value(served), format_value(replayed)
    pairs = [format_pair(left, right) for left, right in zip(served, replayed, strict=True)]
    if len(pairs) <= _LONGEST_LIST:
        return f"[{', '.join(left for left, _ in pairs)}]", f"[{', '.join(right for _, right in pairs)}]"
    differing = [(at, pair) for at, pair in enumerate(pairs) if pair[0] != pair[1]]
    shown = differing[:_SHOWN_DIFFERENCES]
    more = ", …" if len(differing) > len(shown) else ""
    left, right = (", ".join(f"[{at}]: {pair[side]}" for at, pair in shown) for side in (0, 1))
    return f"{left}{more}", f"{right}{more} ({len(differing):,} of {len(pairs):,} values differ)"


def _parse_time(time: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(time)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
