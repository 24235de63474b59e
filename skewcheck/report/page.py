"""The verdict as one self-contained HTML page (room: report).

The page fetches nothing: its style and its script are inline, and its Content-Security-Policy admits exactly
these two by their hashes, so that even markup that slipped in could neither run nor load anything.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from skewcheck.report import findings, time_wording, values, wording
from skewcheck.verdict import SCHEMA, STAGES

if TYPE_CHECKING:
    from skewcheck.verdict import Comparison, Verdict

_TEMPLATES = "report/templates"
_BAR_WIDTH = 100


def render_page(verdict: Verdict) -> str:
    """The verdict as an HTML page: the same text for the same verdict.

    Whatever a string of the verdict holds, it is text on the page: escaped by Jinja, with characters that a
    browser would obey or not show (controls, bidirectional marks) as visible escapes.
    """
    return fill_template("audit.html.jinja", verdict=verdict, schema=SCHEMA, stages=STAGES)


def fill_template(template: str, **values_shown: Any) -> str:
    """A page of one of the templates, which all have one style and one script, inline and admitted by their hashes."""
    environment = _environment()
    style, script = (_read_asset(environment, name) for name in ("audit.css", "audit.js"))
    page = environment.get_template(template).render(
        **values_shown,
        style=Markup(style),  # noqa: S704 - our own files, which hold no data
        script=Markup(script),  # noqa: S704 - the same
        policy=(
            f"default-src 'none'; style-src '{_hash_source(style)}'; script-src '{_hash_source(script)}'; "
            "base-uri 'none'; form-action 'none'"
        ),
    )
    return page.rstrip("\n") + "\n"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("skewcheck", _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.globals |= {
        "wording": wording,
        "findings": findings,
        "time_wording": time_wording,
        "values": values,
        "bar_width": _measure_bar,
    }
    return environment


def _finalize(value: Any) -> Any:
    """What the template prints: strings without hidden characters, before they are escaped for HTML."""
    return values.escape_hidden(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _read_asset(environment: Environment, name: str) -> str:
    """A file beside the template, with the line ends that the browser hashes."""
    if environment.loader is None:
        raise AssertionError("the environment is made with a loader")
    source, _, _ = environment.loader.get_source(environment, name)
    return "\n" + source.replace("\r\n", "\n")


def _hash_source(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _measure_bar(comparison: Comparison) -> str:
    """Width of a rate's bar in percent; a rate above zero is always visible."""
    rate = comparison.mismatch_rate
    return f"{max(rate * _BAR_WIDTH, 1.0) if rate else 0.0:.1f}"
