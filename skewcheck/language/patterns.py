r"""Patterns: the regular expressions that Python's re, RE2 (DuckDB) and Java's regex (Spark) all read alike.

A pattern is read by the parser below and written again in a canonical form, in which nothing is left to an engine's own
idea of a digit, a word, a line or white space. What engines disagree on, or what can make one of them take forever, is
refused.

| written | meaning |
| --- | --- |
| `a` `é` | the character itself |
| `\.` `\t` `\n` `\r` `\f` `\v` `\x41` | a punctuation mark; a control character; a code point up to FF |
| `.` | any character but a newline |
| `[a-z0-9_]` `[^"]` | one of these; any other (a newline too) |
| `\d` `\w` `\s` and `\D` `\W` `\S` | `[0-9]`, `[0-9A-Za-z_]`, ASCII white space; any other character |
| `(?:...)` and `(...)` | a group; the one group that `extract` gives |
| `a|b` | the first alternative with which the whole pattern is found |
| `?` `*` `+` `{3}` `{2,}` `{2,5}` | as often as possible; of a group that repeats, see below |
| `^` `$` | the very beginning and the very end of the text, nowhere else in the pattern |

A match is the leftmost one, and among those the one that prefers earlier alternatives and longer repetitions. A group
that repeats has an upper bound, holds no other choice of length, and its alternatives begin with different characters:
so there is one way to read it, and no text makes a search take a time that grows exponentially. Open-ended repetitions
one after the other, such as `.*=.*=`, still cost a power of the text's length in Python and Java.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import combinations

from skewcheck.language.characters import Ranges, complement, normalise, overlap, single, write_set
from skewcheck.language.primitives import ASCII_SPACE

LARGEST = 1000
"""The most characters of a pattern once its repetitions are written out; RE2 has the same limit for one of them."""

MOST_RANGES = 64
"""The most ranges of a class: RE2 refuses programs beyond a size."""

START = r"\A"
"""How the canonical text writes the beginning of the text."""

END = r"\z"
"""How the canonical text writes the end of the text. Nothing else in it has these two characters."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern in canonical form.

    Attributes:
        text: What Java and RE2 read; Python writes `END` in its own way.
        captures: It has a group that `extract` can give.
    """

    text: str
    captures: bool


def parse_pattern(text: str) -> Pattern:
    """The canonical form of a pattern.

    Raises:
        ValueError: It is no pattern of the kind above; the message names the position (0 is the first character), what
            is not allowed, and what to write instead.
    """
    if lone := re.search("[\ud800-\udfff]", text):
        raise ValueError(
            f"the pattern {text!r} has a lone surrogate at position {lone.start()}, which is no Unicode text; remove it"
        )
    return _Parser(text).parse()


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a pattern.

    Attributes:
        text: Its canonical form.
        first: The characters that it can begin with.
        kind: "character", "group" or "sequence".
        size: Characters, repetitions written out.
        empty: It can match nothing at all.
        decided: There is one way at most to match a given text, and no two lengths in one place.
        captures: It holds the group that captures.
    """

    text: str
    first: Ranges
    kind: str = "sequence"
    size: int = 1
    empty: bool = False
    decided: bool = True
    captures: bool = False


_NOTHING = _Piece("", (), size=0, empty=True)


