"""Commands about the language itself: operators, parity."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from skewcheck.cli.common import RepoOption, find_services
from skewcheck.errors import UsageError


def operators(
    output: Annotated[str, typer.Option("--format", help="What to print: table, json or markdown.")] = "table",
) -> None:
    """List the operators of the language: what each means, where it runs, and whether engines agree bit for bit."""
    from skewcheck.reference import list_operators, print_json, print_markdown, print_table

    entries = list_operators()
    if output == "table":
        print_table(entries, Console(highlight=False))
    elif output in {"json", "markdown"}:
        sys.stdout.write(print_json(entries) if output == "json" else print_markdown(entries))
    else:
        raise UsageError(f"--format {output}: there is no such format", remedy="Give table, json or markdown.")


def parity(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[OPERATOR|SERVICE]...", help="What to compare; everything if none.")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="Rows for Python against DuckDB.")] = 10_000,
    spark_rows: Annotated[int, typer.Option(min=1, help="Rows for Python against Spark, at most --rows.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Another seed gives other rows.")] = 1,
    engines: Annotated[
        str | None, typer.Option(help="Of duckdb, spark; Spark is compared where it is installed.")
    ] = None,
    repo: RepoOption = Path(),
) -> None:
    """Run every operator and generated service through all engines on hard values, and count where they differ."""
    from skewcheck.parity.command import compare_engines

    failed = compare_engines(
        names or [],
        find_services(repo),
        rows=rows,
        spark_rows=min(rows, spark_rows),
        seed=seed,
        engines=None if engines is None else [engine.strip() for engine in engines.split(",")],
    )
    raise typer.Exit(1 if failed else 0)
