"""Results that were found before: what two versions of a feature gave does not change (room: changes).

A result is kept under the hash of everything that it depends on. A cache that cannot be read or written is none.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from skewcheck.changes.canonical_form import digest_term
from skewcheck.changes.judgement import Judgement
from skewcheck.diff_verdict import Step, Witness
from skewcheck.errors import UsageError
from skewcheck.files import write_text
from skewcheck.language.expressions import Expression, render
from skewcheck.language.terms import Term

FORMAT = "skewcheck/result/1"


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of results; none where it is None."""

    folder: Path | None = None

    def find(self, key: str) -> Judgement | None:
        """The result under a key, None where it is not known."""
        if self.folder is None:
            return None
        try:
            data = json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8"))
            return _read(data)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, key: str, judgement: Judgement) -> None:
        """Keep a result, unless it depends on how much time there was."""
        if self.folder is None or judgement.outcome not in {"tested", "differs"}:
            return
        try:
            write_text(self.folder / f"{key}.json", json.dumps(asdict(judgement), allow_nan=False))
        except (UsageError, ValueError):
            return


def default_folder() -> Path:
    """Where results are kept: under the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "skewcheck" / "results"


def make_key(expressions: tuple[Expression, Expression], terms: tuple[Term, Term], rows: int, note: str | None) -> str:
    """The hash of everything that a result depends on."""
    parts = [FORMAT, _installed("skewcheck"), _installed("hypothesis"), str(rows), str(note)]
    parts += [render(expression) for expression in expressions]
    parts += [digest_term(term) for term in terms]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _read(data: dict[str, Any]) -> Judgement:
    judgement = Judgement(**data)
    held: Any = judgement.witness
    if held is None:
        return judgement
    for name in ("old_steps", "new_steps"):
        held[name] = tuple(Step(**step) for step in held[name])
    return replace(judgement, witness=Witness(**{**held, "stored": tuple(held["stored"])}))
