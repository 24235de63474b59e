"""The findings as one self-contained HTML page, in the clothes of the audit's (room: compare)."""

from __future__ import annotations

from skewcheck.compare.findings import SCHEMA, Findings
from skewcheck.compare.wording import say_absences, say_causes, say_headline
from skewcheck.report.page import fill_template


def render_page(findings: Findings) -> str:
    """The findings as an HTML page: the same text for the same findings."""
    headline = say_headline(findings)
    return fill_template(
        "compare.html.jinja",
        findings=findings,
        schema=SCHEMA,
        headline=headline,
        sentence=headline.partition(" ")[2],
        absences=say_absences(findings),
        causes={column.name: say_causes(column) for column in findings.columns},
    )
