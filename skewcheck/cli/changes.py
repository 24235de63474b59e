"""Commands about changes of the declarations: diff, check, rules."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from skewcheck.cli.common import FormatOption, RepoOption, load_repository
from skewcheck.errors import UsageError

if TYPE_CHECKING:
    from skewcheck.diff_verdict import DiffVerdict

SelectOption = Annotated[
    list[str] | None, typer.Option(help="A rule or group that applies; may be repeated. `skewcheck rules` lists them.")
]
IgnoreOption = Annotated[list[str] | None, typer.Option(help="A rule that does not apply; may be repeated.")]
ListFormatOption = Annotated[str, typer.Option("--format", help="What to print: table or json.")]
RowsOption = Annotated[int, typer.Option(min=1, help="Hard rows to run on every engine where nothing is proved.")]
BudgetOption = Annotated[
    float | None, typer.Option(min=0, help="Seconds for running features; what it cuts short is unknown.")
]
ModelsOption = Annotated[Path | None, typer.Option(help="A JSON list of models with their tags.")]
StaticOption = Annotated[
    bool,
    typer.Option("--static-only", help="Run nothing of either version: compare their text, and say what is not seen."),
]
CacheOption = Annotated[bool, typer.Option(help="Keep results, and take those that were found before.")]
RegistryOption = Annotated[str | None, typer.Option(help="The address of an MLflow registry.")]


def diff(
    versions: Annotated[
        list[str],
        typer.Argument(
            metavar="OLD..NEW | OLD...NEW | OLD | OLD NEW",
            help="Two versions in git (three dots: from where they parted), one and the working folder, or two folders "
            "of generated code.",
        ),
    ],
    repo: RepoOption = Path(),
    select: SelectOption = None,
    ignore: IgnoreOption = None,
    rows: RowsOption = 10_000,
    log: Annotated[str | None, typer.Option(help="A serving log to measure the changes on.")] = None,
    data: Annotated[str | None, typer.Option(help="A Parquet or CSV file to measure the changes on.")] = None,
    models: ModelsOption = None,
    registry: RegistryOption = None,
    budget: BudgetOption = None,
    static_only: StaticOption = False,
    save: Annotated[bool, typer.Option("--save", help="Save witnesses as codegen/<service>/cases/*.json.")] = False,
    cache: CacheOption = True,
    output: FormatOption = "table",
) -> None:
    """Say of every feature what a change of the declarations does to its values, and on which input."""
    from skewcheck.changes.caching import default_folder
    from skewcheck.changes.diffing import Options, diff_folders, diff_range
    from skewcheck.report.formats import check_format
    from skewcheck.store.repository import find_root

    check_format(output)
    _end_on_terminate()
    if log is not None and data is not None:
        raise UsageError("--log and --data are both given", remedy="Give one of them.")
    if len(versions) > 2:
        raise UsageError(f"{len(versions)} versions are named", remedy="Give one range, or two folders.")
    folders = [Path(version) for version in versions] if all(Path(version).is_dir() for version in versions) else []
    if len(folders) == 2 and (static_only or save):
        raise UsageError("--static-only and --save are for versions in git", remedy="Name a range, such as main..HEAD.")
    root = find_root(repo) if len(folders) < 2 else Path()
    options = Options(
        rows=rows,
        cache=default_folder() if cache else None,
        save=root if save else None,
        budget=budget,
        select=tuple(select or ()),
        ignore=tuple(ignore or ()),
        log=log,
        data=data,
        models=models,
        registry=registry,
    )
    text = "..".join(versions)
    if len(folders) == 2:
        verdict = diff_folders(folders[0], folders[1], options)
    elif static_only:
        from skewcheck.changes.static_diff import diff_statically

        verdict = diff_statically(root, text, options)
    else:
        verdict = diff_range(root, text, options)
    print_verdict(verdict, output)


def check(
    repo: RepoOption = Path(),
    against: Annotated[
        str | None, typer.Option(help="The version to compare with, from where this one left it; the default branch.")
    ] = None,
    log: Annotated[str | None, typer.Option(help="A serving log to audit.")] = None,
    select: SelectOption = None,
    ignore: IgnoreOption = None,
    rows: RowsOption = 10_000,
    models: ModelsOption = None,
    registry: RegistryOption = None,
    budget: BudgetOption = None,
    cache: CacheOption = True,
    output: FormatOption = "table",
) -> None:
    """Run the whole gate: statistics, generated code, the diff against the default branch, parity, a log's audit."""
    from skewcheck.changes import gate
    from skewcheck.changes.caching import default_folder
    from skewcheck.changes.diffing import Options
    from skewcheck.report.formats import check_format
    from skewcheck.store.repository import find_root

    check_format(output)
    _end_on_terminate()
    root = find_root(repo)
    options = Options(
        rows=rows,
        budget=budget,
        select=tuple(select or ()),
        ignore=tuple(ignore or ()),
        log=log,
        models=models,
        registry=registry,
        cache=default_folder() if cache else None,
    )
    print_verdict(gate.check(root, lambda: load_repository(root), options, against), output)


def rules(output: ListFormatOption = "table") -> None:
    """List the rules of `skewcheck diff` and `skewcheck check`, grouped by who is hurt."""
    import json
    from dataclasses import asdict

    from skewcheck.changes.rules import GROUPS, RULES

    if output not in {"table", "json"}:
        raise UsageError(f"--format {output}: there is no such format", remedy="Give table or json.")
    if output == "json":
        sys.stdout.write(json.dumps([asdict(rule) for rule in RULES.values()], indent=2) + "\n")
        return
    console = Console(highlight=False)
    for place, group in enumerate(GROUPS):
        console.print(f"{group}{f' (with {GROUPS[place - 1]})' if place else ''}", style="bold", markup=False)
        for rule in RULES.values():
            if rule.group == group:
                console.print(f"  {rule.level:<8}{rule.id:<26}{rule.meaning}", markup=False, soft_wrap=True)


def print_verdict(verdict: DiffVerdict, output: str) -> NoReturn:
    """Print a verdict and end with its exit code."""
    from skewcheck.report.formats import print_report

    print_report(verdict, output)
    raise typer.Exit(verdict.exit_code)


def _end_on_terminate() -> None:
    """Let a polite request to end run what is to be run at the end: worktrees are removed there."""

    def end(number: int, _frame: object) -> NoReturn:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, end)
