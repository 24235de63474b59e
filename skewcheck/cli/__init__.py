"""The command line. A command loads what it needs and nothing else, so that `--help` is quick."""

from __future__ import annotations

import sys
import traceback
from typing import Annotated

import typer
from rich.console import Console

from skewcheck.cli.auditing import audit
from skewcheck.cli.changes import check, diff, rules
from skewcheck.cli.common import silence_libraries
from skewcheck.cli.comparing import compare
from skewcheck.cli.language import operators, parity
from skewcheck.cli.materialising import materialise
from skewcheck.cli.repo import apply, generate, init
from skewcheck.cli.reporting import report
from skewcheck.cli.training import fit, trainset
from skewcheck.errors import SkewcheckError

COMMANDS = (
    init,
    fit,
    trainset,
    generate,
    apply,
    materialise,
    audit,
    compare,
    operators,
    parity,
    diff,
    check,
    rules,
    report,
)
"""In the order of `--help`."""

app = typer.Typer(
    name="skewcheck",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Exit codes: 0 clean, 1 the check failed, 2 wrong usage, 3 could not complete.",
)
for command in COMMANDS:
    app.command()(command)
# Feast spells it so.
app.command("materialize", hidden=True)(materialise)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"skewcheck {version('skewcheck')}")
        raise typer.Exit


@app.callback()
def start(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Declare a feature once, run it in training and serving, and find out which served values differ."""


def main() -> None:
    """Run the command line; an error of ours is printed as its message, and ends with its exit code."""
    silence_libraries()
    try:
        app()
    except SkewcheckError as error:
        Console(stderr=True, highlight=False).print(f"error: {error}", markup=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:
        # Python's own 1 would read as a check that ran and failed.
        traceback.print_exc()
        sys.exit(3)
