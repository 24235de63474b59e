"""A verdict in another form."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skewcheck.cli.common import FormatOption


def report(
    verdict: Annotated[Path, typer.Argument(metavar="VERDICT", help="What `--format json` of a command printed.")],
    output: FormatOption = "table",
    out: Annotated[Path | None, typer.Option(help="Write it to this file and print nothing.")] = None,
    comment: Annotated[
        bool, typer.Option("--comment", help="In a GitHub workflow: write it over the comment on the pull request.")
    ] = False,
) -> None:
    """Print a verdict in another form; the command that made it is what passes or fails."""
    import os

    from skewcheck.report.formats import check_format, print_report, read_verdict, render_report

    check_format(output)
    read = read_verdict(verdict)
    if comment:
        from skewcheck.report.sticky import find_pull_request, post_comment

        typer.echo(post_comment(read, find_pull_request(os.environ)))
    elif out is not None:
        from skewcheck.files import write_text

        write_text(out, render_report(read, output))
    else:
        print_report(read, output)
