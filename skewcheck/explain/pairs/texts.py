"""Guesses about text: case, spaces, normal form, accents (room: explain, pairs)."""

from __future__ import annotations

from collections.abc import Iterator

from skewcheck.explain.pairs.base import Guess, Pairs

FORMS = {
    "in lower case": "lower({x})",
    "in upper case": "upper({x})",
    "without spaces around it": "trim({x}, chr(9) || chr(10) || chr(13) || ' ' || chr(160))",
    "in lower case, without spaces around it": "lower(trim({x}, chr(9) || chr(10) || chr(13) || ' ' || chr(160)))",
    "with one space for each run of spaces": "regexp_replace(trim({x}), '\\s+', ' ', 'g')",
    "in the composed normal form": "nfc_normalize({x})",
    "without accents": "strip_accents({x})",
    "without accents, in lower case": "lower(strip_accents({x}))",
    "without its punctuation": "regexp_replace({x}, '[^\\w\\s]', '', 'g')",
    "with underscores for spaces": "replace({x}, ' ', '_')",
    "without leading zeros": "ltrim({x}, '0')",
    "without a fraction of zero": "regexp_replace({x}, '^(-?\\d+)\\.0+$', '\\1')",
}
"""Forms of a text, the simplest first."""


def guess_texts(pairs: Pairs) -> Iterator[Guess]:
    """One side is in a form that the other is not, or both are in forms of one text."""
    a, b = pairs.trained, pairs.served
    for place, (word, text) in enumerate(FORMS.items()):
        for kept, cut, who in ((a, b, "serving"), (b, a, "training")):
            yield Guess(
                "normalization_text",
                f"coalesce({text.format(x=kept)} = {cut}, FALSE)",
                f"{who.capitalize()} has the text {word}.",
                f"Bring the text into one form in both; {who} has it {word}.",
                {"side": who, "form": word},
                bits=8.0 + 0.5 * place,
            )
        yield Guess(
            "normalization_text",
            f"coalesce({text.format(x=a)} = {text.format(x=b)}, FALSE)",
            f"The two texts are the same {word}.",
            f"Bring the text into one form in both, such as {word}.",
            {"side": "both", "form": word},
            bits=12.0 + 0.5 * place,
        )
    for shorter, longer, who in ((b, a, "Serving"), (a, b, "Training")):
        lengths = pairs.rows(f"len({shorter}), count(*)", f"{pairs.differs} AND {shorter} IS NOT NULL", _MOST_COMMON)
        if lengths and lengths[0][0]:
            size = int(lengths[0][0])
            yield Guess(
                "normalization_text",
                f"coalesce({shorter} = left({longer}, {size}) AND len({longer}) > {size}, FALSE)",
                f"{who} cuts the text after {size} characters.",
                "Keep the whole text.",
                {"side": who.lower(), "length": size},
                bits=14.0,
            )


_MOST_COMMON = "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1"