class _Parser:
    """Reads one pattern from the left."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.captured = False

    def parse(self) -> Pattern:
        if not self.text:
            raise ValueError("the pattern is empty and would match every text; leave it out")
        starts = self._take("^")
        body, choices = self._alternatives()
        ends = self._take("$")
        if self._peek() == ")":
            raise self._refusal("an unopened )", r"write \) for the character")
        if self._peek():
            raise self._refusal("$ before the end", r"write \$ for the character")
        if choices > 1 and (starts or ends):
            self.place = 0 if starts else len(self.text) - 1
            raise self._refusal("^ or $ beside |, which binds it to one alternative", "write ^(?:a|b)$")
        if body.size > LARGEST:
            raise ValueError(
                f"the pattern {self.text!r} has {body.size:,} characters with its repetitions written out, and "
                f"{LARGEST:,} are allowed; repeat less often"
            )
        return Pattern((START if starts else "") + body.text + (END if ends else ""), self.captured)

    def _peek(self, count: int = 1) -> str:
        return self.text[self.place : self.place + count]

    def _take(self, wanted: str) -> bool:
        found = self.text.startswith(wanted, self.place)
        self.place += len(wanted) * found
        return found

    def _refusal(self, what: str, remedy: str) -> ValueError:
        return ValueError(
            f"the pattern {self.text!r} has {what} at position {self.place}, which is not allowed; {remedy}"
        )

    def _alternatives(self) -> tuple[_Piece, int]:
        """The alternatives up to a closing parenthesis or the end, as one piece, and how many they are."""
        branches: list[_Piece] = []
        while True:
            branch = self._sequence()
            if not branch.text and (branches or self._peek() == "|"):
                raise self._refusal("an empty alternative", "make what is optional a group with ?, such as (?:a|b)?")
            branches.append(branch)
            if not self._take("|"):
                break
        if len(branches) == 1:
            return branches[0], 1
        apart = all(not overlap(one.first, other.first) for one, other in combinations(branches, 2))
        joined = _Piece(
            "|".join(branch.text for branch in branches),
            normalise(pair for branch in branches for pair in branch.first),
            size=sum(branch.size for branch in branches),
            empty=any(branch.empty for branch in branches),
            decided=apart and all(branch.decided and not branch.empty for branch in branches),
            captures=any(branch.captures for branch in branches),
        )
        return joined, len(branches)

    def _sequence(self) -> _Piece:
        found = _NOTHING
        while self._peek() not in {"", "|", ")"} and not (self._peek() == "$" and self.place == len(self.text) - 1):
            following = self._quantified(self._atom())
            found = _Piece(
                found.text + following.text,
                normalise((*found.first, *following.first)) if found.empty else found.first,
                size=found.size + following.size,
                empty=found.empty and following.empty,
                decided=found.decided and following.decided,
                captures=found.captures or following.captures,
            )
        return found

    def _atom(self) -> _Piece:
        character = self._peek()
        if character == "(":
            return self._group()
        if character == "[":
            return self._class()
        if character == "\\":
            return _one_of(self._escape())
        if character == "^":
            raise self._refusal("^ after the beginning", r"write \^ for the character")
        if character == "$":
            raise self._refusal("$ before the end", r"write \$ for the character")
        if character in "?*+":
            raise self._refusal(
                f"{character} with nothing before it to repeat", rf"write \{character} for the character"
            )
        if character in "{}]":
            raise self._refusal(f"a bare {character}", rf"write \{character} for the character")
        self.place += 1
        if character == ".":
            return _one_of(complement(((10, 10),)))
        return _one_of(single(character))

    def _group(self) -> _Piece:
        opened = self.place
        capturing = not self.text.startswith("(?", opened)
        if not capturing and not self.text.startswith("(?:", opened):
            named = re.match(r"\(\?P?<?[A-Za-z]", self.text[opened:])
            look = re.match(r"\(\?<?[=!]", self.text[opened:])
            if look:
                raise self._refusal("look-around", "match the surroundings too, and extract a group of them")
            raise self._refusal(
                "a named group or a flag" if named else "a group of another kind", "write (?:...), or (...) to extract"
            )
        if capturing and self.captured:
            raise self._refusal("a second group that captures", "write (?:...), which does not")
        self.captured = self.captured or capturing
        self.place += 1 if capturing else 3
        body, _ = self._alternatives()
        if not self._take(")"):
            if self._peek() == "$":
                raise self._refusal("$ before the end", "put it after the group")
            self.place = opened
            raise self._refusal("a group that is not closed", r"close it with ), or write \( for the character")
        if not body.text:
            self.place = opened
            raise self._refusal("an empty group", "leave it out")
        text = f"({body.text})" if capturing else f"(?:{body.text})"
        return replace(body, text=text, kind="group", captures=body.captures or capturing)

    def _quantified(self, atom: _Piece) -> _Piece:
        start = self.place
        bounds = self._quantifier()
        if bounds is None:
            return atom
        if self._peek() in {"?", "*", "+", "{"}:
            raise self._refusal(
                "a second quantifier (a lazy or possessive one)",
                "leave it out; instead of .*? exclude what comes next, such as [^,]*",
            )
        least, most = bounds
        if atom.kind == "group":
            self._check_repeated_group(atom, start, least, most)
        if (least, most) == (1, 1):
            return atom
        count = least + 1 if most is None else most
        return replace(
            atom,
            text=atom.text + _write_bounds(least, most),
            kind="sequence",
            size=atom.size * count,
            empty=least == 0,
            decided=atom.decided and least == most,
        )

    def _quantifier(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("?", (0, 1)), ("*", (0, None)), ("+", (1, None))):
            if self._take(sign):
                return bounds
        if self._peek() != "{":
            return None
        found = re.compile(r"\{([0-9]{1,4})(,([0-9]{0,4}))?\}").match(self.text, self.place)
        if found is None:
            raise self._refusal("a { that begins no {m,n}", r"write \{ for the character")
        least = int(found[1])
        most = int(found[3]) if found[3] else None if found[2] else least
        if max(least, most or 0) > LARGEST or most == 0 or (most is not None and most < least):
            raise self._refusal(f"the bounds {found[0]}", f"write {{m,n}} with m <= n and n from 1 to {LARGEST}")
        self.place = found.end()
        return least, most

    def _check_repeated_group(self, group: _Piece, start: int, least: int, most: int | None) -> None:
        end, self.place = self.place, start
        if group.empty:
            raise self._refusal(
                "a quantifier of a group that can match nothing", "leave it out, or let the group match a character"
            )
        if most is None:
            raise self._refusal(
                "a group that repeats without a bound (engines run out of stack)",
                f"write {{{least},100}}, or repeat one character or class",
            )
        if most > 1 and group.captures:
            raise self._refusal(
                "a quantifier of a group that captures", "put the repetition inside, such as ((?:ab){2})"
            )
        if most > 1 and not group.decided:
            raise self._refusal(
                "a repeated group that holds a choice of length, or alternatives that begin alike "
                "(some texts would take forever)",
                "write the repetitions one after the other, or repeat one character or class",
            )
        self.place = end

    def _escape(self) -> Ranges:
        """The characters that a backslash and what follows stand for."""
        character = self.text[self.place + 1 : self.place + 2]
        if character in _CLASSES:
            self.place += 2
            return _CLASSES[character]
        if character in _CONTROLS:
            self.place += 2
            return single(_CONTROLS[character])
        if hexadecimal := re.compile(r"\\x([0-9A-Fa-f]{2})").match(self.text, self.place):
            self.place += 4
            return single(chr(int(hexadecimal[1], 16)))
        if character and character.isascii() and not character.isalnum() and character.isprintable():
            self.place += 2
            return single(character)
        if character in {"b", "B"}:
            raise self._refusal("a word boundary", r"match the neighbour, such as (?:^|\W), or split the text first")
        if character in {"A", "Z", "z", "G"}:
            raise self._refusal(f"\\{character}", "write ^ for the beginning and $ for the end of the text")
        if character and character in "123456789k":
            raise self._refusal("a back-reference", "write what is to be matched once more")
        if character in {"p", "P", "X", "R", "h", "H", "N"}:
            raise self._refusal(f"the Unicode class \\{character}", "list the characters in [...]")
        raise self._refusal(f"the escape \\{character}", r"write the character itself, \xHH, or \\ for a backslash")

    def _class(self) -> _Piece:
        opened = self.place
        self.place += 1
        negated = self._take("^")
        ranges: list[tuple[int, int]] = []
        while not self._take("]"):
            if not self._peek():
                self.place = opened
                raise self._refusal("a class that is not closed", r"close it with ], or write \[ for the character")
            low = self._member()
            if self._peek() == "-" and self._peek(2) != "-]":
                self.place += 1
                if not self._peek():
                    continue
                high = self._member()
                if len(low) != 1 or low[0][0] != low[0][1] or len(high) != 1 or high[0][0] != high[0][1]:
                    raise self._refusal("a range from or to a class", r"write \- for the character")
                if low[0][0] > high[0][0]:
                    raise self._refusal("a range that ends before it begins", "write the lower end first")
                low = ((low[0][0], high[0][0]),)
            ranges.extend(low)
        found = complement(normalise(ranges)) if negated else normalise(ranges)
        self.place, end = opened, self.place
        if not ranges or not found:
            raise self._refusal("a class of no character", r"list characters in it; a ] among them is written \]")
        if len(found) > MOST_RANGES:
            raise self._refusal(
                f"a class of more than {MOST_RANGES} ranges", "list fewer, or exclude others with [^...]"
            )
        self.place = end
        return _one_of(found)

    def _member(self) -> Ranges:
        character = self._peek()
        if character == "\\":
            return self._escape()
        if character == "[":
            raise self._refusal("a [ inside a class", r"write \[ for the character")
        self.place += 1
        return single(character)


def _one_of(ranges: Ranges) -> _Piece:
    return _Piece(write_set(ranges), ranges, kind="character")


_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}
_DIGITS = ((48, 57),)
_WORD = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE = normalise((ord(space), ord(space)) for space in ASCII_SPACE)
_CLASSES = {
    "d": _DIGITS,
    "w": _WORD,
    "s": _SPACE,
    "D": complement(_DIGITS),
    "W": complement(_WORD),
    "S": complement(_SPACE),
}


def _write_bounds(least: int, most: int | None) -> str:
    if most is None:
        return {0: "*", 1: "+"}.get(least, f"{{{least},}}")
    if (least, most) == (0, 1):
        return "?"
    return f"{{{least}}}" if least == most else f"{{{least},{most}}}"
