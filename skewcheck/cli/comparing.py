"""The comparison of two tables."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from skewcheck.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skewcheck.compare.findings import Findings
    from skewcheck.compare.pairing import Tolerance

_TABLE = "A Parquet, CSV or Arrow file, a folder or quoted glob, FILE.duckdb::TABLE, or postgresql://...::TABLE."


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help=f"The table as training computed it. {_TABLE}")],
    b: Annotated[str, typer.Argument(metavar="B", help="The table as served.")],
    on: Annotated[list[str], typer.Option(help="A column that identifies a row; may be repeated.")],
    at: Annotated[str | None, typer.Option(help="A column of times: first and last mismatch, and by hour.")] = None,
    by: Annotated[
        list[str] | None, typer.Option(help="A column whose values slice the mismatches; may be repeated.")
    ] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--column", help="Compare this column alone; may be repeated.")
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Leave this column out; may be repeated.")] = None,
    rename: Annotated[
        list[str] | None, typer.Option(help="A=B where B calls a column of A otherwise; may be repeated.")
    ] = None,
    tolerance: Annotated[
        list[str] | None,
        typer.Option(help="Relative tolerance such as 1e-9, or COLUMN=1e-9 for one column; may be repeated."),
    ] = None,
    absolute: Annotated[
        list[str] | None, typer.Option(help="Absolute tolerance, or COLUMN=0.01; may be repeated.")
    ] = None,
    ulp: Annotated[
        list[str] | None, typer.Option(help="Tolerance in last places of a float, or COLUMN=4; may be repeated.")
    ] = None,
    nan_differs: Annotated[bool, typer.Option("--nan-differs", help="Count NaN against null as a mismatch.")] = False,
    rows: Annotated[
        str, typer.Option(help="all: absent rows fail. shared: compare those that both tables have.")
    ] = "all",
    duplicates: Annotated[
        str, typer.Option(help="Ids in several rows. skip: leave out. pairs: every A with every B.")
    ] = "skip",
    null: Annotated[
        list[str] | None, typer.Option(help="In CSV, a text that stands for null beside the empty cell.")
    ] = None,
    samples: Annotated[int, typer.Option(min=0, help="Differing pairs to show of each column; 0 shows no value.")] = 5,
    explain: Annotated[bool, typer.Option("--explain/--no-explain", help="Seek why the values differ.")] = True,
    distributions: Annotated[
        bool, typer.Option("--distributions", help="Measure how far apart the distributions are as well.")
    ] = False,
    compatibility: Annotated[
        str | None, typer.Option(help="Count as another system does, and print its figures as JSON: tfdv or chronon.")
    ] = None,
    digits: Annotated[
        int | None, typer.Option("--round", min=0, help="With --compatibility tfdv: round floats to so many digits.")
    ] = None,
    confusion: Annotated[
        list[str] | None, typer.Option(help="With --compatibility tfdv: count this column by pair of values.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write compare.json and compare.html into this folder.")] = None,
    output: Annotated[str, typer.Option("--format", help="What to print: table or json.")] = "table",
) -> None:
    """Compare two tables row by row: what training computed (A) and what was served (B)."""
    from skewcheck.compare.comparing import compare_tables
    from skewcheck.compare.options import Options
    from skewcheck.compare.terminal import print_findings
    from skewcheck.files import make_folder

    _check_choice("--format", output, ("table", "json"))
    _check_choice("--rows", rows, ("all", "shared"))
    _check_choice("--duplicates", duplicates, ("skip", "pairs"))
    renamed = dict(_split_pair(pair) for pair in rename or ())
    ids = _split_names(on)
    if compatibility is not None:
        _check_choice("--compatibility", compatibility, ("tfdv", "chronon"))
        if compatibility == "tfdv":
            code = _compare_like_tfdv(a, b, ids, ignore or (), digits, duplicates == "pairs", confusion or (), samples)
        else:
            code = _compare_like_chronon(a, b, ids, renamed)
        raise typer.Exit(code)
    whole, single = _read_tolerances({"relative": tolerance, "absolute": absolute, "ulp": ulp})
    options = Options(
        at=at,
        by=by or (),
        columns=columns or (),
        ignored=ignore or (),
        renamed=renamed,
        tolerance=whole,
        tolerances=single,
        nan_differs=nan_differs,
        rows="shared" if rows == "shared" else "all",
        duplicates="pairs" if duplicates == "pairs" else "skip",
        samples=samples,
        explain=explain,
        distributions=distributions,
        null_texts=null or (),
    )
    if out:
        make_folder(out)
    findings = compare_tables(a, b, ids, options)
    page = _write_reports(findings, out) if out else None
    if output == "json":
        sys.stdout.write(findings.to_json())
    else:
        print_findings(findings, Console(highlight=False), report_path=page)
    raise typer.Exit(findings.exit_code)


def _write_reports(findings: Findings, folder: Path) -> Path:
    """Write both files, and give the page's path."""
    from skewcheck.compare.page import render_page
    from skewcheck.files import write_text

    write_text(folder / "compare.json", findings.to_json())
    write_text(folder / "compare.html", render_page(findings))
    return folder / "compare.html"


def _compare_like_tfdv(
    a: str,
    b: str,
    on: list[str],
    ignored: Sequence[str],
    digits: int | None,
    allow_repeated: bool,
    confusion: Sequence[str],
    samples: int,
) -> int:
    """Print what TensorFlow Data Validation would count, and give the exit code."""
    from skewcheck.compare.comparing import open_tables
    from skewcheck.compare.tfdv import Options, compare_like_tfdv

    chosen = Options(ignored, digits, allow_repeated, confusion, samples)
    with open_tables(a, b) as (connection, base, test):
        result = compare_like_tfdv(connection, base, test, on, chosen)
    sys.stdout.write(result.to_json())
    return result.exit_code


def _compare_like_chronon(a: str, b: str, on: list[str], renamed: dict[str, str]) -> int:
    """Print what Chronon would measure, and give the exit code."""
    from skewcheck.compare.chronon import compare_like_chronon
    from skewcheck.compare.comparing import open_tables

    with open_tables(a, b) as (connection, left, right):
        series = compare_like_chronon(connection, left, right, on, renamed)
    sys.stdout.write(series.to_json())
    return series.exit_code


def _check_choice(option: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise UsageError(f"{option} {given}: there is no such choice", remedy=f"Give {' or '.join(known)}.")


def _split_names(given: list[str]) -> list[str]:
    """Names, of which one option may give several, as in `--on user,day`."""
    return [name.strip() for names in given for name in names.split(",") if name.strip()]


def _split_pair(pair: str) -> tuple[str, str]:
    name, sign, other = pair.partition("=")
    if not (name and sign and other):
        raise UsageError(f"--rename {pair}: expected A=B", remedy="Such as --rename age=customer_age.")
    return name, other


def _read_tolerances(given: dict[str, list[str] | None]) -> tuple[Tolerance, dict[str, Tolerance]]:
    """The tolerance for all columns and those for single ones."""
    from skewcheck.compare.pairing import Tolerance

    sizes: dict[str, dict[str, float]] = {"": {}}
    for kind, texts in given.items():
        option = "--tolerance" if kind == "relative" else f"--{kind}"
        for text in texts or ():
            name, _, size = text.rpartition("=")
            try:
                sizes.setdefault(name, {})[kind] = float(size)
            except ValueError as error:
                raise UsageError(f"{option} {text}: {size!r} is no number", remedy="Give one such as 1e-9.") from error
    whole = Tolerance(**sizes.pop(""))
    return whole, {name: Tolerance(**found) for name, found in sizes.items()}
